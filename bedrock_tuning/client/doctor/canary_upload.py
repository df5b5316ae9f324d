"""An upload that must start nothing, and one that cannot be delivered: they cost nothing.

The manifest lies in a folder that is no customization's. Its event has to reach the workflow, which
has to leave it alone; for its time the rule gets a second target, which its role may not reach, and
whose event has to arrive in the dead-letter queue.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Final

from bedrock_tuning import s3_layout
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.doctor.check import Observation, Subject, doctor_check, fail, ok
from bedrock_tuning.client.doctor.deployed_roles import stack_resources
from bedrock_tuning.config.names import stack_name
from bedrock_tuning.contracts import contracts

# EventBridge delivers within seconds, late ones within minutes.
_PATIENCE: Final = 5 * 60.0
_PAUSE: Final = 1.0
# What the workflow's state has of an upload for which a function was asked: the answer of Admit.
_ADMITTED: Final = "admission"


@doctor_check(
    "uploads reach the workflow, and those that cannot are kept",
    asks="s3:PutObject, events:PutTargets and sqs:ReceiveMessage",
    option="--canary-upload",
    costs="0 USD: a manifest in a folder of no customization, and for a minute a second target "
    "of the rule that starts runs",
)
def _canary_upload(subject: Subject) -> Iterator[Observation]:
    deployment = subject.deployment
    if deployment is None:
        return
    places = contracts(subject.settings, deployment.customizations).places
    names = dict(stack_resources(subject))

    def name(what: str) -> str:
        place = places[what]
        return names[f"{stack_name(subject.settings.name, place.stack)}/{place.path}"]

    folder = f"doctor-{token_hex(4)}"
    with (
        _lost_target(
            subject,
            rule=name("upload-rule"),
            role=name("role.upload-rule"),
            queue=name("dead-letters"),
            workflow=deployment.workflow_arn,
        ),
        _upload(subject, deployment, folder),
    ):
        deadline = time.monotonic() + _PATIENCE
        yield _check_workflow(subject, deployment, folder, deadline)
        yield _check_queue(subject, name("dead-letters"), folder, deadline)


@contextmanager
def _upload(subject: Subject, deployment: DeploymentClient, folder: str) -> Iterator[None]:
    s3, bucket = subject.aws.s3, deployment.buckets.training
    key = s3_layout.manifest_key(folder)
    version = s3.put_object(Bucket=bucket, Key=key, Body=b'{"canary": "of tuning doctor"}\n')
    try:
        yield
    finally:
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])


@contextmanager
def _lost_target(
    subject: Subject, *, rule: str, role: str, queue: str, workflow: str
) -> Iterator[None]:
    """A second target of the rule, which is not there: its events go to the dead-letter queue."""
    events, id = subject.aws.events, f"doctor-{token_hex(4)}"
    letters = subject.aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    target = {
        "Id": id,
        "Arn": f"{workflow}-{id}",
        "RoleArn": subject.aws.iam.get_role(RoleName=role)["Role"]["Arn"],
        "DeadLetterConfig": {"Arn": letters["Attributes"]["QueueArn"]},
        "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
    }
    failures = events.put_targets(Rule=rule, Targets=[target])["FailedEntries"]
    try:
        if failures:
            raise RuntimeError(f"EventBridge takes no second target: {failures[0]['ErrorMessage']}")
        yield
    finally:
        events.remove_targets(Rule=rule, Ids=[id])


def _check_workflow(
    subject: Subject, deployment: DeploymentClient, folder: str, deadline: float
) -> Observation:
    states = subject.aws.stepfunctions
    while time.monotonic() < deadline:
        answer = states.list_executions(stateMachineArn=deployment.workflow_arn, maxResults=20)
        for execution in answer["executions"]:
            details = states.describe_execution(executionArn=execution["executionArn"])
            if folder not in details.get("input", "") or details["status"] == "RUNNING":
                continue
            if details["status"] == "SUCCEEDED" and _ADMITTED not in json.loads(details["output"]):
                return ok("an upload reaches the workflow, which leaves it alone")
            return fail(
                f"an upload to a folder of no customization ends as {details['status']}: "
                f"{details.get('cause', 'it became a run')}",
                fix=deployment.command(f"run {execution['name']}"),
            )
        time.sleep(_PAUSE)
    return fail(
        f"an upload did not reach the workflow within {_PATIENCE / 60:.0f} minutes",
        "cdk deploy --all --revert-drift: the bucket's events or the rule were changed",
    )


def _check_queue(subject: Subject, queue: str, folder: str, deadline: float) -> Observation:
    sqs = subject.aws.sqs
    while time.monotonic() < deadline:
        # Short, so that messages of others are there again at once.
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=2)
        for message in answer.get("Messages", ()):
            if folder in json.dumps(message["Body"]):
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                return ok(
                    "an event that cannot be delivered arrives in the dead-letter queue",
                    learned={"dead-letter-encryption": "as we assume"},
                )
        time.sleep(_PAUSE)
    return fail(
        "an event that could not be delivered is in no queue: such uploads are lost",
        fix="the policy of the queue and of its key must let EventBridge in, without a condition "
        "on the key: cdk deploy --all --revert-drift",
        learned={"dead-letter-encryption": "the event was lost"},
    )
