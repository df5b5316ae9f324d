"""One folder per section of `tuning --help`; in it one module per command, named like it."""
