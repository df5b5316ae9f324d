"""The result of a check as data, and how it is shown."""
