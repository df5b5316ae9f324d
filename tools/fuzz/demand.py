"""What must hold for any input, and how much work an input may cause.

A module of its own: both fuzzers demand alike.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class BrokenPromiseError(Exception):
    """An input for which something does not hold that must hold for all."""


def demand(holds: bool, promise: str, *seen: object) -> None:
    """Raises BrokenPromiseError when a promise is not kept."""
    if not holds:
        raise BrokenPromiseError(f"{promise}: {', '.join(map(repr, seen))[:2000]}")


def effort(task: Callable[[], _Result]) -> tuple[_Result, int]:
    """A task's result, and how many times it entered a Python function or generator.

    Unlike time it is the same in every run and on every machine, so it can be bounded in a test.
    """
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        result = task()
    finally:
        sys.setprofile(before)
    return result, calls
