"""What should be served: plan and smoke test."""
