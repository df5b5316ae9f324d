"""One local AWS for the session, deployed by the real CDK CLI, with pictures uploaded."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.demo.deploy import bootstrap, deploy
from local.emulator.server import LocalAws
from tests.e2e.world import World

# Jobs and endpoints take as long as the simulator's floor allows: nobody waits for anything else.
CLOCK = 36_000.0


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The deployed app; every test uploads what it needs and follows it."""
    folder = tmp_path_factory.mktemp("e2e")
    with LocalAws.start(state=folder / "state", port=0, clock=CLOCK) as aws:
        # Every role is new to the first job that runs with it.
        aws.faults.options(model_units=2, new_role_seconds=3_600)
        bootstrap(aws, folder)
        deployment = deploy(aws, folder, say=lambda text: None)
        yield World.with_pictures(aws=aws, deployment=deployment, folder=folder)


@pytest.fixture(autouse=True)
def _no_leftover_faults(world: World) -> Iterator[None]:
    """A fault that one test ordered must not hit the next."""
    yield
    world.aws.faults.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Somewhere to write."""
    return tmp_path
