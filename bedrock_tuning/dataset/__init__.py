"""Bytes to lines to records: what a dataset consists of."""
