"""Ctrl-C ends a command with the shell's exit code, and says what continues without it."""

import builtins
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from bedrock_tuning import cli
from bedrock_tuning.cli.terminal import output
from bedrock_tuning.client import executions
from tests.cli.conftest import Run
from tests.cli.datasets import dataset, picture
from tests.cli.support import RUN, WAITING, StubbedAws, index
from tests.cli.test_one_run import CHECKING
from tests.cli.test_upload import FakeS3


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_whoever_stops_following_learns_that_the_run_goes_on(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions.time, "sleep", interrupt)
    aws.deployed("prod")
    aws.has_run(**CHECKING)
    aws.has_run(**CHECKING)
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


def stopped(arguments: list[object], *, when: Callable[[], object]) -> tuple[int, str]:
    """A process that gets Ctrl-C as soon as something is true: its exit code and what it says."""
    with subprocess.Popen(
        [Path(sys.executable).parent / "tuning", *map(str, arguments)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        until = time.monotonic() + 60
        while not when():
            assert process.poll() is None, "it ended before"
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    return process.returncode, said


def test_prepare_that_is_stopped_goes_on_where_it_was(run: Run, tmp_path: Path) -> None:
    source, out = tmp_path / "pictures", tmp_path / "out"
    for number in range(120):
        picture(source / f"{number}.png", number=number)
        (source / f"{number}.txt").write_text(f"a dog, number {number}", "utf-8")
    command = [
        "prepare", source, "--to", "s3://t/pets", "--validation-to", "s3://v/pets", "-o", out,
        "--fix", "--model", "titan-multimodal-embeddings-g1",
    ]  # fmt: skip
    unfinished = tmp_path / ".out-unfinished"
    code, said = stopped(command, when=lambda: any(unfinished.rglob("*.*")))
    assert code == 130
    assert "stopped by Ctrl-C: nothing is in OUT yet" in said
    assert "the same command continues where it stopped" in said
    assert "Traceback" not in said
    assert not out.exists()
    # It is done, and too few.
    assert run(*command).exit_code == 1
    assert (out / "training" / "manifest.jsonl").is_file()
    assert not unfinished.exists()


def test_init_that_is_stopped_while_it_looks_at_the_data_has_written_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pipe = tmp_path / "chats.jsonl"
    rows = b'{"messages": [{"role": "user", "content": "Hi"}]}\n'
    pipe.write_bytes(rows * 500_000)
    began = time.monotonic()
    command = ["init", "pets", "--data", pipe, "--model", "nova-micro-v1"]
    code, said = stopped(command, when=lambda: time.monotonic() > began + 1)
    assert code == 130
    assert "stopped by Ctrl-C: nothing was written" in said
    assert "Traceback" not in said
    assert not (tmp_path / "customizations").exists()


def test_ctrl_c_before_a_command_has_begun_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "bedrock_tuning.cli.__main__")
    monkeypatch.setattr(builtins, "__import__", interrupt)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
    assert "the command had not begun" in capsys.readouterr().err


def test_ctrl_c_anywhere_else_is_said_in_words(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.deployed()
    index(aws, WAITING)
    monkeypatch.setattr("bedrock_tuning.client.runs.visible", interrupt)
    result = run("runs", "--json")
    assert result.exit_code == 130
    assert "stopped by Ctrl-C" in result.stderr
