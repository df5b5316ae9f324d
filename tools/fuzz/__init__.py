"""Coverage-guided fuzzing of all that reads untrusted bytes: `python -m tools.fuzz TARGET`."""
