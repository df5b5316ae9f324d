"""What every patch uses: it states what it expects of the emulator, and wraps a function of it."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

AnyFunction = Callable[..., Any]


class PatchError(Exception):
    """The emulator is not what a patch was written for: re-check the patch at this version."""


def expect(truth: bool, what: str) -> None:
    if not truth:
        raise PatchError(f"MiniStack has changed: expected {what}; re-check the patch")


def expect_source(function: AnyFunction, *snippets: str) -> None:
    """Fail unless the function's source has every snippet that the patch builds on."""
    source = inspect.getsource(function)
    for snippet in snippets:
        expect(snippet in source, f"{function.__qualname__} to contain {snippet!r}")


def replace_once(text: str, old: str, new: str) -> str:
    expect(text.count(old) == 1, f"one {old!r}, found {text.count(old)}")
    return text.replace(old, new)


def around(owner: Any, name: str, *snippets: str) -> Callable[[AnyFunction], AnyFunction]:
    """Replace the function `name` of a module by the decorated one.

    The decorated function gets the replaced one as its first argument, then the call's own. Fails
    unless the replaced function's source has every snippet.
    """
    upstream: AnyFunction = getattr(owner, name)
    expect_source(upstream, *snippets)

    def put(wrapper: AnyFunction) -> AnyFunction:
        replacement = functools.wraps(upstream)(functools.partial(wrapper, upstream))
        setattr(owner, name, replacement)
        return replacement

    return put
