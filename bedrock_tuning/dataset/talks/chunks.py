"""Cuts a long text into pieces that a model reads whole, at the ends of paragraphs or sentences.

A module of its own: it cuts text and knows no conversation.
"""

import re
from collections.abc import Iterator
from typing import Final

# Where a piece may end, best first.
_ENDS: Final = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?。！？])\s*"),
    re.compile(r"\s+"),
)


def chunks(text: str, *, most: int) -> Iterator[str]:
    """Pieces of at most `most` characters, blanks at their ends left out."""
    rest = text.strip()
    while len(rest) > most:
        end = _end(rest, most)
        yield rest[:end].strip()
        rest = rest[end:].strip()
    if rest:
        yield rest


def _end(text: str, most: int) -> int:
    """Where the longest good piece ends; a piece is at least half as long as it may be."""
    for pattern in _ENDS:
        ends = [match.end() for match in pattern.finditer(text, most // 2, most)]
        if ends:
            return ends[-1]
    return most
