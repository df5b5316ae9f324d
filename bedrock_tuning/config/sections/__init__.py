"""Parts of the tables of settings and of customization files, each with its fields."""
