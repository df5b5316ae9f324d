"""Patterns with * and ? as languages: does one contain the other, do they meet. Exact, no sampling.

"b/train*" is not inside "b/train/*", and "b/*" meets "*/x". All functions are case-sensitive;
callers fold the case where AWS does (action names).
"""

import re
from collections.abc import Callable
from functools import lru_cache

# Stands for every character that the pattern does not name; no ARN contains it.
_OTHER = "\0"
_LITERAL = re.compile(r"[^*?]*")


@lru_cache(maxsize=65_536)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = (
        ".*" if character == "*" else "." if character == "?" else re.escape(character)
        for character in pattern
    )
    return re.compile("".join(parts), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether the text is one of those that the pattern describes."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    return _expression(pattern).fullmatch(text) is not None


def is_literal(pattern: str) -> bool:
    """Whether the pattern describes exactly one text."""
    return "*" not in pattern and "?" not in pattern


@lru_cache(maxsize=65_536)
def contains(outer: str, inner: str) -> bool:
    """Whether every text of `inner` is one of `outer`'s."""
    if is_literal(inner):
        return matches(outer, inner)
    start, end = _literal_start(outer), _literal_end(outer)
    if not (inner.startswith(start) and inner.endswith(end)):
        return False
    inner, outer = (
        inner[len(start) : len(inner) - len(end)],
        outer[len(start) : len(outer) - len(end)],
    )
    if outer in ("*", inner):
        return True
    alphabet = {*outer, _OTHER} - {"*", "?"}
    # A position in the one, and all where the other can be after the same text.
    todo = [(0, _closure(frozenset({0}), outer))]
    seen = set()
    while todo:
        pair = position, around = todo.pop()
        if pair in seen:
            continue
        seen.add(pair)
        if position == len(inner):
            if len(outer) not in around:
                return False
            continue
        symbol = inner[position]
        if symbol == "*":
            todo.append((position + 1, around))
        next_position = position if symbol == "*" else position + 1
        for character in alphabet if symbol in "*?" else symbol:
            todo.append((next_position, _step(around, outer, character)))
    return True


@lru_cache(maxsize=65_536)
def meets(pattern: str, other_pattern: str) -> bool:
    """Whether some text is described by both."""
    todo = [(0, 0)]
    seen = set()
    while todo:
        pair = left, right = todo.pop()
        if pair in seen:
            continue
        seen.add(pair)
        symbol, other_symbol = pattern[left : left + 1], other_pattern[right : right + 1]
        if not symbol and not other_symbol:
            return True
        # A star stands for nothing, or for what the other one has here.
        if symbol == "*" or (symbol and other_symbol == "*"):
            todo.append((left + 1, right))
        if other_symbol == "*" or (other_symbol and symbol == "*"):
            todo.append((left, right + 1))
        if symbol == other_symbol or (symbol and other_symbol and "?" in (symbol, other_symbol)):
            todo.append((left + 1, right + 1))
    return False


def _literal_start(pattern: str) -> str:
    """What every text of a pattern with a wildcard starts with."""
    match = _LITERAL.match(pattern)
    return match[0] if match is not None else ""


def _literal_end(pattern: str) -> str:
    return _literal_start(pattern[::-1])[::-1]


def _closure(states: frozenset[int], pattern: str) -> frozenset[int]:
    """The positions reachable without reading: a star may stand for nothing."""
    positions = set()
    for state in states:
        positions.add(state)
        position = state
        while position < len(pattern) and pattern[position] == "*":
            position += 1
            positions.add(position)
    return frozenset(positions)


def _step(states: frozenset[int], pattern: str, character: str) -> frozenset[int]:
    positions = set()
    for state in states:
        if state < len(pattern):
            symbol = pattern[state]
            if symbol == "*":
                positions.add(state)
            elif symbol in ("?", character):
                positions.add(state + 1)
    return _closure(frozenset(positions), pattern)


def arn_contains(outer: str, inner: str) -> bool:
    """The same for ArnLike, which compares the six parts of an ARN each for itself."""
    return _by_parts(contains, outer, inner)


def arn_matches(pattern: str, arn: str) -> bool:
    """Whether ArnLike (and ArnEquals, which is the same) accepts the ARN."""
    return _by_parts(matches, pattern, arn)


def _by_parts(test: Callable[[str, str], bool], pattern: str, arn: str) -> bool:
    parts, arn_parts = pattern.split(":", 5), arn.split(":", 5)
    return len(parts) == len(arn_parts) == 6 and all(map(test, parts, arn_parts))
