"""The synthesized templates, committed: one YAML per stack, environment and set of options.

`make snapshots` accepts them as they are; the diff is what a reviewer reads.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.stacks.readable import dump, readable
from tools.scan.cases import ENVIRONMENTS, OPTIONS

Templates = Callable[..., dict[str, Any]]
LINES_MAX = 2_550
CUSTOMIZATION_LINES_MAX = 270
NAMES = {"pets-search", "pets-style"}
# What an option changes beside what it adds; everything else stays byte for byte.
CHANGED = {
    "vpc": {"network", "pipeline", "serving"} | NAMES,
    "subnets": {"pipeline", "serving"} | NAMES,
    "model-key": {"data", "pipeline"} | NAMES,
    "traced": {"pipeline", "serving"},
    "chat": {"pipeline"},
    "closed": {"data", "pipeline", "serving"} | NAMES,
}
# One customization's stack is like another's.
STACKS = ("data", "pets-search", "pipeline", "serving")
COMMITTED = [
    *((stack, each, "") for each in ENVIRONMENTS for stack in STACKS),
    *(
        (stack, "dev", options)
        for options, stacks in CHANGED.items()
        for stack in sorted(stacks - {"pets-style"})
    ),
]


class YamlTemplate(SingleFileSnapshotExtension):
    """One file per template."""

    _write_mode = WriteMode.TEXT
    file_extension = "yaml"

    def serialize(self, data: Any, **_: Any) -> str:
        return dump(data)


@pytest.fixture(scope="module")
def templates(synth: Any) -> Templates:
    """templates(environment, options="") are its templates by stack, as they are committed."""

    @cache
    def found(environment: str, options: str = "") -> dict[str, Any]:
        return {
            stack.stack_name.removeprefix(f"tuning-{environment}-"): readable(
                stack.template, environment=environment
            )
            for stack in synth(environment, options).stacks
        }

    return found


@pytest.mark.parametrize(
    ("stack", "environment", "options"),
    COMMITTED,
    ids=["-".join(filter(None, names)) for names in COMMITTED],
)
def test_the_template_is_the_committed_one(
    templates: Templates, stack: str, environment: str, options: str, snapshot: SnapshotAssertion
) -> None:
    template = templates(environment, options)[stack]
    assert template == snapshot(extension_class=YamlTemplate)


@pytest.mark.parametrize("options", CHANGED)
def test_an_option_changes_what_it_is_for_and_nothing_else(
    templates: Templates, options: str
) -> None:
    without, with_it = templates("dev"), templates("dev", options)
    changed = {name for name in with_it if without.get(name) != with_it[name]}
    assert changed == CHANGED[options]
    assert set(without) <= set(with_it)


@pytest.mark.parametrize(
    ("environment", "options"), [*((e, "") for e in ENVIRONMENTS), *(("dev", o) for o in OPTIONS)]
)
def test_every_template_is_short_enough_to_be_read(
    templates: Templates, environment: str, options: str
) -> None:
    for name, template in templates(environment, options).items():
        lines = dump(template).splitlines()
        # With every option at once there is more to say; that one is not committed.
        short = name in NAMES and options != "all"
        assert len(lines) <= (CUSTOMIZATION_LINES_MAX if short else LINES_MAX), name
        assert max(map(len, lines)) < 220, name


@pytest.mark.parametrize("options", ["", "all"])
def test_one_changed_character_in_a_policy_is_a_diff_of_one_line(
    templates: Templates, options: str
) -> None:
    tried = 0
    for name, template in templates("dev", options).items():
        for statement in _statements(template):
            before = dump([statement]).splitlines()
            for path, text in _texts(statement):
                after = dump([_with(statement, path, _other(text))]).splitlines()
                changed = sum(a != b for a, b in zip(before, after, strict=True))
                assert changed == 1, (name, path, text)
                tried += 1
    assert tried > 600


def _statements(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if {"Allow", "Deny"} & set(node):
            yield node
            return
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _statements(item)


def _texts(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, dict | list):
        for key, item in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _texts(item, (*path, key))


def _with(node: Any, path: tuple[Any, ...], text: str) -> Any:
    if not path:
        return text
    copy = node.copy()
    copy[path[0]] = _with(node[path[0]], path[1:], text)
    return copy


def _other(text: str) -> str:
    return f"{text[:-1]}{'y' if text[-1] == 'x' else 'x'}"


def test_without_credentials_home_and_folder_the_templates_are_the_same_wherever_the_app_lies(
    synth: Any, tmp_path: Path, repository: Path, bare: dict[str, str]
) -> None:
    elsewhere = tmp_path / "another place"
    for name in ("lambdas", "bedrock_tuning", "customizations"):
        shutil.copytree(repository / name, elsewhere / name, ignore=_bytecode)
    for name in ("app.py", "cdk.json"):
        shutil.copy(repository / name, elsewhere / name)
    (elsewhere / "build").mkdir()
    # Hard links: the same bytes at another place.
    shutil.copytree(
        repository / "build" / "layers", elsewhere / "build" / "layers", copy_function=os.link
    )
    for path in elsewhere.rglob("*.py"):
        os.utime(path, (1, 1))
    (elsewhere / "bedrock_tuning/__pycache__").mkdir()
    (elsewhere / "bedrock_tuning/__pycache__/layout.cpython-399.pyc").write_bytes(b"bytecode")
    (elsewhere / "bedrock_tuning" / "of_no_function.py").write_text("not shipped\n")
    (elsewhere / "tests").mkdir()
    (elsewhere / "tests" / "test_new.py").write_text("assert True\n")
    # Not in its own folder, where cdk.json lies.
    command = [sys.executable, str(elsewhere / "app.py")]
    done = subprocess.run(
        command, cwd=tmp_path, env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    here = Path(synth("dev").directory)
    names = {path.name for path in here.glob("*.template.json")}
    assert names
    for name in names:
        assert (tmp_path / "cdk.out" / name).read_text("utf-8") == (here / name).read_text("utf-8")


def _bytecode(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__"]
