"""What shall be served: plan and smoke test."""
