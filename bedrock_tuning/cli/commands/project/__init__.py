"""Work on this project."""
