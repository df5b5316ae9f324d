"""Patterns with * and ? as languages: does one contain the other, do they meet. Exact, no sampling.

"b/train*" is not inside "b/train/*", and "b/*" meets "*/x". All functions are case-sensitive;
callers fold the case where AWS does (action names).
"""

import os
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

# Stands for every character that neither pattern names; no ARN contains it.
_OTHER = "\0"
_LITERAL = re.compile(r"[^*?]*")


@lru_cache(maxsize=65_536)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
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
    return not any(
        len(inner) in within and len(outer) not in around
        for within, around in _together(inner, outer)
    )


@lru_cache(maxsize=65_536)
def meets(one: str, other: str) -> bool:
    """Whether some text is described by both."""
    if is_literal(one):
        return matches(other, one)
    if is_literal(other):
        return matches(one, other)
    one, other = _without_same_start(one, other)
    one, other = (each[::-1] for each in _without_same_start(one[::-1], other[::-1]))
    if {one[:1], other[:1]}.isdisjoint("*?") or {one[-1:], other[-1:]}.isdisjoint("*?"):
        return False
    return any(len(one) in left and len(other) in right for left, right in _together(one, other))


def _literal_start(pattern: str) -> str:
    """What every text of a pattern with a wildcard starts with."""
    found = _LITERAL.match(pattern)
    return found[0] if found is not None else ""


def _literal_end(pattern: str) -> str:
    return _literal_start(pattern[::-1])[::-1]


def _without_same_start(one: str, other: str) -> tuple[str, str]:
    starts = [_literal_start(one), _literal_start(other)]
    same = len(os.path.commonprefix(starts))  # noqa: RUF071 - by characters is what is needed
    return one[same:], other[same:]


def _together(one: str, other: str) -> Iterator[tuple[frozenset[int], frozenset[int]]]:
    """Where the two patterns can be after the same text, as long as it fits the first."""
    alphabet = (set(one) | set(other) | {_OTHER}) - {"*", "?"}
    todo = [(_closed(frozenset({0}), one), _closed(frozenset({0}), other))]
    seen = set()
    while todo:
        pair = todo.pop()
        if pair in seen:
            continue
        seen.add(pair)
        yield pair
        for character in alphabet:
            after = _step(pair[0], one, character)
            if after:
                todo.append((after, _step(pair[1], other, character)))


def _closed(states: frozenset[int], pattern: str) -> frozenset[int]:
    """The positions reachable without reading: a star may stand for nothing."""
    found = set()
    for state in states:
        found.add(state)
        position = state
        while position < len(pattern) and pattern[position] == "*":
            position += 1
            found.add(position)
    return frozenset(found)


def _step(states: frozenset[int], pattern: str, character: str) -> frozenset[int]:
    after = set()
    for state in states:
        if state < len(pattern):
            here = pattern[state]
            if here == "*":
                after.add(state)
            elif here in ("?", character):
                after.add(state + 1)
    return _closed(frozenset(after), pattern)


def arn_contains(outer: str, inner: str) -> bool:
    """The same for ArnLike, which compares the six parts of an ARN each for itself."""
    return _by_parts(contains, outer, inner)


def arn_matches(pattern: str, arn: str) -> bool:
    """Whether ArnLike (and ArnEquals, which is the same) accepts the ARN."""
    return _by_parts(matches, pattern, arn)


def _by_parts(test: Callable[[str, str], bool], pattern: str, arn: str) -> bool:
    parts, others = pattern.split(":", 5), arn.split(":", 5)
    return len(parts) == len(others) == 6 and all(map(test, parts, others))
