"""Values deep inside of JSON."""

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
