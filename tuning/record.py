"""One parsed record of a manifest, as the rules see it."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from tuning.formats import SHAPES, Misfit, misfits
from tuning.models import Format


class Record:
    """A record: line is its number in the manifest, value the object, format what it should be."""

    def __init__(self, *, line: int, value: dict[str, Any], format: Format) -> None:
        self.line = line
        self.value = value
        self.format = format

    @cached_property
    def misfits(self) -> tuple[Misfit, ...]:
        """Where it departs from the shape of its format."""
        return tuple(misfits(self.value, SHAPES[self.format]))

    @cached_property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Path and text of every string in it, names of fields excluded."""
        return tuple(_texts(self.value, ""))

    def text(self, field: str) -> str | None:
        """A field of the record when it is a string."""
        value = self.value.get(field)
        return value if isinstance(value, str) else None


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    # Recursion is bounded: the parser refuses deeper nesting than DEPTH_MAX.
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{index}]")
