"""`tuning list` sees a real deployment: its stacks, its settings, and nothing left over."""

import pytest

from app import ROOT, read_context
from bedrock_tuning.client import inventory
from bedrock_tuning.contracts import project
from tests.e2e.world import World

pytestmark = pytest.mark.e2e


def test_what_is_deployed_is_as_its_files_say_and_nothing_remains(world: World) -> None:
    read = project.read(
        read_context()["tuning"], environment="local", customizations=ROOT / "customizations"
    )
    aws = world.deployment.aws
    listed = inventory.compared(aws, "local", read.customizations)
    assert [(each.name, each.differs) for each in listed] == [
        (name, "") for name in sorted(read.customizations)
    ]
    assert inventory.remaining(aws, "local", known=[each.name for each in listed]) == []
