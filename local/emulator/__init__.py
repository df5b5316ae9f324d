"""The local AWS: MiniStack as one process, with the patches that make it behave as AWS does."""
