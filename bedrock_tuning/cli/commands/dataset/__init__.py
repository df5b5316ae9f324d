"""Check and prepare a dataset."""
