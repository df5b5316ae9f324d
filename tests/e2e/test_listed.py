"""`tuning list` sees a real deployment: its stacks, settings and files, and no leftovers."""

import pytest

from app import ROOT, read_context
from bedrock_tuning.client import inventory
from bedrock_tuning.client.operations.holdings import holdings
from bedrock_tuning.contracts import project
from tests.e2e.world import NAME, PICTURES, World

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
    held = holdings(aws, "local", known=[each.name for each in listed])
    assert held.remaining == []
    pictures = [
        each for each in held.stored
        if (each.bucket, each.customization) == (world.bucket("training"), NAME)
    ]  # fmt: skip
    assert len(pictures) == 1
    assert (pictures[0].files or 0) >= PICTURES
    assert sorted(each.kind for each in held.kept) == ["key", "key", "table"]
    assert held.monthly.unknown == tuple(
        each.name for each in (*held.models, *held.kept) if each.usd_per_month is None
    )
