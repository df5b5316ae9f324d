"""Environments of an organisation: long names, no customizations, accounts of their own."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app import ROOT, build_app, read_context
from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.config.names import ENVIRONMENT_LENGTH_MAX
from bedrock_tuning.errors import ConfigurationError

SEARCH = (ROOT / "customizations" / "pets-search.toml").read_text("utf-8")


def _context(name: str, **settings: Any) -> dict[str, Any]:
    environment = {"region": "us-east-1", **settings}
    tuning = {"environment": name, "environments": {name: environment}}
    return {**read_context(), "tuning": tuning, "aws:cdk:enable-path-metadata": True}


@pytest.fixture
def customizations(tmp_path: Path) -> Path:
    """A folder with one file."""
    folder = tmp_path / "customizations"
    folder.mkdir()
    (folder / "pets.toml").write_text(SEARCH, "utf-8")
    return folder


def test_an_environment_with_the_longest_name_is_proved_and_reviewed(
    tmp_path: Path, customizations: Path
) -> None:
    out, name = tmp_path / "cdk.out", "team-a-production-us"
    assert len(name) == ENVIRONMENT_LENGTH_MAX
    build_app(_context(name), outdir=str(out), customizations=customizations).synth()
    (tmp_path / "cdk.json").write_text(
        '{"context": {"tuning": {"environments": {"%s": {"region": "us-east-1"}}}}}' % name,  # noqa: UP031
        "utf-8",
    )
    options = ["--settings", tmp_path / "cdk.json", "--customizations", customizations]
    done = CliRunner().invoke(tuning, ["review", *map(str, [out, *options])])
    assert done.exit_code == 0
    assert done.stderr.endswith(f" of {name}\n")


def test_an_environment_may_have_no_customization_at_all(
    tmp_path: Path, customizations: Path
) -> None:
    """The proof runs inside: exports that nobody imports would fail it."""
    (customizations / "pets.toml").write_text(f"retired = 2026-12-01\n{SEARCH}", "utf-8")
    app = build_app(
        _context("dev"), outdir=str(tmp_path / "cdk.out"), customizations=customizations
    )
    assembly = app.synth()
    assert [stack.stack_name.removeprefix("tuning-dev-") for stack in assembly.stacks] == [
        "data",
        "pipeline",
        "people",
        "serving",
    ]
    said = [str(each.entry.data) for stack in assembly.stacks for each in stack.messages]
    (warning,) = [each for each in said if "retired" in each]
    assert "customizations/pets.toml: retired" in warning
    assert "`tuning retire pets -e dev`" in warning


def test_credentials_of_another_account_are_refused_before_anything_is_synthesized(
    tmp_path: Path, customizations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = _context("prod", account="111122223333")

    def build() -> object:
        return build_app(context, outdir=str(tmp_path / "o"), customizations=customizations)

    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "444455556666")
    with pytest.raises(ConfigurationError) as caught:
        build()
    (problem,) = caught.value.problems
    assert "prod belongs to the account 111122223333" in problem
    assert "these credentials are of 444455556666" in problem
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "111122223333")
    build()
    # Without credentials, as in a pull request, nothing is deployed either.
    monkeypatch.delenv("CDK_DEFAULT_ACCOUNT")
    build()
