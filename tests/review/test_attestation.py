"""What was reviewed is written down, and an environment that asks for it deploys nothing else."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app import ROOT, build_app, read_context, synthesize
from bedrock_tuning import review
from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.errors import TuningError, UserError
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
    folder = tmp_path / "cdk.out"
    shutil.copytree(dev.folder, folder, copy_function=os.link)
    text = (folder / file).read_text("utf-8")
    (folder / file).unlink()
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
    folder, file = tmp_path / "cdk.out", tmp_path / "a.json"
    shutil.copytree(dev.folder, folder)
    copy = dev.copy()
    roles.deletes_output.change(copy)
    for name, found in copy.templates.items():
        (folder / f"{name}.template.json").write_text(json.dumps(found), "utf-8")
    done = _review(folder, "--attest", file)
    assert done.exit_code == 1
    assert f"not attested: {file} is written only if every check passes" in done.stderr
    assert not file.exists()


def test_a_deployment_is_refused_until_what_it_deploys_was_attested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    files, out, file = tmp_path / "customizations", tmp_path / "out", tmp_path / "dev.json"
    shutil.copytree(ROOT / "customizations", files)
    context: dict[str, Any] = {**read_context(), "aws:cdk:enable-path-metadata": True}
    context = json.loads(json.dumps(context))
    context["tuning"]["environments"]["dev"]["attestation"] = file.name

    def synth() -> None:
        synthesize(build_app(context, outdir=str(out), customizations=files))

    # Without credentials nothing can be deployed: this is how a review is prepared.
    synth()
    assert _review(out, "--attest", file).exit_code == 0
    # The CDK CLI tells the app so when it has some.
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", ACCOUNT)
    synth()
    context["tuning"]["environments"]["dev"]["noncurrent_days"] = 31
    with pytest.raises(TuningError) as refused:
        synth()
    said = capfd.readouterr().err + str(refused.value)
    assert "stack tuning-dev-data is not as it was reviewed; dev is deployed only as it" in said
    assert "tuning-dev-pipeline is not" not in said


def test_the_shipped_prod_environment_asks_for_an_attestation() -> None:
    assert read_context()["tuning"]["environments"]["prod"]["attestation"]
