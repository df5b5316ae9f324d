"""A deployment that takes from an open run what it uses is refused before anything has changed.

The real CDK CLI deploys the pipeline's stack so that the workflow's own role starts jobs, while a
run waits whose definition has a starter start its job.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.demo.deploy import DeployError, bootstrap, cdk, deploy
from local.emulator.server import LocalAws
from tests.e2e import following
from tests.e2e.changed import changed
from tests.e2e.world import NAME, World, eventually
from tests.local import support
from tools.scan.cases import Case

pytestmark = [pytest.mark.e2e, pytest.mark.long]

STACK = "tuning-local-pipeline"
USED = "/bedrock-tuning-used-by-runs/local"
STARTERS, SERVICE_ROLES = "role/tuning/local/start/*", "role/tuning/local/bedrock/*"
# A run of now that waits, from the moment at which a resource fails that comes after the guard.
FAILS = """
import json, urllib.request
import boto3

def handler(event, context):
    failed = event["RequestType"] == "Create"
    if failed:
        properties = event["ResourceProperties"]
        item = {name: {"S": value} for name, value in properties["Item"].items()}
        table = boto3.client("dynamodb", region_name="us-east-1")
        table.put_item(TableName=properties["Table"], Item=item)
    answer = {
        "Status": "FAILED" if failed else "SUCCESS",
        "Reason": "it fails by order",
        "PhysicalResourceId": "fails",
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    body = json.dumps(answer).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], data=body, method="PUT"))
"""
ADMITTED = {
    "id": "run#20990101-000000-aaaaaa",
    "run": "20990101-000000-aaaaaa",
    "customization": NAME,
    "open": "yes",
    "status": "awaiting-approval",
    "training_version": "v1",
}


@dataclass
class Deployments:
    """The deployed app, and templates in which the workflow's own role starts jobs."""

    world: World
    switched: Path

    def switch(self, templates: Path | None = None) -> None:
        """Deploys the pipeline's stack as a person would."""
        asked = ["--exclusively", "--require-approval", "never"]
        app = ["--app", str(templates or self.switched)]
        cdk(self.world.aws, self.switched.parent, ["deploy", STACK, *asked, *app], say=None)

    def status(self) -> str:
        """Of the pipeline's stack."""
        client = self.world.aws.client("cloudformation")
        (stack,) = client.describe_stacks(StackName=STACK)["Stacks"]
        return str(stack["StackStatus"])

    def used(self) -> set[str]:
        """What runs use, as it is said now."""
        found = self.world.aws.client("ssm").get_parameter(Name=USED)
        return set(found["Parameter"]["Value"].split(", "))

    def role(self) -> str:
        """All that the workflow's role may do."""
        client = self.world.aws.client("cloudformation")
        (name,) = (
            each["PhysicalResourceId"]
            for each in client.describe_stack_resources(StackName=STACK)["StackResources"]
            if each["LogicalResourceId"].startswith("WorkflowRole")
        )
        policy = self.world.aws.client("iam").get_role_policy(RoleName=name, PolicyName="Policy")
        return json.dumps(policy["PolicyDocument"], sort_keys=True)

    def guards(self) -> list[str]:
        """The guards that there are."""
        client = self.world.aws.client("cloudformation")
        return [
            each["PhysicalResourceId"]
            for each in client.describe_stack_resources(StackName=STACK)["StackResources"]
            if each["ResourceType"] == "Custom::RunGuard"
        ]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A local AWS of its own: its pipeline is deployed otherwise in the end."""
    folder = tmp_path_factory.mktemp("beside")
    with LocalAws.start(state=folder / "state", port=0) as aws:
        aws.faults.options(model_units=2)
        bootstrap(aws, folder)
        deployment = deploy(aws, folder, say=lambda text: None)
        yield World.with_pictures(aws=aws, deployment=deployment, folder=folder)


@pytest.fixture(scope="module")
def deployments(world: World, tmp_path_factory: pytest.TempPathFactory) -> Deployments:
    switched = tmp_path_factory.mktemp("switched") / "cdk.out"
    Case(environment="local", options="by-workflow").app(switched).synth()
    return Deployments(world=world, switched=switched)


def test_a_deployment_that_takes_a_role_from_a_run_is_refused_and_the_run_goes_on(
    world: World, deployments: Deployments
) -> None:
    arn = world.execution(world.upload("training", world.rows()))
    assert eventually(lambda: following.waits(world.aws, world.deployment, arn))
    row = following.run_of(world.aws, world.deployment, arn) or {}
    before = (deployments.role(), deployments.used(), deployments.guards())

    with pytest.raises(DeployError) as caught:
        deployments.switch()

    said = " ".join(str(caught.value).split())
    assert f"takes {STARTERS} from open runs: {row['run']} (awaiting-approval)" in said
    assert "tuning runs -e local" in said
    assert deployments.status() == "UPDATE_ROLLBACK_COMPLETE"
    assert (deployments.role(), deployments.used(), deployments.guards()) == before
    ended = world.end_of(arn)
    assert ended.outcome == "served", ended.why


def _failing(deployments: Deployments, folder: Path) -> Path:
    """Templates whose last resource fails, after it has admitted a run."""
    world = deployments.world
    arn = support.function(world.aws, FAILS)
    role = world.aws.client("lambda").get_function(FunctionName=arn)["Configuration"]["Role"]
    everything: dict[str, Any] = {
        "Effect": "Allow",
        "Action": ["dynamodb:PutItem", "kms:*"],
        "Resource": "*",
    }
    support.set_policy(world.aws, role, [everything])

    def change(resources: dict[str, Any]) -> None:
        kinds = ("AWS::StepFunctions::StateMachine", "AWS::SSM::Parameter")
        last = [name for name, each in resources.items() if each["Type"] in kinds]
        resources["Fails"] = {
            "Type": "Custom::Fails",
            "Properties": {
                "ServiceToken": arn,
                "Table": world.deployment.runs_table,
                "Item": ADMITTED,
            },
            "DependsOn": last,
        }

    return changed(deployments.switched, folder / "cdk.out", STACK, change)


def test_a_deployment_that_fails_later_is_rolled_back_whatever_was_admitted_meanwhile(
    world: World, deployments: Deployments, folder: Path
) -> None:
    before = (deployments.role(), deployments.used(), deployments.guards())

    with pytest.raises(DeployError, match="it fails by order"):
        deployments.switch(_failing(deployments, folder))

    assert deployments.status() == "UPDATE_ROLLBACK_COMPLETE"
    assert (deployments.role(), deployments.used(), deployments.guards()) == before
    key = {"id": {"S": ADMITTED["id"]}}
    name = world.deployment.runs_table
    assert world.aws.client("dynamodb").get_item(TableName=name, Key=key)["Item"]["open"]
    world.aws.client("dynamodb").delete_item(TableName=name, Key=key)


def test_once_no_run_is_open_the_same_is_deployed(deployments: Deployments) -> None:
    before = deployments.guards()

    deployments.switch()

    assert deployments.status() == "UPDATE_COMPLETE"
    assert SERVICE_ROLES in deployments.used()
    assert STARTERS not in deployments.used()
    assert "bedrock:CreateModelCustomizationJob" in deployments.role()
    (guard,) = deployments.guards()
    assert guard not in before
