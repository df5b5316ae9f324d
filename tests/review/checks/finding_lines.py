"""The lines of checks and promises that report something, and which of them have run."""

import ast
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, TypeGuard

from bedrock_tuning import review
from bedrock_tuning.review.check import Check, differing, found, unlike

FOLDERS = tuple(Path(review.__file__).parent / name for name in ("checks", "promises"))
Line = tuple[str, int]
_COMPARING = (differing.__code__, unlike.__code__)


@cache
def finding_lines() -> dict[Line, str]:
    """Every `yield` of the two folders, by file and first line, with the source of that line.

    A `yield from` of one of the comparing functions is one, too: it has run when a violation came
    out of it.
    """
    lines_found = {}
    for folder in FOLDERS:
        for file in sorted(folder.glob("*.py")):
            text = file.read_text("utf-8")
            lines = text.splitlines()
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Yield) or _compares(node):
                    lines_found[str(file), node.lineno] = lines[node.lineno - 1].strip()
    return lines_found


def _compares(node: ast.AST) -> TypeGuard[ast.YieldFrom]:
    return (
        isinstance(node, ast.YieldFrom)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id in {each.co_name for each in _COMPARING}
    )


@contextmanager
def recorded(into: set[Line], check: Check) -> Iterator[None]:
    """Adds to a set which of those lines run meanwhile.

    Tracing is slow: without it, once all lines of the check's own module have run.
    """
    own = inspect.getfile(check.finder)
    if all(line in into for line in finding_lines() if line[0] == own):
        yield
        return
    files = {file for file, _ in finding_lines()}

    compared = {line for line, text in finding_lines().items() if text.startswith("yield from")}

    def local(frame: FrameType, event: str, _: Any) -> Any:
        line = frame.f_code.co_filename, frame.f_lineno
        if event == "line" and line not in compared:
            into.add(line)
        return local

    def called(frame: FrameType, _event: str, _: Any) -> Any:
        if frame.f_code is found.__code__:
            # Where it comes from one of these, a check waits for it.
            asked = frame.f_back
            while asked and asked.f_code in _COMPARING:
                asked = asked.f_back
            if asked:
                into.add((asked.f_code.co_filename, asked.f_lineno))
        return local if frame.f_code.co_filename in files else None

    before = sys.gettrace()
    sys.settrace(called)
    try:
        yield
    finally:
        sys.settrace(before)
