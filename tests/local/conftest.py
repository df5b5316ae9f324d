"""Two servers for all tests of the local AWS: ours, and the emulator as it comes."""

from collections.abc import Iterator

import pytest

from local.emulator.server import LocalAws
from tests.local.support import Pets

# An hour of Bedrock in a tenth of a second: jobs take as long as the simulator's floor allows.
CLOCK = 36_000.0
OF_THE_CALLER = "only of who starts it"


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """These tests talk to a server on loopback."""


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """The local AWS, patched, with its Bedrock simulator; who started it has secrets."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_SESSION_TOKEN", "SOME_SECRET"):
            environment.setenv(name, OF_THE_CALLER)
        started = LocalAws.start(state=tmp_path_factory.mktemp("local-aws"), clock=CLOCK)
    with started as server:
        # Roles are made for each test; test_new_roles.py has one that is refused at first.
        server.faults.options(model_units=2, new_role_seconds=0)
        yield server


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """MiniStack as it comes, IAM enforced: what the patches are for."""
    state = tmp_path_factory.mktemp("plain")
    with LocalAws.start(state=state, clock=CLOCK, patched=False) as server:
        yield server


@pytest.fixture(scope="session")
def pets(aws: LocalAws) -> Pets:
    return Pets.make(aws)


@pytest.fixture(scope="session")
def model(pets: Pets) -> str:
    """The ARN of a custom model that no test changes or deletes."""
    return pets.trained()
