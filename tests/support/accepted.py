"""Texts that were read once, looked at and accepted: a test compares them with what is said now."""

import sys
from pathlib import Path

import pytest

# Some words are those of the standard library.
on_one_python = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="json, csv and tarfile speak as in Python 3.11"
)


def lines_of(file: Path) -> list[str]:
    """What was accepted."""
    return file.read_text("utf-8").splitlines()
