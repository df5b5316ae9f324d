"""Tables of a customization file that have much to say, each with its fields."""
