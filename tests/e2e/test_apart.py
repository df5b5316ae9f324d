"""Two customizations are kept apart by IAM: whatever a function says, roles and data do not mix.

Where the workflow itself starts jobs (jobs_started_by), its text keeps them apart.
"""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bedrock_tuning import s3_layout
from bedrock_tuning.contracts import Grant
from bedrock_tuning.contracts.states import workflow
from local.emulator.server import LocalAws
from tests.e2e.following import EndedExecution
from tests.e2e.taken import contracts
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


def _start(
    world: World,
    bedrock: Any,
    *,
    model_of: str,
    role_of: str,
    tag: str,
    environment: str = "local",
    role: str = "service_role",
) -> str:
    base = {
        SEARCH: "amazon.titan-embed-image-v1:0",
        STYLE: "amazon.titan-image-generator-v2:0",
    }[model_of]
    unique = f"apart-{time.time_ns()}"
    tags = [
        {"key": f"bedrock-tuning:{key}", "value": value}
        for key, value in {"environment": environment, "customization": tag}.items()
        if value
    ]
    arn: str = bedrock.create_model_customization_job(
        jobName=unique,
        customModelName=unique,
        roleArn=_settings(world, role_of)[role],
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


def _assumable(world: World, name: str, service: str, statements: list[dict[str, Any]]) -> str:
    """A role for a service and for this account; its ARN."""
    iam = world.aws.client("iam")
    who = {"Service": service, "AWS": "arn:aws:iam::000000000000:root"}
    trust = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=name, PolicyName="Contract", PolicyDocument=policy)
    return arn


def _as_policy(grant: Grant) -> dict[str, Any]:
    here = {"{partition}": "aws", "{region}": "us-east-1", "{account}": "000000000000"}
    text = json.dumps(
        {
            "Effect": "Allow",
            "Action": grant.actions,
            "Resource": grant.resources,
            "Condition": {each.operator: {} for each in grant.conditions},
        }
    )
    for placeholder, value in here.items():
        text = text.replace(placeholder, value)
    statement: dict[str, Any] = json.loads(text)
    for each in grant.conditions:
        statement["Condition"][each.operator][each.key] = each.values
    return statement


@pytest.fixture(scope="module")
def workflow_role(world: World) -> str:
    """A role that may do with jobs what the contract says where the workflow itself starts them."""
    granted = contracts(jobs_started_by="workflow").role("workflow").grants
    starting = [each for each in granted if each.actions[0].startswith(("bedrock:", "iam:"))]
    assert len(starting) == 4
    statements = [_as_policy(each) for each in starting]
    return _assumable(world, "workflow-itself", "states.amazonaws.com", statements)


@pytest.fixture(scope="module")
def as_workflow(world: World, workflow_role: str) -> Any:
    """Bedrock, called with that role."""
    sts = world.aws.client("sts")
    answer = sts.assume_role(RoleArn=workflow_role, RoleSessionName="workflow")
    return _client(world.aws, answer["Credentials"])


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"environment": ""}, "bedrock:CreateModelCustomizationJob"),
        ({"environment": "prod"}, "bedrock:CreateModelCustomizationJob"),
        ({"tag": ""}, "bedrock:CreateModelCustomizationJob"),
        ({"role": "starter_role"}, "iam:PassRole"),
    ],
    ids=["no environment", "another environment", "no customization", "a role of another path"],
)
def test_a_workflow_that_starts_jobs_starts_only_its_environments(
    world: World, as_workflow: Any, changed: dict[str, str], refused: str
) -> None:
    jobs = world.jobs()
    right = {"model_of": SEARCH, "role_of": SEARCH, "tag": SEARCH}
    with pytest.raises(ClientError, match="AccessDenied") as caught:
        _start(world, as_workflow, **{**right, **changed})
    assert f"is not authorized to perform: {refused}" in str(caught.value)
    assert world.jobs() == jobs


def test_a_workflow_that_starts_jobs_could_mix_customizations_but_for_its_text(
    world: World, as_workflow: Any
) -> None:
    world.aws.faults.options(new_role_seconds=0)
    assert _start(world, as_workflow, model_of=SEARCH, role_of=STYLE, tag=SEARCH) in world.jobs()


def test_a_workflow_that_starts_jobs_takes_role_and_tags_from_the_settings_and_not_from_a_function(
    world: World, workflow_role: str
) -> None:
    world.aws.faults.options(new_role_seconds=0)
    run = f"apart-{time.time_ns()}"
    for kind in s3_layout.KINDS:
        body = "".join(f"{json.dumps(row)}\n" for row in world.rows(kind)).encode()
        key = s3_layout.checked_manifest_key(SEARCH, run, kind)
        world.aws.client("s3").put_object(Bucket=world.bucket(kind), Key=key, Body=body)
    ended = _trained(world, workflow_role, run)
    assert ended.status == "SUCCEEDED", ended.cause
    bedrock = world.aws.client("bedrock")
    job = bedrock.get_model_customization_job(jobIdentifier=run)
    assert job["status"] == "Completed"
    assert job["roleArn"] == _settings(world, SEARCH)["service_role"]
    assert job["trainingDataConfig"]["s3Uri"].endswith(f"/_checked/{SEARCH}/{run}/training.jsonl")
    assert job["outputDataConfig"]["s3Uri"].endswith(f"/jobs/{SEARCH}/")
    for arn in (job["jobArn"], job["outputModelArn"]):
        listed = bedrock.list_tags_for_resource(resourceARN=arn)["tags"]
        tags = {each["key"].removeprefix("bedrock-tuning:"): each["value"] for each in listed}
        assert tags == {
            "team": "pets",
            "environment": "local",
            "customization": SEARCH,
            "run": run,
        }


def _trained(world: World, role: str, run: str) -> EndedExecution:
    """The end of the state that trains, after a function that confuses two customizations."""
    whole = contracts(jobs_started_by="workflow")
    states = workflow.definition(environment="local", approval_days=7, starters=False)["States"]
    train = {**states["Train with validation"], "End": True}
    del train["Next"], train["Catch"]
    text = json.dumps({"StartAt": "Train", "States": {"Train": train}})
    for kind in ("training", "validation", "output"):
        name = getattr(world.deployment.buckets, kind)
        text = text.replace(f"${{{kind.title()}Bucket}}", name)
    settings, other = _settings(world, SEARCH), _settings(world, STYLE)
    style = whole.settings[STYLE]["request"]["tags"]
    request = {
        "JobName": run,
        "CustomModelName": run,
        "RoleArn": other["service_role"],
        "ClientRequestToken": run,
        "BaseModelIdentifier": "amazon.titan-embed-image-v1:0",
        "CustomizationType": "FINE_TUNING",
        "TrainingDataConfig": {"S3Uri": "s3://elsewhere/manifest.jsonl"},
        "OutputDataConfig": {"S3Uri": "s3://elsewhere/"},
        "HyperParameters": settings["hyperparameters"],
        "JobTags": style,
        "CustomModelTags": style,
    }
    said = {**settings, "request": whole.settings[SEARCH]["request"]}
    states_api = world.aws.client("stepfunctions")
    machine = states_api.create_state_machine(name=run, definition=text, roleArn=role)
    execution = states_api.start_execution(
        stateMachineArn=machine["stateMachineArn"],
        input=json.dumps(
            {
                "admission": {"run": run},
                "start": {"request": request},
                "settings": {"value": said},
            }
        ),
    )
    return world.end_of(execution["executionArn"], approve=False)
