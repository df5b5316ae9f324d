"""With every option on – network, key of the models, closed buckets – a run is served as well.

So is one of each type of job, and one on images in folders of its own is trained.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from bedrock_tuning import s3_layout
from bedrock_tuning.access_denied import denial
from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.run.failure_advice import explain
from local.demo import dataset
from local.demo.deploy import bootstrap, deploy
from local.emulator.server import LocalAws
from tests.e2e.following import EndedExecution, upload_manifest, upload_pictures
from tests.e2e.optional_app import context
from tests.e2e.stage import Stage
from tests.e2e.taken import FunctionFailedError
from tests.e2e.world import NAME, TRAINING, VALIDATION, World, eventually
from tools.scan.cases import OPTIONS

pytestmark = [pytest.mark.e2e, pytest.mark.long]

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


def test_a_message_reaches_the_topic_of_the_chat_in_the_form_that_is_shown(world: World) -> None:
    (topic,) = (arn for path, arn in world.deployed("AWS::SNS::Topic").items() if "/Chat/" in path)
    channel = world.subscribe(topic)
    told = {"environment": "local", "customization": NAME, "status": "served"}
    text = 'The smoke test passed: "a dog".\nIt is served.'
    world.aws.client("sns").publish(
        TopicArn=world.topic,
        Message=json.dumps({**told, "message": text}),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in told.items()
        },
    )

    shown: list[dict[str, Any]] = []

    def arrived() -> bool:
        shown.extend(channel.messages())
        return bool(shown)

    assert eventually(arrived)
    assert shown == [
        {
            "version": "1.0",
            "source": "custom",
            "content": {
                "textType": "client-markdown",
                "title": f"{NAME} in local: served",
                "description": text,
            },
        }
    ]


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


def _records(customization: str) -> list[dict[str, Any]]:
    """A hundred records of text, as the customization's type of job takes them."""
    found: list[dict[str, Any]] = []
    for number in range(100):
        question, answer = f"What is {number} plus {number}?", str(2 * number)
        if customization == "graded":
            turns: list[dict[str, Any]] = [{"role": "user", "content": question}]
            found.append({"messages": turns, "reference_answer": answer})
            continue
        turns = [{"role": "user", "content": [{"text": question}]}]
        if customization in ("again", "lent"):
            turns.append({"role": "assistant", "content": [{"text": answer}]})
        found.append({"schemaVersion": "bedrock-conversation-2024", "messages": turns})
    return found


def _upload(
    world: World,
    by: Any,
    customization: str,
    records: list[dict[str, Any]],
    *,
    kind: s3_layout.Kind = "training",
) -> str:
    """Uploads a manifest; its version."""
    body = "".join(f"{json.dumps(each)}\n" for each in records).encode()
    bucket = world.bucket(kind)
    return upload_manifest(by, body, bucket=bucket, customization=customization)


def _in_folders(world: World, by: Any, kind: s3_layout.Kind, *, count: int) -> list[dict[str, Any]]:
    """Uploads pictures into the folders of `foldered`; records that refer to them by turns."""
    bucket, pictures = world.bucket(kind), []
    for seed, name in enumerate(("folder1", "folder2"), start=count):
        folder = world.folder / kind / name
        drawn = list(dataset.draw_pictures(folder, count=4, seed=seed, prefix=name))
        upload_pictures(by, folder, drawn, bucket=bucket, customization=name)
        pictures += [(s3_layout.uri(bucket, f"{name}/{one.path}"), one.caption) for one in drawn]
    return [
        {"image-ref": uri, "caption": f"{caption}, {number}"}
        for number, (uri, caption) in zip(range(count), cycle(pictures), strict=False)
    ]


class Role:
    """A service role beside the stacks."""

    name = "Tuner"
    arn = "arn:aws:iam::000000000000:role/ml/Tuner"

    def __init__(self, world: World, folder: Path) -> None:
        self._world, self._folder = world, folder
        customizations = folder / "customizations"
        customizations.mkdir()
        shutil.copy(Path(__file__).parent / "customizations" / "lent.toml", customizations)
        (folder / "cdk.json").write_text(json.dumps({"context": context()}), "utf-8")
        asked = json.loads(self.command("preflight").stdout)
        assert any("it does not exist" in problem for problem in asked["problems"]), asked
        wanted = asked["roles"][self.arn]
        world.aws.client("iam").create_role(
            Path="/ml/",
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps(wanted["trust"]),
        )
        self.allow(wanted["permissions"])

    def allow(self, permissions: dict[str, Any]) -> None:
        """Replaces what the role may do."""
        self._world.aws.client("iam").put_role_policy(
            RoleName=self.name, PolicyName="Jobs", PolicyDocument=json.dumps(permissions)
        )

    def allowed(self) -> dict[str, Any]:
        """What the role may do."""
        iam = self._world.aws.client("iam")
        found: dict[str, Any] = iam.get_role_policy(RoleName=self.name, PolicyName="Jobs")
        return dict(found["PolicyDocument"])

    def command(self, *words: str) -> Result:
        """A command of `tuning` that reads this project."""
        files = ["--settings", str(self._folder / "cdk.json")]
        files += ["--customizations", str(self._folder / "customizations")]
        return CliRunner().invoke(
            tuning, [*words, *files, "-e", "local", "--json"], obj=self._world.deployment.aws
        )


@pytest.fixture(scope="module")
def role(world: World, tmp_path_factory: pytest.TempPathFactory) -> Role:
    """The service role that `lent` names, made by somebody else as preflight asks for it."""
    return Role(world, tmp_path_factory.mktemp("lent"))


@pytest.fixture(scope="module")
def others(world: World, scientist: Any, role: Role) -> dict[str, EndedExecution]:
    """How the first runs of graded, taught, lent and foldered ended, which go on side by side."""
    validation = _in_folders(world, scientist, "validation", count=VALIDATION)
    version = _upload(world, scientist, "foldered", validation, kind="validation")
    assert world.follow(version, kind="validation").outcome == "waiting"
    training = _in_folders(world, scientist, "training", count=TRAINING)
    versions = {"foldered": _upload(world, scientist, "foldered", training)}
    for name in ("graded", "taught", "lent"):
        versions[name] = _upload(world, scientist, name, _records(name))
    return {name: world.follow(version) for name, version in versions.items()}


def _job(world: World, ended: EndedExecution) -> dict[str, Any]:
    """The job of a run as Bedrock tells it."""
    client = world.aws.client("bedrock")
    job: dict[str, Any] = client.get_model_customization_job(
        jobIdentifier=world.row(ended)["job_arn"]
    )
    return job


def test_a_model_of_images_in_two_folders_that_passes_its_gate_is_served(
    others: dict[str, EndedExecution],
) -> None:
    assert others["foldered"].outcome == "served", others["foldered"].why
    assert others["foldered"].state["serving"]["evaluated"]


def test_below_the_gate_the_old_model_stays_and_people_are_told_why(
    world: World, scientist: Any, others: dict[str, EndedExecution]
) -> None:
    served = world.row(others["foldered"])
    rows = _in_folders(world, scientist, "validation", count=40)
    captions = [row["caption"] for row in rows]
    # No model finds a picture by the caption of another one.
    wrong = [
        {**row, "caption": caption}
        for row, caption in zip(rows, captions[7:] + captions[:7], strict=True)
    ]
    version = _upload(world, scientist, "foldered", wrong, kind="validation")
    world.follow(version, kind="validation")
    training = _in_folders(world, scientist, "training", count=TRAINING + 1)
    ended = world.follow(_upload(world, scientist, "foldered", training))
    assert ended.outcome == "not-better", ended.why
    told = ended.state["outcome"]
    assert told["notify"]
    assert "min_recall is 50.0%" in told["message"]
    assert f"the published model, of run {served['run']}, was not evaluated" in told["message"]
    assert f"serves {served['model_arn']} again" in told["message"]
    # The endpoint still changes back: Bedrock takes minutes for that.
    models = {each["desiredModelArn"] for each in world.throughputs()}
    assert served["model_arn"] in models
    assert world.row(ended)["model_arn"] not in models


def test_reinforcement_with_a_grader_ends_as_a_served_model(
    world: World, others: dict[str, EndedExecution]
) -> None:
    ended = others["graded"]
    assert ended.outcome == "served", ended.why
    job = _job(world, ended)
    assert job["customizationType"] == "REINFORCEMENT_FINE_TUNING"
    tuned = job["customizationConfig"]["rftConfig"]
    function = "arn:aws:lambda:us-east-1:000000000000:function:grader"
    assert tuned["graderConfig"] == {"lambdaGrader": {"lambdaArn": function}}
    assert tuned["hyperParameters"]["batchSize"] == 64


def test_a_job_with_a_role_and_names_that_others_chose_ends_as_a_served_model(
    world: World, role: Role, others: dict[str, EndedExecution]
) -> None:
    ended = others["lent"]
    assert ended.outcome == "served", ended.why
    job = _job(world, ended)
    assert job["roleArn"] == role.arn
    assert job["jobName"].startswith("ron-and-smila-")
    assert job["outputModelName"].startswith("ron-and-smila-")
    folder = f"s3://{world.deployment.buckets.output}/jobs/marketing/ron/"
    assert job["outputDataConfig"]["s3Uri"].startswith(folder)


def test_a_role_that_others_narrowed_or_widened_is_told(world: World, role: Role) -> None:
    asked = role.command("preflight")
    assert asked.exit_code == 0, asked.output
    right = role.allowed()
    kept = [each for each in right["Statement"] if "s3:PutObject" not in each["Action"]]
    assert len(kept) < len(right["Statement"])
    role.allow({**right, "Statement": kept})
    narrowed, red = role.command("preflight"), role.command("doctor", "service-roles")
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    role.allow({**right, "Statement": [*right["Statement"], everything]})
    widened = role.command("doctor", "service-roles")
    role.allow(right)
    assert narrowed.exit_code == 1
    assert "s3:PutObject" in " ".join(json.loads(narrowed.stdout)["problems"])
    (check,) = json.loads(red.stdout)["checks"]
    assert check["state"] == "fail"
    assert "s3:PutObject" in check["answers"][0]["seen"]
    assert "tuning preflight -e local --json" in check["answers"][0]["fix"]
    (check,) = json.loads(widened.stdout)["checks"]
    assert check["state"] == "warn"
    assert "s3:*" in check["answers"][0]["seen"]


def test_a_distillation_and_another_round_on_its_model_end_as_served_models(
    world: World, scientist: Any, others: dict[str, EndedExecution]
) -> None:
    ended = others["taught"]
    assert ended.outcome == "served", ended.why
    job = _job(world, ended)
    teacher = {"teacherModelIdentifier": "us.amazon.nova-premier-v1:0"}
    assert job["customizationConfig"] == {
        "distillationConfig": {
            "teacherModelConfig": {**teacher, "maxResponseLengthForInference": 1000}
        }
    }
    _deploy_again(world, model=job["outputModelArn"])
    again = world.follow(_upload(world, scientist, "again", _records("again")))
    assert again.outcome == "served", again.why
    assert _job(world, again)["baseModelArn"] == job["outputModelArn"]
    question = ["invoke", "again", "What is 2 plus 2?", "-e", "local", "--json"]
    answered = CliRunner().invoke(tuning, question, obj=world.deployment.aws)
    assert answered.exit_code == 0, answered.output


def _deploy_again(world: World, *, model: str) -> None:
    """Deploys `again` so that it builds on this model."""
    stack = "tuning-local-again"
    template = (world.folder / "cdk.out" / f"{stack}.template.json").read_text("utf-8")
    given = "amazon.nova-micro-v1:0:128k/abcdefghijkl"
    assert given in template
    client = world.aws.client("cloudformation")
    client.update_stack(
        StackName=stack,
        TemplateBody=template.replace(given, model.rpartition(":custom-model/")[2]),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    client.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
