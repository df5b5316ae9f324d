"""Runs `tuning` in this process, without network and without anybody's AWS credentials."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.cli.terminal import output
from tests.cli import pasteable
from tests.cli.support import StubbedAws

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _alone(
    socket_disabled: None, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("TUNING_ENVIRONMENT", "TUNING_PROFILE", "TUNING_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))


@pytest.fixture(autouse=True)
def _tables_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever table a test sees in a pipe: on a narrow terminal it fits, or is in blocks."""
    real = output.table

    def fitting(header: Sequence[str], rows: Iterable[Sequence[str]], **how: Any) -> Iterator[str]:
        kept = [*map(list, rows)]
        for width in (60, 80):
            lines = [*real(header, kept, **{**how, "width": width})]
            too_wide = [line for line in lines if len(line) > width]
            # A name or a command is useless when cut; it has a line of its own.
            whole = {cell.strip() for row in kept for cell in row}
            for line in too_wide:
                label = next((each for each in header if line.startswith(each)), "")
                assert line.removeprefix(label).strip() in whole, (width, line)
        return real(header, kept, **how)

    monkeypatch.setattr(output, "table", fitting)


@pytest.fixture
def aws() -> Iterator[StubbedAws]:
    """An AWS of which every expected call is written down; none may be left over."""
    stubbed = StubbedAws()
    yield stubbed
    stubbed.end()


@pytest.fixture
def run(aws: StubbedAws) -> Run:
    """Runs `tuning` with some arguments."""

    def runner(*args: object, input: str | None = None) -> Result:
        result = CliRunner().invoke(tuning, [str(each) for each in args], obj=aws, input=input)
        # Whatever a test is about: a command that is shown to be typed is one that can be typed.
        for command in pasteable.commands_in(result.output):
            pasteable.require_parseable(command)
        return result

    return runner
