"""Where a dataset's bytes come from: S3 or a local folder; rules and functions cannot tell which."""
