"""What the tests of the local AWS share: roles, functions, state machines, and waiting."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from bedrock_tuning.config.names import LOCAL_ACCOUNT
from local.emulator.layout import REGION
from local.emulator.server import LocalAws

Seen = TypeVar("Seen")
Policy = Sequence[Mapping[str, Any]]
_numbers = count(1)


def unique(prefix: str) -> str:
    """A name that no other test of this process uses."""
    return f"{prefix}-{next(_numbers)}"


def eventually(look: Callable[[], Seen], *, seconds: float = 120.0) -> Seen:
    """What `look` returns once it is true; fails the test after `seconds`.

    A machine under load is slow, not wrong.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(0.05)
    pytest.fail(f"nothing seen within {seconds:g} s")


@contextmanager
def refused(code: str) -> Iterator[list[str]]:
    """The block must be refused with this error class; yields a list that gets the message."""
    message: list[str] = []
    with pytest.raises(ClientError) as caught:
        yield message
    details = caught.value.response["Error"]
    assert details["Code"] == code, details
    message.append(details["Message"])


def allow(actions: str | Sequence[str], resources: str | Sequence[str], **more: Any) -> Any:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def role(
    aws: LocalAws,
    service: str,
    policy: Policy = (),
    *,
    condition: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> str:
    """The ARN of a new role that `service` may assume and that has just this policy."""
    principal = {"AWS": f"arn:aws:iam::{LOCAL_ACCOUNT}:root"} if service == "account" else {}
    trust: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": principal or {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if condition is not None:
        trust["Condition"] = condition
    name = name or unique("role")
    iam = aws.client("iam")
    document = {"Version": "2012-10-17", "Statement": [trust]}
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))[
        "Role"
    ]["Arn"]
    if policy:
        set_policy(aws, arn, policy)
    return arn


def set_policy(aws: LocalAws, role_arn: str, policy: Policy) -> None:
    aws.client("iam").put_role_policy(
        RoleName=role_arn.rpartition("/")[2],
        PolicyName="only",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(policy)}),
    )


def acting_as(aws: LocalAws, role_arn: str) -> dict[str, str]:
    """Arguments for a client that signs as this role."""
    found = aws.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
    return {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }


def client_with(aws: LocalAws, service: str, policy: Policy) -> Any:
    """A client of `service` whose caller has just this policy."""
    return aws.client(service, **acting_as(aws, role(aws, "account", policy)))


def bucket(aws: LocalAws, name: str = "bucket") -> str:
    name = unique(name)
    aws.client("s3").create_bucket(Bucket=name)
    return name


def archive(code: str) -> bytes:
    """A function's code as Lambda takes it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        # Without the time, so that the same code is the same package.
        file.writestr(zipfile.ZipInfo("index.py"), code)
    return packed.getvalue()


def function(aws: LocalAws, code: str, *, timeout: int = 120) -> str:
    """The ARN of a new Python function; `code` defines `handler`."""
    arn: str = aws.client("lambda").create_function(
        FunctionName=unique("function"),
        Runtime="python3.13",
        Handler="index.handler",
        Role=role(aws, "lambda.amazonaws.com"),
        Code={"ZipFile": archive(code)},
        Timeout=timeout,
    )["FunctionArn"]
    return arn


def call(aws: LocalAws, arn: str, event: Any = None) -> tuple[Any, str | None]:
    """A function's answer and, when it failed, its kind of error."""
    answer = aws.client("lambda").invoke(FunctionName=arn, Payload=json.dumps(event))
    return json.load(answer["Payload"]), answer.get("FunctionError")


def machine(
    aws: LocalAws,
    states: Mapping[str, Any],
    *,
    policy: Policy = (),
    condition: Mapping[str, Any] | None = None,
    **definition: Any,
) -> str:
    """The ARN of a new state machine that starts at its first state, with just this policy."""
    body = {"StartAt": next(iter(states)), "States": states, **definition}
    arn: str = aws.client("stepfunctions").create_state_machine(
        name=unique("machine"),
        definition=json.dumps(body),
        roleArn=role(aws, "states.amazonaws.com", policy, condition=condition),
    )["stateMachineArn"]
    return arn


def task(resource: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A state machine's only state: one task."""
    resource = f"arn:aws:states:::{resource}"
    return {"T": {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}}


def run(aws: LocalAws, machine_arn: str, given: Any = None) -> dict[str, Any]:
    """One execution, ended."""
    states = aws.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=machine_arn, input=json.dumps(given or {}))[
        "executionArn"
    ]
    return ended(aws, arn)


def ended(aws: LocalAws, execution_arn: str) -> dict[str, Any]:
    """An execution once it runs no more."""
    states = aws.client("stepfunctions")

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = states.describe_execution(executionArn=execution_arn)
        return found if found["status"] != "RUNNING" else None

    found = eventually(look)
    assert found is not None
    return found


def queue(aws: LocalAws) -> tuple[str, str]:
    """URL and ARN of a new queue that anything may send to."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{LOCAL_ACCOUNT}:{url.rpartition('/')[2]}"
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    return url, arn


def received(aws: LocalAws, url: str) -> list[dict[str, Any]]:
    """Messages taken off a queue, which may be none."""
    answer = aws.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    for message in messages:
        aws.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return messages


def picture(colour: tuple[int, int, int] = (200, 30, 30), kind: str = "PNG") -> bytes:
    """A real image file of one colour, 64 × 64 pixels."""
    file = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, kind)
    return file.getvalue()


def jsonl(records: Sequence[Any]) -> bytes:
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()


@dataclass(frozen=True, slots=True)
class Pets:
    """A customization of Titan Multimodal Embeddings: buckets, data and a fitting service role."""

    aws: LocalAws
    training: str
    output: str
    role_arn: str

    POLICY_NAMES = ("read", "list", "write")

    @classmethod
    def make(cls, aws: LocalAws) -> "Pets":
        training, output = bucket(aws, "training"), bucket(aws, "output")
        s3 = aws.client("s3")
        s3.put_object(Bucket=training, Key="pets/images/cat.png", Body=picture())
        record = {"image-ref": f"s3://{training}/pets/images/cat.png", "caption": "a cat"}
        s3.put_object(Bucket=training, Key="pets/manifest.jsonl", Body=jsonl([record] * 1000))
        condition = {
            "StringEquals": {"aws:SourceAccount": LOCAL_ACCOUNT},
            "ArnLike": {
                "aws:SourceArn": f"arn:aws:bedrock:*:{LOCAL_ACCOUNT}:model-customization-job/*"
            },
        }
        role_arn = role(aws, "bedrock.amazonaws.com", condition=condition)
        pets = cls(aws=aws, training=training, output=output, role_arn=role_arn)
        set_policy(aws, role_arn, list(pets.policy().values()))
        return pets

    def policy(self) -> dict[str, Any]:
        """The five actions' worth of statements that the service role has, by name."""
        prefix = {"StringLike": {"s3:prefix": "pets/*"}}
        source = f"arn:aws:s3:::{self.training}"
        return {
            "read": allow("s3:GetObject", f"{source}/pets/*"),
            "list": allow("s3:ListBucket", source, Condition=prefix),
            "write": allow("s3:PutObject", f"arn:aws:s3:::{self.output}/jobs/pets/*"),
        }

    def request(self, **changes: Any) -> dict[str, Any]:
        """CreateModelCustomizationJob's arguments for a job that succeeds, changed."""
        name = unique("pets")
        return {
            "jobName": name,
            "customModelName": name,
            "roleArn": self.role_arn,
            "baseModelIdentifier": "amazon.titan-embed-image-v1:0",
            "trainingDataConfig": {"s3Uri": f"s3://{self.training}/pets/manifest.jsonl"},
            "outputDataConfig": {"s3Uri": f"s3://{self.output}/jobs/pets/"},
            "hyperParameters": {
                "epochCount": "Auto",
                "batchSize": "576",
                "learningRate": "0.00005",
            },
            **changes,
        }

    def start(self, **changes: Any) -> str:
        """The ARN of a new job."""
        bedrock = self.aws.client("bedrock")
        arn: str = bedrock.create_model_customization_job(**self.request(**changes))["jobArn"]
        return arn

    def finished(self, job_arn: str) -> dict[str, Any]:
        """A job once it is Completed, Failed or Stopped."""
        bedrock = self.aws.client("bedrock")

        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = bedrock.get_model_customization_job(jobIdentifier=job_arn)
            return job if job["status"] in ("Completed", "Failed", "Stopped") else None

        job = eventually(look)
        assert job is not None
        return job

    def trained(self, **changes: Any) -> str:
        """The ARN of a new custom model."""
        job = self.finished(self.start(**changes))
        assert job["status"] == "Completed", job
        model: str = job["outputModelArn"]
        return model

    def manifest(self, lines: bytes) -> str:
        """The URI of a new manifest with this text."""
        key = f"pets/{unique('manifest')}.jsonl"
        self.aws.client("s3").put_object(Bucket=self.training, Key=key, Body=lines)
        return f"s3://{self.training}/{key}"
