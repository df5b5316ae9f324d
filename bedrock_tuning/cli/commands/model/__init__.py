"""Use a model, and see what it learned."""
