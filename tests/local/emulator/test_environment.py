"""A shell that points at the local AWS points the `tuning` command at its deployment too."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bedrock_tuning.cli.__main__ import tuning
from local.emulator.layout import Layout, client_environment
from tests.cli.support import StubbedAws, index


def test_tuning_finds_the_local_deployment_without_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = client_environment(
        layout=Layout(tmp_path), port=4566, access_key="key", secret_key="secret"
    )
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    aws = StubbedAws()
    aws.deployed("local")
    index(aws)
    result = CliRunner().invoke(tuning, ["runs"], obj=aws)
    assert result.exit_code == 0, result.output
    assert "no run yet in local" in result.stderr
    aws.end()
