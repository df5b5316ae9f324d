"""Runs `tuning` in this process, without network and without anybody's AWS credentials."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from bedrock_tuning.cli.__main__ import tuning
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
