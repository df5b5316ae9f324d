"""The lines of checks and promises that report something, and which of them have run."""

import ast
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from bedrock_tuning import review
from bedrock_tuning.review.check import Check

FOLDERS = tuple(Path(review.__file__).parent / name for name in ("checks", "promises"))
Line = tuple[str, int]


@cache
def finding_lines() -> dict[Line, str]:
    """Every `yield` of the two folders, by file and first line, with the source of that line."""
    found = {}
    for folder in FOLDERS:
        for file in sorted(folder.glob("*.py")):
            text = file.read_text("utf-8")
            lines = text.splitlines()
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Yield):
                    found[str(file), node.lineno] = lines[node.lineno - 1].strip()
    return found


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

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            into.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    def called(frame: FrameType, _event: str, _: Any) -> Any:
        return local if frame.f_code.co_filename in files else None

    before = sys.gettrace()
    sys.settrace(called)
    try:
        yield
    finally:
        sys.settrace(before)
