"""Texts in the formats of many tools, read into one form and written in another."""
