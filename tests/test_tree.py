"""The tree stays easy to find one's way in: no crowded folders, no giants, no double names."""

import ast
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES_MAX = 20
LINES_MAX = 400
LINES_MIN = 40
# Python calls these by name; they are as short as they are.
CALLED_BY_NAME = ("__init__.py", "__main__.py", "conftest.py", "setup.py")


@cache
def modules() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / name for name in listed.stdout.split() if (ROOT / name).is_file()]


def is_test(file: Path) -> bool:
    return file.is_relative_to(ROOT / "tests")


def lines(file: Path) -> int:
    return file.read_text("utf-8").count("\n")


def test_no_folder_holds_more_than_20_modules() -> None:
    counted = Counter(
        file.parent.relative_to(ROOT)
        for file in modules()
        if file.name not in CALLED_BY_NAME and (not is_test(file) or file.name.startswith("test_"))
    )
    assert {str(folder): n for folder, n in counted.items() if n > MODULES_MAX} == {}


def test_no_module_is_a_giant() -> None:
    long = {str(file.relative_to(ROOT)): lines(file) for file in modules() if not is_test(file)}
    assert {name: n for name, n in long.items() if n > LINES_MAX} == {}


def test_a_short_module_says_why_it_is_one() -> None:
    short = {
        str(file.relative_to(ROOT)): lines(file)
        for file in modules()
        if not is_test(file)
        and file.name not in CALLED_BY_NAME
        and lines(file) < LINES_MIN
        and "A module of its own" not in docstring(file)
        and "One module for each" not in docstring(file.with_name("__init__.py"))
    }
    assert short == {}


def docstring(file: Path) -> str:
    return ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "" if file.is_file() else ""


def test_a_public_class_or_alias_has_one_meaning() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for file in modules():
        if not is_test(file):
            for name in defined(ast.parse(file.read_text("utf-8"))):
                homes[name].append(str(file.relative_to(ROOT)))
    assert {name: files for name, files in homes.items() if len(files) > 1} == {}


def defined(module: ast.Module) -> Iterator[str]:
    """Classes and type aliases; constants are in capitals."""
    for node in module.body:
        match node:
            case ast.ClassDef(name=name):
                pass
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if not re.fullmatch(r"([A-Z][a-z0-9]+)+", name):
                    continue
            case _:
                continue
        if not name.startswith("_"):
            yield name
