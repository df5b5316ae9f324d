"""`tuning review` judges a cdk.out, writes its pages, compares, and answers by its exit code."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import ROOT
from bedrock_tuning.cli.__main__ import tuning
from tests.review.broken import Synthesized
from tests.review.mutants import roles


@pytest.fixture
def cdk_out(dev: Synthesized, tmp_path: Path) -> Path:
    """A copy of the templates of the default environment."""
    folder = tmp_path / "cdk.out"
    folder.mkdir()
    for file in (*dev.folder.glob("*.json"),):
        shutil.copy(file, folder)
    return folder


def _flaw(dev: Synthesized, folder: Path) -> None:
    copy = dev.copy()
    roles.deletes_output.change(copy)
    for name, found in copy.templates.items():
        (folder / f"{name}.template.json").write_text(json.dumps(found), "utf-8")


def _run(*args: object, cwd: Path = ROOT) -> tuple[int, str, str]:
    options = ["--settings", cwd / "cdk.json", "--customizations", ROOT / "customizations"]
    result = CliRunner().invoke(tuning, ["review", *map(str, [*args, *options])])
    return result.exit_code, result.stdout, result.stderr


def test_a_good_app_is_proved(cdk_out: Path) -> None:
    code, out, err = _run(cdk_out)
    assert code == 0
    assert "pets-search/BedrockRole  bedrock" in out
    assert err.startswith("proved: ")


def test_a_flaw_is_shown_with_its_fix_and_exit_code_1(cdk_out: Path, dev: Synthesized) -> None:
    _flaw(dev, cdk_out)
    code, out, err = _run(cdk_out)
    assert code == 1
    assert "P304 tuning-dev-pets-search/BedrockRole\n" in out
    assert "s3:DeleteObject is not in the contract" in out
    assert "  fix:   Write the statement" in out
    assert "violations" in err


def test_pages_are_written_and_json_is_complete(cdk_out: Path, tmp_path: Path) -> None:
    html, md = tmp_path / "review.html", tmp_path / "review.md"
    code, out, _ = _run(cdk_out, "--html", html, "--md", md, "--json")
    assert code == 0
    assert html.read_text("utf-8").startswith("<!doctype html>")
    assert md.read_text("utf-8").startswith("## ✅")
    found = json.loads(out)
    assert found["proved"] is True
    assert found["changes"] is None
    assert {"trusts", "accesses", "guards", "stores", "costs"} <= set(found)


def test_what_changed_against_another_synthesis(
    cdk_out: Path, dev: Synthesized, tmp_path: Path
) -> None:
    other = tmp_path / "before"
    shutil.copytree(cdk_out, other)
    _flaw(dev, cdk_out)
    code, out, _ = _run(cdk_out, "--against", other, "--json")
    assert code == 1
    (change,) = json.loads(out)["changes"]
    assert change["kind"] == "loosened"
    assert "s3:DeleteObject" in change["what"]


def test_a_folder_without_templates_says_what_to_do(tmp_path: Path) -> None:
    code, _, err = _run(tmp_path)
    assert code == 2
    assert "run `cdk synth` first" in err


def test_templates_of_another_app_are_described_not_judged(cdk_out: Path, tmp_path: Path) -> None:
    code, out, err = _run(cdk_out, cwd=tmp_path)
    assert code == 0
    assert "pets-search/BedrockRole" in out
    assert "not checked" in err
