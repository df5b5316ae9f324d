"""Ctrl-C ends a command with the shell's exit code, and says what continues without it."""

from pathlib import Path

import click
import pytest

from bedrock_tuning.cli.terminal import output
from bedrock_tuning.client import executions
from tests.cli.conftest import Run
from tests.cli.datasets import dataset
from tests.cli.support import RUN, WAITING, StubbedAws, index
from tests.cli.test_one_run import SERVED, described, history
from tests.cli.test_upload import FakeS3


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_whoever_stops_following_learns_that_the_run_goes_on(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions.time, "sleep", interrupt)
    aws.deployed("prod")
    aws.has_run(**{**SERVED, "status": "training"})
    described(aws, "RUNNING")
    described(aws, "RUNNING")
    history(aws, "Admit")
    result = run("run", RUN, "--follow", "-e", "prod")
    assert result.exit_code == 130
    assert f"run {RUN} continues in AWS" in result.stderr
    assert f"tuning run {RUN} -f -e prod" in result.stderr


def test_an_upload_that_is_stopped_among_its_images_has_started_no_run(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = FakeS3()
    aws.__dict__["s3"] = fake
    aws.__dict__["dynamodb"] = fake.runs
    aws.deployed()
    dataset(tmp_path, count=1)
    monkeypatch.setattr(fake, "put_object", interrupt)
    result = run("upload", "--no-check", tmp_path, "-c", "pets")
    assert result.exit_code == 130
    assert "no run was started" in result.stderr
    assert "to continue: tuning upload" in result.stderr


@pytest.mark.parametrize(("answer", "code"), [(False, 1), (None, 130)])
def test_whoever_does_not_agree_learns_that_the_run_goes_on_waiting(
    run: Run,
    aws: StubbedAws,
    monkeypatch: pytest.MonkeyPatch,
    answer: bool | None,
    code: int,
) -> None:
    def asked(*_: object, **__: object) -> bool:
        if answer is None:
            raise click.Abort
        return answer

    monkeypatch.setattr(output, "on_terminal", lambda: True)
    monkeypatch.setattr(click, "confirm", asked)
    aws.deployed()
    aws.has_units()
    aws.has_run(**WAITING)
    result = run("approve", RUN)
    assert result.exit_code == code
    assert "nothing was done; the run is still waiting" in result.stderr
    assert f"tuning approve {RUN} --decline" in result.stderr
    assert "Aborted" not in result.output


def test_ctrl_c_anywhere_else_is_said_in_words(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.deployed()
    index(aws, WAITING)
    monkeypatch.setattr("bedrock_tuning.client.runs.visible", interrupt)
    result = run("runs", "--json")
    assert result.exit_code == 130
    assert "stopped by Ctrl-C" in result.stderr
