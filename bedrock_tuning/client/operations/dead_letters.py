"""Events that could not be delivered, and their second delivery."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.inventory import dead_letters
from bedrock_tuning.config.names import stack_name
from bedrock_tuning.errors import UserError

# While a person reads and decides, nobody else gets the messages.
_VISIBLE_AFTER_SECONDS: Final = 300
_BATCH: Final = 10
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One event. what: in words. why: it was not delivered. starts: an upload, whose run starts.

    queue, id, receipt: for SQS. event: as EventBridge had it.
    """

    queue: str
    id: str
    receipt: str
    what: str
    why: str
    starts: bool
    event: str


def letters(deployment: DeploymentClient) -> list[Letter]:
    """What waits in the dead-letter queue, hidden from others for five minutes."""
    sqs, url = deployment.aws.sqs, _queue(deployment)
    letters_by_id: dict[str, Letter] = {}
    while len(letters_by_id) < _MOST:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=_BATCH,
            MessageAttributeNames=["All"],
            VisibilityTimeout=_VISIBLE_AFTER_SECONDS,
        )
        messages = answer.get("Messages", ())
        letters_by_id |= {message["MessageId"]: _letter(url, message) for message in messages}
        if not messages:
            break
    return list(letters_by_id.values())


def deliver(deployment: DeploymentClient, letter: Letter) -> str | None:
    """Starts the run of an upload, or does nothing for what comes again by itself; removes it.

    Returns the execution's ARN, if one was started. A second call starts no second one.
    """
    arn = None
    if letter.starts:
        arn = deployment.aws.stepfunctions.start_execution(
            stateMachineArn=deployment.workflow_arn,
            name=f"redrive-{letter.id}",
            input=letter.event,
        )["executionArn"]
    deployment.aws.sqs.delete_message(QueueUrl=letter.queue, ReceiptHandle=letter.receipt)
    return arn


def put_back(deployment: DeploymentClient, messages: Sequence[Letter]) -> None:
    """Shows messages to others again that were not delivered."""
    for letter in messages:
        deployment.aws.sqs.change_message_visibility(
            QueueUrl=letter.queue, ReceiptHandle=letter.receipt, VisibilityTimeout=0
        )


def _queue(deployment: DeploymentClient) -> str:
    url = dead_letters(deployment.aws, deployment.environment)
    if not url:
        raise UserError(
            "no dead-letter queue found",
            where=stack_name(deployment.environment, "pipeline"),
            fix="deploy this version of the project",
        )
    return url


def _letter(queue: str, message: Any) -> Letter:
    body = message["Body"]
    attributes = {
        name: attribute.get("StringValue", "")
        for name, attribute in message.get("MessageAttributes", {}).items()
    }
    meaning, starts = _meaning(body)
    return Letter(
        queue=queue,
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        what=meaning,
        why=" ".join(_reasons(attributes)) or "no reason was given",
        starts=starts,
        event=body,
    )


def _reasons(attributes: dict[str, str]) -> Iterator[str]:
    for name in ("ERROR_CODE", "ERROR_MESSAGE"):
        if attributes.get(name):
            yield attributes[name]


def _meaning(body: str) -> tuple[str, bool]:
    try:
        event = json.loads(body)
        kind = event.get("detail-type", "")
    except (AttributeError, ValueError):
        return "a call by the clock, which comes again by itself", False
    if kind == "Object Created":
        detail = event["detail"]
        return f"upload s3://{detail['bucket']['name']}/{detail['object']['key']}", True
    if kind:
        return f"{kind}: the reconciler has seen to it since", False
    return "a call by the clock, which comes again by itself", False
