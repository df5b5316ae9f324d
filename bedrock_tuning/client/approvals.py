"""A person's answer to a run that waits, and what is kept of such answers."""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from bedrock_tuning import s3_layout
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.errors import DeniedError, UserError
from bedrock_tuning.run.approvals import ApprovalAnswer, Decision
from bedrock_tuning.run.row import Row
from bedrock_tuning.sources.listing import objects

_POLL_SECONDS: Final = 1.0
# A run says that it waits a moment before its question can be answered.
_PATIENCE_SECONDS: Final = 30.0
_TOO_EARLY: Final = 425


def send_decision(deployment: DeploymentClient, answer: ApprovalAnswer) -> Decision:
    """Sends an answer, signed, to the function that takes it; what is kept of it.

    Raises DeniedError for a caller who may not decide, UserError for a run that no longer waits.
    """
    status, reply = _send(deployment, answer)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while status == _TOO_EARLY and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        status, reply = _send(deployment, answer)
    if status == 200:
        return msgspec.convert(reply, Decision)
    reason = str(
        reply.get("error") or reply.get("message") or reply.get("Message") or "no reason given"
    )
    # AWS's own refusal, before the function is asked.
    if status == 403:
        raise DeniedError(
            f"you may not approve or decline runs in {deployment.environment}: {reason}"
        )
    if status in (400, 404, 409, _TOO_EARLY):
        raise UserError(reason, fix=f"`{deployment.command(f'run {answer.run}')}` shows it")
    raise UserError(
        f"the answer could not be recorded: {status}: {reason}",
        fix=f"`{deployment.command(f'logs {answer.run}')}` shows what went wrong; then send it "
        "again: no answer is recorded twice",
    )


def require_waiting(deployment: DeploymentClient, run: Row) -> None:
    """Raises UserError for a run that waits for nobody's answer."""
    if run["status"] != "awaiting-approval":
        name = run["run"]
        raise UserError(
            f"run {name} is not waiting for approval: it is {run['status']}",
            fix=f"`{deployment.command(f'run {name}')}` shows it",
        )


def _send(deployment: DeploymentClient, answer: ApprovalAnswer) -> tuple[int, dict[str, Any]]:
    status, body = deployment.aws.signed_post(
        deployment.approval_url, answer.to_json(), service="lambda"
    )
    try:
        reply = json.loads(body)
    except ValueError:
        reply = None
    return status, reply if isinstance(reply, dict) else {"error": body}


def decisions(deployment: DeploymentClient, *, customization: str | None) -> Iterator[Decision]:
    """The trail, of one customization or of all: by customization, run and time."""
    s3, bucket = deployment.aws.s3, deployment.buckets.output
    prefix = f"{s3_layout.APPROVALS}/{f'{customization}/' if customization else ''}"
    for entry in objects(s3, bucket, prefix):
        body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        yield Decision.from_json(body.decode())
