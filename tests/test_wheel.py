"""What is in the wheel, and what it needs."""

import ast
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bedrock_tuning.constructs import asset
from bedrock_tuning.files import tree_hash
from tests.support.wheel import ROOT, build


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as file:
        (name,) = (each for each in file.namelist() if each.endswith(".dist-info/METADATA"))
        return message_from_bytes(file.read(name))


def test_the_wheel_holds_one_package_and_says_that_it_is_typed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bedrock_tuning"}
    assert "bedrock_tuning/py.typed" in names


def test_every_dependency_is_bounded_and_what_is_tested_is_within(metadata: Message) -> None:
    lock = (ROOT / "requirements-dev.txt").read_text("utf-8")
    lines = [line.split(" ")[0] for line in lock.splitlines() if "==" in line]
    locked = dict(line.split("==") for line in lines)
    needed = [Requirement(each) for each in metadata.get_all("Requires-Dist", [])]
    assert {each.name for each in needed} > {"boto3", "click", "msgspec"}
    for each in needed:
        if each.name == "bedrock-tuning":
            continue
        operators = {bound.operator for bound in each.specifier}
        assert operators == {">=", "<"}, str(each)
        version = locked[str(canonicalize_name(each.name))]
        assert each.specifier.contains(version), f"{each}: {version} is locked"


HASH = """
from bedrock_tuning.constructs import asset
from bedrock_tuning.files import tree_hash
print(asset.lock().is_file(), asset.layers())
print(tree_hash(asset.source_folder(), asset.shipped_files()))
"""


def test_the_functions_of_a_wheel_are_those_of_the_checkout_wherever_it_is_installed(
    wheel: Path, tmp_path: Path
) -> None:
    """What CDK apps deploy: the same hash changes no function."""
    here = tree_hash(asset.source_folder(), asset.shipped_files())
    for name in ("one", "quite another"):
        with zipfile.ZipFile(wheel) as file:
            file.extractall(tmp_path / name)
        done = subprocess.run(
            [sys.executable, "-c", HASH], cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / name), "XDG_CACHE_HOME": "/cache"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        layers, found = done.stdout.splitlines()
        assert (layers, found) == ("True /cache/bedrock-tuning/layers", here)


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)


def test_everything_that_is_imported_is_a_dependency(metadata: Message) -> None:
    declared = {
        str(canonicalize_name(Requirement(each).name))
        for each in metadata.get_all("Requires-Dist", [])
    }
    # Each belongs to one that is declared, whose version decides its own.
    implied = {"botocore", "jsii", "markupsafe"}
    owners = packages_distributions()
    imported = {
        str(canonicalize_name(owners[name][0]))
        for file in (ROOT / "bedrock_tuning").rglob("*.py")
        for name in _imports(file)
        # Stubs are for type checkers only.
        if name in owners and not name.startswith("mypy_boto3")
    }
    assert imported - implied - declared - {"bedrock-tuning"} == set()
