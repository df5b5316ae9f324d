"""Look things up."""
