"""Image files: their format and size from their first bytes."""
