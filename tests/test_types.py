"""Types are checked of every module of aws_cdk that we import."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MYPY = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mypy"]


def test_mypy_reads_what_we_import_of_aws_cdk() -> None:
    (read,) = (each for each in MYPY["overrides"] if each.get("follow_imports") == "normal")
    imported = {name for file in _checked() for name in _imported(file)}
    assert {name for name in read["module"] if not name.endswith("*")} == imported


def _checked() -> Iterator[Path]:
    for name in MYPY["files"]:
        yield from [ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py")


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith("aws_cdk"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aws_cdk"):
            yield str(node.module)
            modules = (each.name for each in node.names if each.name.startswith("aws_"))
            yield from (f"{node.module}.{name}" for name in modules)
