"""What was reviewed is written down, and an environment that asks for it deploys nothing else."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app import ROOT, read_context
from bedrock_tuning import review
from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.errors import UserError
from bedrock_tuning.review.about import about
from bedrock_tuning.review.assembly import template
from bedrock_tuning.review.attestation import attested, misfits
from tests.review.broken import Synthesized
from tests.review.mutants import roles

ACCOUNT = "111122223333"
DATA = "tuning-dev-data"


def _written(content: dict[str, Any], file: Path) -> Path:
    file.write_text(json.dumps(content), "utf-8")
    return file


@pytest.fixture(scope="module")
def content(assembly: template.Assembly) -> dict[str, Any]:
    """An attestation of the default environment."""
    found: dict[str, Any] = json.loads(
        attested(assembly, about("dev", ACCOUNT), checks=len(review.CHECKS))
    )
    return found


@pytest.fixture(scope="module")
def assembly(dev: Synthesized) -> template.Assembly:
    return template.read(dev.folder)


def _problems(file: Path, found: template.Assembly) -> list[str]:
    return [each.what for each in misfits(file, found, environment="dev", account=ACCOUNT)]


def test_what_was_attested_may_be_deployed(
    content: dict[str, Any], assembly: template.Assembly, tmp_path: Path
) -> None:
    assert _problems(_written(content, tmp_path / "a.json"), assembly) == []


def _first(content: dict[str, Any], key: str) -> str:
    return str(next(iter(content[key])))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: c.update(verdict="not proved"), "its verdict is not proved, this is proved"),
        (lambda c: c.update(environment="test"), "its environment is test, this is dev"),
        (lambda c: c.update(account=""), f"its account is none, this is {ACCOUNT}"),
        (lambda c: c["versions"].update({"bedrock-tuning": "0.0.9"}), "is 0.0.9, this is "),
        (lambda c: c.pop("versions"), "its version of bedrock-tuning is none"),
        (lambda c: c["stacks"].update({DATA: "0" * 64}), f"stack {DATA} is not as it was"),
        (lambda c: c["stacks"].pop(DATA), f"stack {DATA} was not reviewed"),
        (lambda c: c["stacks"].update(more="0" * 64), "stack more was reviewed, and is not"),
        (lambda c: c.pop("stacks"), "it lists no stacks"),
        (lambda c: c["assets"].pop(0), "was not reviewed"),
        (lambda c: c["assets"].append("0" * 64), "asset 000000000000 was reviewed, and is not"),
        (lambda c: c.update(assets={}), "it lists no assets"),
        (lambda c: c.update(form=2), "no attestation that this version knows"),
        (lambda c: c.update({"review.toml": "0" * 64}), "review.toml is not the one"),
    ],
)
def test_an_attestation_that_was_edited_fits_nothing(
    change: Callable[[dict[str, Any]], object],
    problem: str,
    content: dict[str, Any],
    assembly: template.Assembly,
    tmp_path: Path,
) -> None:
    edited = json.loads(json.dumps(content))
    change(edited)
    found = _problems(_written(edited, tmp_path / "a.json"), assembly)
    assert len(found) == 1
    assert problem in found[0]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"form": 1, "stacks": 3}', "\x00"])
def test_what_is_no_attestation_is_refused_and_crashes_nothing(
    text: str, assembly: template.Assembly, tmp_path: Path
) -> None:
    file = tmp_path / "a.json"
    file.write_text(text, "utf-8")
    assert _problems(file, assembly)


def test_a_missing_attestation_says_how_to_get_one(
    assembly: template.Assembly, tmp_path: Path
) -> None:
    (found,) = misfits(tmp_path / "dev.json", assembly, environment="dev", account="")
    assert found.what == "there is no attestation"
    assert "--attest" in found.fix
    assert "dev.json" in found.fix


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        # A byte of a template, and how a stack is deployed: neither is in the other.
        (f"{DATA}.template.json", '"Enabled"', '"Enabled" '),
        ("manifest.json", '"terminationProtection": false', '"terminationProtection": true'),
        ("manifest.json", "unknown-account", "444455556666"),
    ],
)
def test_what_changed_after_the_review_is_named(
    file: str, old: str, new: str, content: dict[str, Any], dev: Synthesized, tmp_path: Path
) -> None:
    folder = dev.copied(tmp_path / "cdk.out")
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), "utf-8")
    found = _problems(_written(content, tmp_path / "a.json"), template.read(folder))
    assert any("is not as it was reviewed" in each for each in found)


def test_nothing_without_a_manifest_is_attested(dev: Synthesized) -> None:
    loose = template.resolve(dev.unchanged)
    with pytest.raises(UserError, match="no manifest"):
        attested(loose, about(), checks=1)


def _review(folder: Path, *options: object) -> Any:
    where = ["--settings", ROOT / "cdk.json", "--customizations", ROOT / "customizations"]
    return CliRunner().invoke(tuning, ["review", *map(str, [folder, *options, *where])])


def test_only_a_review_that_passes_is_attested(dev: Synthesized, tmp_path: Path) -> None:
    folder, file = dev.copied(tmp_path / "cdk.out"), tmp_path / "a.json"
    copy = dev.copy()
    roles.deletes_output.change(copy)
    for name, found in copy.templates.items():
        (folder / f"{name}.template.json").write_text(json.dumps(found), "utf-8")
    done = _review(folder, "--attest", file)
    assert done.exit_code == 1
    assert f"not attested: {file} is written only if every check passes" in done.stderr
    assert not file.exists()


class Project:
    """An environment that asks for an attestation, in folders of its own, and the real CDK CLI."""

    def __init__(self, folder: Path) -> None:
        self.out, self.file, self._folder = folder / "out", folder / "dev.json", folder
        shutil.copytree(ROOT / "customizations", folder / "customizations")
        self._settings = json.loads((ROOT / "cdk.json").read_text("utf-8"))
        self.set(attestation=self.file.name)

    def set(self, **settings: object) -> None:
        self._settings["context"]["tuning"]["environments"]["dev"].update(settings)
        (self._folder / "cdk.json").write_text(json.dumps(self._settings), "utf-8")

    def synth(self, *options: str, wrong: str = "") -> str:
        """What the CLI says against it; "" if it deploys this."""
        app = f"{sys.executable} -m tests.e2e.attested_app {self._folder} {wrong}"
        return self._cdk("--app", app, "--output", str(self.out), *options)

    def later(self, *stacks: str) -> str:
        """The same of the folder that lies there, without its app."""
        return self._cdk(*stacks, "--app", str(self.out))

    def _cdk(self, *words: str) -> str:
        # Before it deploys, it asks what it asks here; nothing of this needs an account.
        asked = ["cdk", "synth", "--quiet", "--no-notices", *words]
        known = {**os.environ, "PYTHONPATH": str(ROOT)}
        # To the CDK, a test holds its app in memory.
        known = {name: value for name, value in known.items() if "PYTEST" not in name}
        done = subprocess.run(
            asked, cwd=self._folder, env=known, capture_output=True, text=True, check=False
        )
        return done.stderr if done.returncode else ""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


PEOPLE = "tuning-dev-people"


def test_the_cdk_refuses_a_folder_until_what_it_deploys_was_attested(project: Project) -> None:
    missing = "there is no attestation; dev is deployed only as it was reviewed and attested"
    # As a review asks for the folder.
    assert not project.synth("--ignore-errors")
    assert missing in project.later(PEOPLE)
    assert _review(project.out, "--attest", project.file).exit_code == 0
    assert not project.synth()
    assert not project.later()


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ("flawed", "tuning-dev-data/Extra"),
        # tests/constructs/test_proof.py has the report, by which the CLI refuses a flawed folder.
        pytest.param(
            "broken", "the proof broke off: TypeError: 'NoneType'", marks=pytest.mark.long
        ),
    ],
)
def test_the_cdk_refuses_every_stack_of_a_folder_that_is_not_proved(
    project: Project, wrong: str, what: str
) -> None:
    project.set(attestation="")
    said = project.synth(wrong=wrong)
    assert what in said
    assert said.count("nothing in this folder is deployed") == (wrong == "flawed")
    later = project.later(PEOPLE)
    assert "nothing in this folder is deployed" in later or what in later


def test_the_shipped_prod_environment_asks_for_an_attestation() -> None:
    assert read_context()["tuning"]["environments"]["prod"]["attestation"]
