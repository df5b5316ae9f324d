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
    return ast.get_docstring(parsed(file)) or "" if file.is_file() else ""


def test_a_public_name_has_one_meaning() -> None:
    """Of classes, aliases and constants; a package may have one name for what it collects."""
    homes: dict[str, set[str]] = defaultdict(set)
    for file in modules():
        if not is_test(file):
            shared = collected(file.parent)
            for name in defined(parsed(file)):
                home = file.parent if name in shared else file
                homes[name].add(str(home.relative_to(ROOT)))
    assert {name: files for name, files in homes.items() if len(files) > 1} == {}


def test_a_function_that_is_imported_by_name_has_one_meaning() -> None:
    """Under its module's name it may be called as others are; what a person imports is public."""
    public = literal(ROOT / "bedrock_tuning" / "__init__.py", "__all__")
    homes: dict[str, set[str]] = defaultdict(set)
    for file in modules():
        if not is_test(file):
            for node in ast.walk(parsed(file)):
                match node:
                    case ast.ImportFrom(module=str(module), names=names):
                        for each in names:
                            if each.name in functions(module):
                                homes[each.name].add(module)
    confused = {name: homes for name, homes in homes.items() if len(homes) > 1}
    assert {name: homes for name, homes in confused.items() if name not in public} == {}


@cache
def functions(module: str) -> frozenset[str]:
    """The functions that a module or a package of ours defines."""
    path = ROOT / module.replace(".", "/")
    file = next((f for f in (path.with_suffix(".py"), path / "__init__.py") if f.is_file()), None)
    body = parsed(file).body if file else []
    return frozenset(node.name for node in body if isinstance(node, ast.FunctionDef))


def literal(file: Path, name: str) -> list[str]:
    (value,) = (
        node.value
        for node in parsed(file).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )
    found: list[str] = ast.literal_eval(value)
    return found


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


@cache
def collected(folder: Path) -> frozenset[str]:
    """What the package of a folder reads under one name from several of its modules."""
    package = folder / "__init__.py"
    if not package.is_file():
        return frozenset()
    read: dict[str, set[str]] = defaultdict(set)
    for node in ast.walk(parsed(package)):
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                if (folder / f"{module}.py").is_file():
                    read[name].add(module)
    return frozenset(name for name, modules in read.items() if len(modules) > 1)


def defined(module: ast.Module) -> Iterator[str]:
    """Classes, type aliases, and constants, which are in capitals."""
    for node in module.body:
        match node:
            case ast.ClassDef(name=name):
                pass
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if not re.fullmatch(r"([A-Z][a-z0-9]+)+|[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", name):
                    continue
            case _:
                continue
        if not name.startswith("_"):
            yield name
