"""The recipes of CONTRIBUTING.md, each followed in a copy of the tree, and its files counted.

What `make docs` writes is not counted: nobody edits it.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bedrock_tuning.cli.pages import PAGES

ROOT = Path(__file__).resolve().parents[1]
GENERATED = {path for path, _ in PAGES}


class Tree:
    """A copy of the repository's files in which somebody works."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file() and "__snapshots__" not in name:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, root / name)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, "utf-8")

    def append(self, name: str, text: str) -> None:
        self.write(name, (self.root / name).read_text("utf-8") + text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text("utf-8")
        assert text.count(old) == 1, f"{name} holds {old!r} {text.count(old)} times"
        self.write(name, text.replace(old, new))

    def python(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.root, capture_output=True, text=True, check=False
        )

    def tuning(self, *arguments: str) -> str:
        done = self.python("-m", "bedrock_tuning.cli", *arguments)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    def tests(self, *arguments: str) -> bool:
        """Whether tests pass; their output is shown when this test fails."""
        done = self.python("-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
        print(done.stdout[-3000:], done.stderr[-2000:])  # noqa: T201
        return done.returncode == 0

    def changed(self) -> Iterator[str]:
        """The files that were edited or added by hand."""
        for file in sorted(self.root.rglob("*")):
            name = str(file.relative_to(self.root))
            made = ".hypothesis" in name or "__pycache__" in name or name in GENERATED
            if made or not file.is_file():
                continue
            mine = ROOT / name
            if not mine.is_file() or mine.read_bytes() != file.read_bytes():
                yield name


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "copy")


def test_a_command_is_one_file_and_its_test(tree: Tree) -> None:
    tree.write(
        "bedrock_tuning/cli/commands/project/status.py",
        '''"""`tuning status`: says that all is well."""

from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit, emit_json, json_option


@command(order=9, examples=["tuning status"])
@json_option
def status(*, as_json: bool) -> None:
    """Say that all is well."""
    if as_json:
        emit_json({"status": "well"})
    else:
        emit("all is well")
''',
    )
    assert tree.tuning("status") == "all is well\n"
    assert "status     Say that all is well." in tree.tuning("--help")
    every = "tests/cli/test_every_command.py"
    # A word that many tests contain is no test of the command.
    assert not tree.tests(every, "-k", "status")

    tree.write(
        "tests/cli/test_status.py",
        """from tests.cli.conftest import Run


def test_it_says_that_all_is_well(run: Run) -> None:
    assert run("status").stdout == "all is well\\n"
""",
    )
    tree.tuning("docs")
    assert tree.tests(every, "tests/cli/test_status.py", "-k", "status")
    assert "### tuning status" in (tree.root / "docs/cli.md").read_text("utf-8")
    assert list(tree.changed()) == [
        "bedrock_tuning/cli/commands/project/status.py",
        "tests/cli/test_status.py",
    ]


def test_a_command_without_json_or_a_reason_is_refused(tree: Tree) -> None:
    tree.write(
        "bedrock_tuning/cli/commands/project/status.py",
        '''from bedrock_tuning.cli.terminal.command import command


@command(order=9, examples=["tuning status"])
def status() -> None:
    """Say that all is well."""
''',
    )
    assert not tree.tests("tests/cli/test_every_command.py", "-k", "json and status")


def test_a_base_model_is_one_file(tree: Tree) -> None:
    folder = "bedrock_tuning/catalogue"
    like = (ROOT / folder / "nova-micro.toml").read_text("utf-8")
    named = like.replace("Amazon Nova Micro", "Amazon Nova Nano")
    tree.write(f"{folder}/nova-nano.toml", named.replace("nova-micro-", "nova-nano-"))
    assert "nova-nano" in tree.tuning("models")
    tree.tuning("docs")
    assert tree.tests("tests/catalogue")
    assert "Amazon Nova Nano" in (tree.root / "docs/models.md").read_text("utf-8")
    assert list(tree.changed()) == [f"{folder}/nova-nano.toml"]


def test_a_setting_is_one_file_and_its_test(tree: Tree) -> None:
    tree.edit(
        "bedrock_tuning/config/settings_fields.py",
        "    model_key: bool = described(",
        "    widget_days: int = described(\n"
        '        Number(least=1, most=9, why_most="a widget lives nine days"),\n'
        '        "How long a widget is kept.",\n'
        "        default=3,\n"
        "    )\n"
        "    model_key: bool = described(",
    )
    assert not tree.tests("tests/config/test_every_field.py", "-n", "0"), "it has no test yet"
    tree.edit(
        "tests/config/test_every_field.py",
        '    "model_key": (1,',
        '    "widget_days": (10, "above the maximum 9 (a widget lives nine days)", "use 1 to 9"),\n'
        '    "model_key": (1,',
    )
    assert tree.tests("tests/config/test_every_field.py", "-n", "0")
    tree.tuning("docs")
    row = "| `widget_days` | whole number | `3` | 1 to 9 (a widget lives nine days) |"
    assert row in (tree.root / "docs/settings.md").read_text("utf-8")
    assert "widget_days" in (tree.root / "docs/settings.schema.json").read_text("utf-8")
    assert list(tree.changed()) == [
        "bedrock_tuning/config/settings_fields.py",
        "tests/config/test_every_field.py",
    ]


def test_a_rule_is_one_file_and_fires_in_the_fast_path_too(tree: Tree) -> None:
    tree.append(
        "bedrock_tuning/rules/caption.py",
        '''

@rule(
    "R299",
    bad=_pair("2024"),
    severity=Severity.WARNING,
    fix="Describe the image in words.",
)
def caption_only_digits(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A caption has digits only."""
    caption = record.text("caption")
    if caption is not None and caption.isdigit():
        yield Fault("the caption has digits only", "caption", caption, "words")
''',
    )
    assert "A caption has digits only." in tree.tuning("rules", "R299")
    lines = (
        json.dumps({"image-ref": f"s3://b/pets/{n}.png", "caption": f"{n}"}) for n in range(1_200)
    )
    tree.write("build.jsonl", "\n".join(lines))
    model = "titan-multimodal-embeddings-g1"
    checked = tree.tuning("validate", "build.jsonl", "-m", model, "--no-images", "--json")
    assert json.loads(checked)["counts"]["caption-only-digits"] == 1_200
    (tree.root / "build.jsonl").unlink()
    assert tree.tests("tests/rules/test_rules.py", "-k", "R299 or digits or every")
    assert tree.tests("tests/rules/test_words.py", "-k", "accepted")
    assert list(tree.changed()) == ["bedrock_tuning/rules/caption.py"]


def test_a_function_with_a_permission_is_three_files_and_its_test(tree: Tree) -> None:
    tree.write(
        "lambdas/count_pins.py",
        '''"""Counts the images that a run has pinned."""

import json
import os
from typing import Any

from bedrock_tuning import s3_layout
from bedrock_tuning.config.lambda_environment import RunEnvironment
from lambdas import _aws


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"run", "settings"}. Returns {"images": number}."""
    env = RunEnvironment.from_env(os.environ)
    key = f"{s3_layout.report_prefix(event['settings']['name'], event['run'])}pins.json"
    body = _aws.s3().get_object(Bucket=env.output_bucket, Key=key)["Body"].read()
    return {"images": sum(len(pins) for pins in json.loads(body).values())}
''',
    )
    functions = "bedrock_tuning/contracts/functions.py"
    tree.edit(
        functions,
        "FUNCTIONS: Final = (\n",
        """COUNT_PINS: Final = FunctionSpec(
    name="CountPins",
    module="count_pins",
    does="counts the images that were checked",
    variables=RunEnvironment,
    grants=lambda _: (
        g.objects(
            "count what was checked",
            "s3:GetObject",
            buckets=g.OUTPUT,
            patterns=[f"{s3_layout.report_prefix(g.ANY, g.ANY)}pins.json"],
        ),
        g.use_data_key(*g.READ_KEY),
    ),
    payload=_RUN,
    answer=FunctionAnswer(path="$.pins"),
)


FUNCTIONS: Final = (
    COUNT_PINS,
""",
    )
    workflow = "bedrock_tuning/contracts/states/workflow.py"
    tree.edit(workflow, "    CHECK_MANIFEST,\n", "    CHECK_MANIFEST,\n    COUNT_PINS,\n")
    tree.edit(
        workflow,
        '"BooleanEquals": True, "Next": "Prepare job"}',
        '"BooleanEquals": True, "Next": "Count pins"}',
    )
    tree.edit(
        workflow,
        '        "Prepare job": call(',
        '        "Count pins": call(COUNT_PINS, then="Prepare job"),\n        "Prepare job": call(',
    )
    # What the functions import is built once, from the lock, which is the same here.
    (tree.root / "build").symlink_to(ROOT / "build")
    synthesized = tree.python("app.py")
    assert synthesized.returncode == 0, synthesized.stderr
    tree.tuning("docs")
    assert "count what was checked" in (tree.root / "docs/permissions.md").read_text("utf-8")
    (tree.root / "build").unlink()
    assert tree.tests("tests/contracts/test_functions.py", "tests/lambdas/test_workflow.py")
    assert list(tree.changed()) == [functions, workflow, "lambdas/count_pins.py"]
