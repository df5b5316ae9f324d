"""The program itself: it starts fast, and nothing that goes wrong ends in a traceback."""

import subprocess
import sys

import pytest

from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.errors import CatalogueError, SourceError
from tests.cli.conftest import Run
from tests.cli.support import StubbedAws

HEAVY = ("boto3", "botocore", "obstore", "PIL", "rich", "msgspec")


def test_help_of_every_command_loads_no_heavy_library() -> None:
    code = (
        "import sys, click; from bedrock_tuning.cli.__main__ import tuning\n"
        "c = click.Context(tuning)\n"
        "[tuning.get_command(c, name).get_help(c) for name in tuning.list_commands(c)]\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_module_and_the_program_are_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bedrock_tuning.cli", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("tuning ")


def test_a_command_that_does_not_exist_exits_with_2(run: Run) -> None:
    assert run("valdate").exit_code == 2


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SourceError("cannot read x"), "cannot read x"),
        (CatalogueError("nova.toml is wrong"), "nova.toml is wrong"),
        (PermissionError(13, "Permission denied", "/secret"), "/secret"),
        (KeyError("oops"), "a bug in this tool"),
        (RecursionError(), "a bug in this tool"),
    ],
)
def test_every_exception_becomes_a_message_and_exit_code_2(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(*_: object, **__: object) -> DeploymentClient:
        raise error

    monkeypatch.setattr("bedrock_tuning.client.deployment.find", fail)
    result = run("runs")
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_ctrl_c_exits_as_a_shell_expects(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> DeploymentClient:
        raise KeyboardInterrupt

    monkeypatch.setattr("bedrock_tuning.client.deployment.find", fail)
    assert run("runs").exit_code == 130


def test_without_credentials_the_message_says_how_to_log_in(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import NoCredentialsError

    def fail(*_: object, **__: object) -> DeploymentClient:
        raise NoCredentialsError

    monkeypatch.setattr("bedrock_tuning.client.deployment.find", fail)
    assert "AWS_PROFILE" in run("runs").stderr
