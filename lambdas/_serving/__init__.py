"""How a customization's owner works: what it may still do, and how it undoes what it began."""
