"""What every patch uses to say precisely what it expects to find in the emulator."""

import inspect
from collections.abc import Callable
from typing import Any


class PatchError(Exception):
    """The emulator is not what a patch was written for: re-check the patch at this version."""


def expect(found: bool, what: str) -> None:
    if not found:
        raise PatchError(f"MiniStack has changed: expected {what}; re-check the patch")


def expect_source(function: Callable[..., Any], *snippets: str) -> None:
    """Fail unless the function's source has every snippet that the patch builds on."""
    source = inspect.getsource(function)
    for snippet in snippets:
        expect(snippet in source, f"{function.__qualname__} to contain {snippet!r}")


def replace_once(text: str, old: str, new: str) -> str:
    expect(text.count(old) == 1, f"one {old!r}, found {text.count(old)}")
    return text.replace(old, new)
