"""What the functions ship: the modules that their handlers import, and the data beside them.

The import path in Lambda is the import path in this repository. The closure is computed from the
source text, so synth imports no handler, needs neither Docker nor pip, and gives the same asset on
every machine.
"""

import ast
import atexit
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parents[1]
# In a wheel the functions' code lies inside of the package (setup.py), where nothing imports it.
_IN_WHEEL: Final = _PACKAGE / "_functions"
_PACKAGES: Final = ("lambdas", "bedrock_tuning")
_NOT_DATA: Final = (".py", ".pyc", ".typed")
# Imports are statements: no expression has one inside.
_HOLDS_STATEMENTS: Final = (ast.stmt, ast.excepthandler, ast.match_case)


@cache
def source_folder() -> Path:
    """The folder with lambdas/ and bedrock_tuning/: the checkout, or a copy of what a wheel has."""
    if not _IN_WHEEL.is_dir():
        return _PACKAGE.parent
    folder = Path(tempfile.mkdtemp(prefix="bedrock-tuning-functions-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    without = shutil.ignore_patterns("__pycache__", _IN_WHEEL.name)
    shutil.copytree(_IN_WHEEL / "lambdas", folder / "lambdas", ignore=without)
    shutil.copytree(_PACKAGE, folder / _PACKAGE.name, ignore=without)
    return folder


def lock() -> Path:
    """The locked requirements of the functions."""
    home = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent
    return home / "lambdas" / "requirements.txt"


def layers() -> Path:
    """Where layers are built: in the checkout, or for a wheel in the user's cache."""
    if not _IN_WHEEL.is_dir():
        return _PACKAGE.parent / "build" / "layers"
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache_home) / "bedrock-tuning" / "layers"


@cache
def shipped_files(root: Path | None = None) -> tuple[str, ...]:
    """Every file of the asset, relative to the folder of the sources, sorted.

    A package ships the data files beside its modules; one that discovers its modules with pkgutil
    ships all of them.
    """
    root = source_folder() if root is None else root
    handlers = [
        f"lambdas.{path.stem}"
        for path in sorted((root / "lambdas").glob("*.py"))
        if not path.stem.startswith("_")
    ]
    files = set(_closure(root, handlers).values())
    packages = {path.parent for path in files if path.name == "__init__.py"}
    for folder in packages - {root / "lambdas"}:
        files |= set(_data(folder))
    return tuple(sorted(path.relative_to(root).as_posix() for path in files))


def exclusions(files: Iterable[str]) -> list[str]:
    """The asset's patterns in the syntax of .gitignore: everything but these files."""
    patterns = ["/*"]
    opened: set[str] = set()
    for file in files:
        folders = [parent.as_posix() for parent in Path(file).parents if parent.name]
        for folder in reversed(folders):
            if folder not in opened:
                opened.add(folder)
                patterns += [f"!/{folder}", f"/{folder}/*"]
        patterns.append(f"!/{file}")
    return patterns


def _closure(root: Path, names: Iterable[str]) -> dict[str, Path]:
    """Every module of ours that importing these modules can load, with its file."""
    modules: dict[str, Path] = {}
    seen: set[str] = set()
    queue = ["lambdas", *names]
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        path = _file(root, name)
        if path is None:
            continue
        modules[name] = path
        tree = ast.parse(path.read_bytes(), filename=str(path))
        imports = list(_imports(tree))
        if "pkgutil" in imports and path.name == "__init__.py":
            imports += [f"{name}.{file.stem}" for file in path.parent.glob("*.py")]
            imports += [f"{name}.{file.parent.name}" for file in path.parent.glob("*/__init__.py")]
        # Importing a.b.c imports a and a.b first.
        for module in imports:
            parts = module.split(".")
            queue += [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    return modules


def _file(root: Path, name: str) -> Path | None:
    """The file of a module of ours; None for another package's, or a name inside a module."""
    parts = name.split(".")
    if parts[0] not in _PACKAGES:
        return None
    base = root.joinpath(*parts)
    candidates = (base / "__init__.py", base.parent / f"{base.name}.py")
    return next((path for path in candidates if path.is_file()), None)


def _imports(node: ast.AST) -> Iterator[str]:
    """The absolute names that code imports, inside of functions too, but not for type checkers."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for other in node.orelse:
            yield from _imports(other)
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _HOLDS_STATEMENTS):
            yield from _imports(child)


def _data(folder: Path) -> Iterator[Path]:
    """Files that are no modules, also in folders that are no packages."""
    for path in folder.iterdir():
        if path.name.startswith((".", "__pycache__")):
            continue
        if path.is_dir() and not (path / "__init__.py").is_file():
            yield from _data(path)
        elif path.is_file() and path.suffix not in _NOT_DATA:
            yield path
