"""`tuning review` judges a cdk.out, writes its pages, compares, and answers by its exit code."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import ROOT
from bedrock_tuning.cli.__main__ import tuning
from tests.review.broken import Synthesized
from tests.review.mutants import roles


@pytest.fixture
def cdk_out(dev: Synthesized, tmp_path: Path) -> Path:
    """A copy of the assembly of the default environment."""
    return dev.copied(tmp_path / "cdk.out")


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
    assert md.read_text("utf-8").startswith("<!-- bedrock-tuning review -->\n## ✅")
    found = json.loads(out)
    assert found["proved"] is True
    assert found["changes"] is None
    assert {"trusts", "accesses", "guards", "stores", "costs"} <= set(found)


def test_what_changed_against_another_synthesis(
    cdk_out: Path, dev: Synthesized, tmp_path: Path
) -> None:
    other = dev.copied(tmp_path / "before")
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


def test_stacks_that_no_contract_names_are_shown_and_a_failure(
    cdk_out: Path, tmp_path: Path
) -> None:
    code, out, err = _run(cdk_out, cwd=tmp_path)
    assert code == 1
    assert "pets-search/BedrockRole" in out
    assert "not checked: no contract of" in err
    assert "tuning-dev-data" in err
    code, out, err = _run(cdk_out, "--outside", "*", cwd=tmp_path)
    assert (code, err) == (0, "not checked: every stack is outside\n")


def test_another_apps_stack_is_a_failure_unless_it_is_said_to_be_outside(cdk_out: Path) -> None:
    (cdk_out / "web-page.template.json").write_text('{"Resources": {}}', "utf-8")
    manifest = json.loads((cdk_out / "manifest.json").read_text("utf-8"))
    artifact = {**manifest["artifacts"]["tuning-dev-data"]}
    artifact["properties"] = {**artifact["properties"], "templateFile": "web-page.template.json"}
    manifest["artifacts"]["web-page"] = artifact
    (cdk_out / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    code, _, err = _run(cdk_out)
    assert code == 1
    assert "names web-page; if they are another app's, say so: --outside PATTERN" in err
    code, _, err = _run(cdk_out, "--outside", "web-*")
    assert code == 0
    assert "proved" in err


def test_what_may_be_spent_is_shown_in_all_forms(cdk_out: Path, tmp_path: Path) -> None:
    html, md = tmp_path / "review.html", tmp_path / "review.md"
    _, out, _ = _run(cdk_out)
    assert "a run above 300.00 USD, or without a known price, waits for approval" in out
    assert "unknown for pets-search" in out
    _, out, _ = _run(cdk_out, "--html", html, "--md", md, "--json")
    money = json.loads(out)["money"]
    assert money["customizations"]["pets-style"]["max_run_usd"] == 300.0
    assert money["customizations"]["pets-search"]["hourly_usd"] is None
    assert money["totals"]["an hour, if all are served"]["unknown"] == ["pets-search"]
    for page in (html, md):
        assert (
            "a run above 300.00 USD, or without a known price, waits for approval"
            in page.read_text("utf-8")
        )


def test_a_spending_gate_that_opens_is_in_all_forms_above_permissions(
    cdk_out: Path, dev: Synthesized, tmp_path: Path
) -> None:
    html, md = tmp_path / "review.html", tmp_path / "review.md"
    other = dev.copied(tmp_path / "before")
    file = other / "tuning-dev-pets-style.template.json"
    file.write_text(file.read_text("utf-8").replace('"300.00"', '"3.00"'), "utf-8")
    # The flaw above is in the other folder: this one is good, and shows what it loosens.
    code, out, _ = _run(cdk_out, "--against", other)
    assert code == 0
    assert "🔴 loosened  pets-style" in out
    assert "max_run_usd: 3.00 → 300.00" in out
    _run(cdk_out, "--against", other, "--html", html, "--md", md)
    text = md.read_text("utf-8")
    assert "🔴 **spending gates loosened: 1**" in text
    assert text.index("### Money") < text.index("### What changed")
    assert "max_run_usd: 3.00 → 300.00" in html.read_text("utf-8")


def test_review_toml_lies_beside_cdk_json_and_an_entry_that_nothing_needs_fails(
    cdk_out: Path, tmp_path: Path
) -> None:
    shutil.copy(ROOT / "cdk.json", tmp_path)
    entry = '[[resource]]\nat = "pipeline/X"\ntype = "Y"\nreason = "X is slow"\nexpires = {}\n'
    soon = datetime.now(UTC).date() + timedelta(days=9)
    (tmp_path / "review.toml").write_text(entry.format(soon).replace("slow", "too slow"), "utf-8")
    code, out, _ = _run(cdk_out, cwd=tmp_path)
    assert code == 1
    assert "A117 review.toml: [[resource]] 1\n  is:    nothing in these stacks needs it" in out
    (tmp_path / "review.toml").write_text("[[resource]]\n", "utf-8")
    code, _, err = _run(cdk_out, cwd=tmp_path)
    assert code == 2
    assert "review.toml: [[resource]] 1: at is missing" in err


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('{"context": {"tuning": {},}}', "cdk.json:1: is not JSON: "),
        (
            '{"context": {"tuning": {"environments": {},\n"environments": {}}}}',
            'cdk.json:2: "environments" is already set on line 1: remove one of the two',
        ),
        ('{"context": {}}', 'no settings under "context", "tuning"'),
        ('{"context": {"tuning": []}}', '"tuning" under "context" must be an object, not []'),
    ],
)
def test_settings_that_the_app_would_not_read_are_not_reviewed(
    cdk_out: Path, tmp_path: Path, settings: str, said: str
) -> None:
    (tmp_path / "cdk.json").write_text(settings, "utf-8")
    code, out, err = _run(cdk_out, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert said in err
