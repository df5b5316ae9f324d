"""Progress of long work, as reported by what does the work and shown by its caller.

A module of its own: preparing, validating and uploading report, a terminal shows,
and none of them knows the others.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """One piece of work of a known size."""

    def update(self, *, share: float, count: int, size: int = 0) -> None:
        """share: of the whole work, 0 to 1. count, size: units and bytes since the last update."""


# Begins to show some work. Arguments: what is done, and what is counted ("images").
Meter = Callable[[str, str], AbstractContextManager[Progress]]


class _Silent:
    def update(self, *, share: float, count: int, size: int = 0) -> None:
        pass


@contextmanager
def silent(title: str, unit: str) -> Iterator[Progress]:  # noqa: ARG001
    """Shows nothing."""
    yield _Silent()
