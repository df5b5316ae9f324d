"""A served customization gets another name, and its own name back, by deployments of its stack."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.world import NAME, World

pytestmark = pytest.mark.e2e

NEW = "animals"


@pytest.fixture(scope="module")
def arn(world: World) -> Iterator[str]:
    """The endpoint that serves; the stack of the session's customization is there afterwards."""
    if world.pointer("endpoint") is None:
        assert world.run(" renamed").outcome == "served"
    (served,) = world.throughputs()
    return str(served["provisionedModelArn"])


def _create(world: World, name: str, *, former: str) -> dict[str, str]:
    """Deploys the stack of pets-search under another name; what its resource answers."""
    file = world.folder / "cdk.out" / f"tuning-local-{NAME}.template.json"
    template = json.loads(file.read_text("utf-8").replace(NAME, name))
    template["Resources"]["Throughput"]["Properties"]["RenamedFrom"] = former
    client = world.aws.client("cloudformation")
    stack = f"tuning-local-{name}"
    client.create_stack(
        StackName=stack,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        Parameters=[],
    )
    client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    (found,) = client.describe_stacks(StackName=stack)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}


def _delete(world: World, name: str) -> None:
    client = world.aws.client("cloudformation")
    client.delete_stack(StackName=f"tuning-local-{name}")
    waiter = client.get_waiter("stack_delete_complete")
    waiter.wait(StackName=f"tuning-local-{name}", WaiterConfig={"Delay": 1})


def _owner(world: World, arn: str) -> Any:
    tags = world.aws.client("bedrock").list_tags_for_resource(resourceARN=arn)["tags"]
    return {tag["key"]: tag["value"] for tag in tags}["bedrock-tuning:customization"]


def _pointers(world: World, name: str) -> dict[str, str]:
    found = world.aws.client("ssm").get_parameters_by_path(Path=f"/bedrock-tuning/local/{name}")
    return {each["Name"].rpartition("/")[2]: each["Value"] for each in found["Parameters"]}


def test_everything_goes_along_there_and_back(world: World, arn: str) -> None:
    before, jobs = _pointers(world, NAME), world.jobs()
    for name, former in ((NEW, NAME), (NAME, NEW)):
        assert _create(world, name, former=former)["Serving"] == "ready"
        assert _owner(world, arn) == _owner(world, before["model"]) == name
        # The roles that each name is deployed with are its own.
        assert _pointers(world, name) | {"serving": ""} == before | {"serving": ""}
        runs = world.aws.client("dynamodb").query(
            TableName=world.deployment.runs_table,
            IndexName="by-customization",
            KeyConditionExpression="customization = :name",
            ExpressionAttributeValues={":name": {"S": name}},
        )
        assert before["run"] in {each["run"]["S"] for each in runs["Items"]}
        _delete(world, former)
        assert _pointers(world, former) == {}
    (served,) = world.throughputs()
    assert (served["provisionedModelArn"], served["status"]) == (arn, "InService")
    assert world.jobs() == jobs
