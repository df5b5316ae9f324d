"""A person's answer to the price of a run that waits for it."""

import json
from typing import Any, Final

from bedrock_tuning.client.deployment import Deployment
from bedrock_tuning.client.runs import Row
from bedrock_tuning.errors import UserError

# What Step Functions answers when the wait is over: approved, declined, expired or aborted.
_OVER: Final = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


def require_waiting(deployment: Deployment, run: Row) -> None:
    """Raises UserError for a run that waits for nobody's answer."""
    if run["status"] != "awaiting-approval" or not run.get("approval_token"):
        name = run["run"]
        raise UserError(
            f"run {name} is not waiting for approval: it is {run['status']}",
            fix=f"`{deployment.command(f'run {name}')}` shows it",
        )


def approve(deployment: Deployment, run: Row, *, reason: str = "") -> str:
    """Agrees to the price; returns the ARN that is recorded. Raises UserError if nobody waits."""
    who = _caller(deployment)
    output = {"approved_by": who, "reason": reason}
    _answer(deployment, run, "send_task_success", output=json.dumps(output))
    return who


def decline(deployment: Deployment, run: Row, *, reason: str) -> str:
    """Ends the run; returns the ARN that is recorded. Raises UserError if nobody waits."""
    who = _caller(deployment)
    cause = json.dumps({"declined_by": who, "reason": reason})
    _answer(deployment, run, "send_task_failure", error="Declined", cause=cause)
    return who


def _caller(deployment: Deployment) -> str:
    return str(deployment.aws.sts.get_caller_identity()["Arn"])


def _answer(deployment: Deployment, run: Row, method: str, **answer: str) -> None:
    from botocore.exceptions import ClientError

    require_waiting(deployment, run)
    call: Any = getattr(deployment.aws.stepfunctions, method)
    try:
        call(taskToken=run["approval_token"], **answer)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _OVER:
            raise
        name = run["run"]
        raise UserError(
            f"run {name} is no longer waiting: it was approved, declined or stopped, or it expired",
            fix=f"`{deployment.command(f'run {name}')}` shows it",
        ) from None
