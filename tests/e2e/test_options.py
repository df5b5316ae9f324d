"""With every option on – network, key of the models, closed buckets – a run is served as well."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bedrock_tuning import s3_layout
from bedrock_tuning.access_denied import denial
from bedrock_tuning.run.failure_advice import explain
from local.demo.deploy import bootstrap, deploy
from local.emulator.server import LocalAws
from tests.e2e.following import EndedExecution
from tests.e2e.stage import Stage
from tests.e2e.taken import FunctionFailedError
from tests.e2e.world import NAME, TRAINING, VALIDATION, World
from tools.scan.cases import OPTIONS

pytestmark = pytest.mark.e2e

SCIENTIST = "DataScientist-ron"  # one of the data_roles
AUDITOR = "Auditor"


class _As:
    """The local AWS as a role sees it."""

    def __init__(self, aws: LocalAws, role: str) -> None:
        """Makes the role: it may do everything that an identity's policy can allow."""
        iam = aws.client("iam")
        root = {"AWS": "arn:aws:iam::000000000000:root"}
        trust = {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}
        every = {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName=role, PolicyName="All", PolicyDocument=_policy(every))
        found = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        self._aws = aws
        self._credentials = {
            "aws_access_key_id": found["AccessKeyId"],
            "aws_secret_access_key": found["SecretAccessKey"],
            "aws_session_token": found["SessionToken"],
        }

    def client(self, service: str) -> Any:
        return self._aws.client(service, **self._credentials)


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A local AWS of its own, in place of the session's."""
    folder = tmp_path_factory.mktemp("options")
    with LocalAws.start(state=folder / "state", port=0) as aws:
        aws.faults.options(model_units=2)
        bootstrap(aws, folder)
        app = f"{sys.executable} -m tests.e2e.optional_app"
        deployment = deploy(aws, folder, say=lambda text: None, app=app)
        yield World(aws=aws, deployment=deployment, folder=folder)


@pytest.fixture(scope="module")
def scientist(world: World) -> Any:
    return _As(world.aws, SCIENTIST)


@pytest.fixture(scope="module")
def auditor(world: World) -> Any:
    return _As(world.aws, AUDITOR)


@pytest.fixture(scope="module")
def stage(world: World, scientist: Any) -> Iterator[Stage]:
    """A dataset that a data scientist has uploaded, followed to its end."""
    kinds: tuple[tuple[s3_layout.Kind, int], ...] = (
        ("validation", VALIDATION),
        ("training", TRAINING),
    )
    for seed, (kind, count) in enumerate(kinds):
        world.add_pictures(kind, count=count, seed=seed, by=scientist)
        version = world.upload(kind, world.rows(kind), by=scientist)
        ended = world.follow(version, kind=kind)
    stage = Stage(world, ended, OPTIONS["all"])
    yield stage
    stage.unserved()


def test_an_upload_becomes_a_served_model(world: World, stage: Stage) -> None:
    assert stage.good.outcome == "served", stage.good.state["outcome"]
    (throughput,) = world.throughputs()
    assert throughput["status"] == "InService"


def test_the_job_runs_in_the_network_and_its_model_is_under_the_key(
    world: World, stage: Stage
) -> None:
    bedrock = world.aws.client("bedrock")
    (arn,) = world.jobs()
    job = bedrock.get_model_customization_job(jobIdentifier=arn)
    subnets = set(world.deployed("AWS::EC2::Subnet").values())
    assert set(job["vpcConfig"]["subnetIds"]) == subnets
    assert len(subnets) > 2
    (key,) = (key for path, key in world.deployed("AWS::KMS::Key").items() if "/ModelKey/" in path)
    assert job["outputModelKmsKeyArn"].endswith(f":key/{key}")
    model = bedrock.get_custom_model(modelIdentifier=job["outputModelArn"])
    assert model["modelKmsKeyArn"] == job["outputModelKmsKeyArn"]


def test_the_default_group_of_the_network_is_closed(world: World) -> None:
    (vpc,) = world.deployed("AWS::EC2::VPC").values()
    ec2 = world.aws.client("ec2")
    own = {"Name": "vpc-id", "Values": [vpc]}
    named = {"Name": "group-name", "Values": ["default"]}
    (group,) = ec2.describe_security_groups(Filters=[own, named])["SecurityGroups"]
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])


@pytest.mark.parametrize("bucket", ["training", "validation", "output"])
def test_whoever_is_not_named_reads_and_writes_nothing(
    world: World, auditor: Any, bucket: str
) -> None:
    others = auditor.client("s3")
    name = getattr(world.deployment.buckets, bucket)
    calls: list[Callable[[], Any]] = [
        lambda: others.list_objects_v2(Bucket=name),
        lambda: others.get_object(Bucket=name, Key=f"{NAME}/manifest.jsonl"),
        lambda: others.put_object(Bucket=name, Key=f"{NAME}/x", Body=b""),
    ]
    for call in calls:
        with pytest.raises(ClientError, match="explicit deny in a resource-based policy") as caught:
            call()
        assert "deny_others" in explain(str(caught.value)).fix


@pytest.mark.parametrize(
    ("role", "action"),
    [(f"bedrock.{NAME}", "ec2:CreateNetworkInterface"), (f"bedrock.{NAME}", "ec2:DescribeSubnets")],
)
def test_a_job_says_what_its_role_lacks_in_the_network(
    stage: Stage, scientist: Any, role: str, action: str
) -> None:
    with stage.without(role, action) as physical:
        ended = _run(stage.world, by=scientist)
    assert ended.status == "FAILED"
    _demand_told(ended.cause, role=physical, action=action)


@pytest.mark.parametrize("action", ["kms:CreateGrant", "kms:GenerateDataKey"])
def test_a_run_says_what_its_starter_lacks_on_the_models_key(
    stage: Stage, scientist: Any, action: str
) -> None:
    with stage.without(f"start.{NAME}", action, "ModelKey") as physical:
        ended = _run(stage.world, by=scientist)
    assert ended.status == "FAILED"
    _demand_told(ended.cause, role=physical, action=action)


def test_a_network_that_cannot_be_closed_fails_its_deployment_and_says_why(stage: Stage) -> None:
    with (
        stage.without("CloseDefaultGroup", "ec2:DescribeSecurityGroupRules") as physical,
        pytest.raises(FunctionFailedError) as caught,
    ):
        stage.ask("CloseDefaultGroup", "Update", {"GroupId": "sg-0123456789abcdef0"})
    refused = denial(str(caught.value))
    assert refused is not None
    assert refused.principal == f"role {physical}"
    assert f"What to do: {refused.fix}" in str(caught.value)


def _run(world: World, *, by: Any) -> EndedExecution:
    """The end of a run with data that was not there before."""
    return world.follow(world.upload("training", world.rows(salt=f" {time.time_ns()}"), by=by))


def _demand_told(text: str, *, role: str, action: str) -> None:
    refused = denial(text)
    assert refused is not None, text
    assert (refused.principal, refused.action) == (f"role {role}", action), text
    assert "What to do: " in text
