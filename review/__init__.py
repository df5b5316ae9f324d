"""From synthesized templates to proofs and pages; reads JSON only."""
