"""Values deep inside of JSON.

A module of its own: all of the review reads templates with it.
"""

from collections.abc import Iterator, Mapping
from typing import Any


def get(value: Any, *path: str | int) -> Any:
    """A value deep inside objects and lists; None where the way ends."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def imports(value: Any) -> Iterator[str]:
    """The exports that a template names, wherever it does."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            if isinstance(item.get("Fn::ImportValue"), str):
                yield item["Fn::ImportValue"]
            todo += item.values()
        elif isinstance(item, list):
            todo += item


def is_true(value: Any) -> bool:
    """Whether a template says true, as a boolean or as a text."""
    return str(value).lower() == "true"


def changed_values(before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """The path of each value that differs, and what it is on both sides; None where it is not."""
    then, now = dict(_leaves(before)), dict(_leaves(after))
    paths = {*then, *now}
    filled = {path[:end] for path in paths for end, sign in enumerate(path) if sign == "."}
    for path in sorted(paths):
        old, new = then.get(path), now.get(path)
        # What is empty on one side and has parts on the other is said by these.
        if old != new and not (path in filled and {old, new} == {None, ""}):
            yield path, old, new


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = [
            (inner["Key"], inner["Value"])
            if isinstance(inner, dict) and inner.keys() == {"Key", "Value"}
            else (str(number), inner)
            for number, inner in enumerate(value)
        ]
    else:
        yield path, value
        return
    if not parts and path:
        yield path, ""
    for name, inner in parts:
        yield from _leaves(inner, f"{path}.{name}" if path else name)
