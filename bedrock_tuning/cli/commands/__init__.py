"""One module per command, each named like its command."""
