"""An independent IAM simulator, in a subprocess: a development tool under another licence."""
