"""Deploy and maintain."""
