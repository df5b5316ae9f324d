"""`tuning validate`: where a dataset lies, its check, its verdict."""
