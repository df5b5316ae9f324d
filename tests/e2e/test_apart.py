"""Two customizations are kept apart by IAM: whatever a function says, roles and data do not mix."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.emulator.server import LocalAws
from tests.e2e.world import World

pytestmark = pytest.mark.e2e

SEARCH, STYLE = "pets-search", "pets-style"


def _settings(world: World, name: str) -> dict[str, Any]:
    ssm = world.aws.client("ssm")
    found = ssm.get_parameter(Name=f"/bedrock-tuning-settings/local/{name}")
    settings: dict[str, Any] = json.loads(found["Parameter"]["Value"])
    return settings


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


@pytest.fixture(scope="module")
def starter(world: World) -> Any:
    """Bedrock, called with the starter role of pets-search, by whoever got hold of it."""
    arn = _settings(world, SEARCH)["starter_role"]
    iam = world.aws.client("iam")
    before = iam.get_role(RoleName=_name(arn))["Role"]["AssumeRolePolicyDocument"]
    anybody = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.update_assume_role_policy(RoleName=_name(arn), PolicyDocument=json.dumps(anybody))
    answer = world.aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="attacker")
    iam.update_assume_role_policy(RoleName=_name(arn), PolicyDocument=json.dumps(before))
    return _client(world.aws, answer["Credentials"])


def _client(aws: LocalAws, credentials: Any) -> Any:
    import boto3

    return boto3.client(
        "bedrock",
        region_name="us-east-1",
        endpoint_url=aws.client("bedrock").meta.endpoint_url,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def _start(world: World, bedrock: Any, *, model_of: str, role_of: str, tag: str) -> str:
    base = {
        SEARCH: "amazon.titan-embed-image-v1:0",
        STYLE: "amazon.titan-image-generator-v2:0",
    }[model_of]
    unique = f"apart-{time.time_ns()}"
    tags = [
        {"key": "bedrock-tuning:environment", "value": "local"},
        {"key": "bedrock-tuning:customization", "value": tag},
    ]
    arn: str = bedrock.create_model_customization_job(
        jobName=unique,
        customModelName=unique,
        roleArn=_settings(world, role_of)["service_role"],
        baseModelIdentifier=base,
        trainingDataConfig={
            "s3Uri": f"s3://{world.deployment.buckets.training}/_checked/{model_of}/x/t.jsonl"
        },
        outputDataConfig={"s3Uri": f"s3://{world.deployment.buckets.output}/jobs/{model_of}/"},
        hyperParameters=_settings(world, model_of)["hyperparameters"],
        jobTags=tags,
        customModelTags=tags,
    )["jobArn"]
    return arn


@pytest.mark.parametrize(
    ("model_of", "role_of", "tag", "refused"),
    [
        (SEARCH, STYLE, SEARCH, "iam:PassRole"),
        (SEARCH, SEARCH, STYLE, "bedrock:"),
        (SEARCH, STYLE, STYLE, "bedrock:"),
        (STYLE, SEARCH, SEARCH, "bedrock:CreateModelCustomizationJob"),
        (STYLE, STYLE, SEARCH, "bedrock:"),
        (STYLE, SEARCH, STYLE, "bedrock:"),
        (STYLE, STYLE, STYLE, "bedrock:"),
    ],
)
def test_a_starter_starts_nothing_with_any_part_of_another_customization(
    world: World, starter: Any, model_of: str, role_of: str, tag: str, refused: str
) -> None:
    jobs = world.jobs()
    with pytest.raises(ClientError, match="AccessDenied") as caught:
        _start(world, starter, model_of=model_of, role_of=role_of, tag=tag)
    assert f"is not authorized to perform: {refused}" in str(caught.value)
    assert world.jobs() == jobs


def test_a_starter_reads_and_stops_no_job_of_another_customization(
    world: World, starter: Any
) -> None:
    world.aws.faults.options(new_role_seconds=0)
    job = _start(world, world.aws.client("bedrock"), model_of=SEARCH, role_of=STYLE, tag=STYLE)
    for call in (starter.get_model_customization_job, starter.stop_model_customization_job):
        with pytest.raises(ClientError, match="AccessDenied"):
            call(jobIdentifier=job)


def test_nobody_but_the_workflow_becomes_a_starter(world: World) -> None:
    """Not even the account's administrator, and not another state machine with its role."""
    arn = _settings(world, SEARCH)["starter_role"]
    with pytest.raises(ClientError, match="AccessDenied"):
        world.aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")
    states = world.aws.client("stepfunctions")
    whole = states.describe_state_machine(stateMachineArn=world.deployment.workflow_arn)
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:bedrock:listModelCustomizationJobs",
        "Credentials": {"RoleArn": arn},
        "End": True,
    }
    other = states.create_state_machine(
        name=f"other-{time.time_ns()}",
        definition=json.dumps({"StartAt": "Try", "States": {"Try": task}}),
        roleArn=whole["roleArn"],
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=other, input="{}")["executionArn"]
    ended = world.end_of(execution, approve=False)
    assert ended.status == "FAILED"
    assert "is not authorized to assume the task state's role" in ended.cause
