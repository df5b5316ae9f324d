"""Where a dataset's bytes come from: S3 or a local folder; no rule can tell which."""
