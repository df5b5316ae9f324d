"""An environment that asks for an attestation is deployed by the real CDK CLI only with one."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import ROOT
from bedrock_tuning.cli.__main__ import tuning
from local.demo.deploy import DeployError, cdk
from tests.e2e.world import NAME, World

pytestmark = [pytest.mark.e2e, pytest.mark.long]

ENVIRONMENT = "attested"
STACK = f"tuning-{ENVIRONMENT}-data"


def a_project(folder: Path) -> None:
    """One customization, and an environment that asks for an attestation as prod does."""
    settings = json.loads((ROOT / "cdk.json").read_text("utf-8"))
    environments = settings["context"]["tuning"]["environments"]
    environments[ENVIRONMENT] = {**environments["local"], "attestation": "attested.json"}
    (folder / "cdk.json").write_text(json.dumps(settings), "utf-8")
    (folder / "customizations").mkdir()
    shutil.copy(ROOT / "customizations" / f"{NAME}.toml", folder / "customizations")


def test_the_cdk_deploys_what_was_attested_and_refuses_what_was_not(
    world: World, folder: Path
) -> None:
    a_project(folder)
    app = f"{sys.executable} -m tests.e2e.attested_app {folder}"

    def deploy(of: str = app) -> None:
        asked = ["deploy", STACK, "--exclusively", "--require-approval", "never", "--app", of]
        cdk(world.aws, folder, asked, say=None, environment=ENVIRONMENT)

    def stacks() -> set[str]:
        found = world.aws.client("cloudformation").describe_stacks()["Stacks"]
        return {each["StackName"] for each in found}

    with pytest.raises(DeployError, match="there is no attestation"):
        deploy()
    # The folder that it wrote, without the app that refused it.
    with pytest.raises(DeployError, match="there is no attestation"):
        deploy(str(folder / "cdk.out"))
    assert STACK not in stacks()

    asked = ["--settings", folder / "cdk.json", "--customizations", folder / "customizations"]
    asked += [folder / "cdk.out", "--attest", folder / "attested.json"]
    reviewed = CliRunner().invoke(tuning, ["review", *map(str, asked)])
    assert reviewed.exit_code == 0, reviewed.output
    try:
        deploy()
        assert STACK in stacks()
    finally:
        # Other tests list the environments.
        cloudformation = world.aws.client("cloudformation")
        cloudformation.delete_stack(StackName=STACK)
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 1}
        )
