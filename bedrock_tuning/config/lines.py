"""On which line of a file each key is written, so that a problem can say where to look.

Keys are paths: ("serving", "lease_hours"). A file is read by the standard library, which keeps no
lines; these are found afterwards, in a text that is known to be sound.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

KeyPath = tuple[str, ...]
Lines = Mapping[KeyPath, int]

# None of our fields needs more lines; joining more of them would take time with nothing to win.
_STATEMENT_LINES_MAX: Final = 50
# environments.NAME.rules.NAME.severity; what is nested deeper is reported where it begins.
_DEPTH_MAX: Final = 5
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[][{},]|\n')


def toml_lines(text: str) -> Lines:
    """The first line of each key of a TOML file, and of each table's header."""
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, statement, value in _statements(text):
        if statement.lstrip().startswith("["):
            table = max(_paths(value), key=len, default=())
            lines.setdefault(table, number)
        else:
            for path in _paths(value):
                lines.setdefault((*table, *path), number)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str, Any]]:
    """Each header or assignment, whole and read, with the number of its first line."""
    pending, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        first = first if pending else number
        pending += f"{line}\n"
        try:
            value = tomllib.loads(pending)
        except ValueError:
            if number - first >= _STATEMENT_LINES_MAX:
                return
            continue
        yield first, pending, value
        pending = ""


def _paths(value: Any, depth: int = _DEPTH_MAX) -> Iterator[KeyPath]:
    """Each key inside of a value, outermost first; a list of tables counts as its last table."""
    if isinstance(value, list) and value:
        value = value[-1]
    if isinstance(value, dict) and depth:
        for key, child in value.items():
            yield (key,)
            yield from ((key, *path) for path in _paths(child, depth - 1))


def json_lines(text: str) -> Iterator[tuple[KeyPath, int]]:
    """Each key of a JSON file with its line, in order; a key that is written twice comes twice."""
    number = 1
    path: list[str] = []
    # Of each object and list around: whether it is an object, and how many members it has so far.
    stack: list[tuple[bool, int]] = []
    at_key = False
    for match in _TOKEN.finditer(text):
        mark = match.group()
        if mark == "\n":
            number += 1
        elif mark in "{[":
            stack.append((mark == "{", 0))
            path.append("0")
            at_key = mark == "{"
        elif mark in "}]":
            stack.pop()
            path.pop()
            at_key = False
        elif mark == ",":
            is_object, members = stack.pop()
            stack.append((is_object, members + 1))
            path[-1] = str(members + 1)
            at_key = is_object
        elif at_key:
            path[-1] = json.loads(mark, strict=False)
            yield tuple(path), number
            at_key = False
