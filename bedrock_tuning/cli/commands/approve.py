"""`tuning approve`: a person agrees to the price of a run, or declines it."""

import json
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.terminal.errors import CannotRun
from bedrock_tuning.cli.terminal.output import confirm, emit_json, json_option, say
from bedrock_tuning.client.deployment import deployment_options

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import Deployed, Deployment

# What Step Functions answers when the wait is over: approved, declined, expired or aborted.
_OVER = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


@click.command()
@click.argument("run", help="The run, as in `tuning runs`.")
@click.option("--decline", is_flag=True, help="Say no: the run ends and nothing is billed.")
@click.option("--reason", help="Why; recorded with the run. Needed to decline.")
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can answer.")
@json_option
@deployment_options
def approve(
    *,
    run: str,
    deployed: "Deployed",
    decline: bool,
    reason: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Approve the price of a run that waits for it, or decline it."""
    from bedrock_tuning.client.runs import row

    if decline and not reason:
        raise CannotRun("a declined run needs a reason", fix='add --reason "…"')
    deployment = deployed()
    found = row(deployment, run)
    token = found.get("approval_token")
    if not token or found["status"] != "awaiting-approval":
        raise CannotRun(
            f"run {run} does not wait for approval: it is {found['status']}",
            fix=f"`{deployment.command(f'run {run}')}` shows it",
        )
    say(f"Run {run} of {found['customization']} would cost:")
    say(str(found.get("estimate", "unknown: no estimate was recorded")))
    verb = "Decline" if decline else "Approve"
    if found.get("approval_reason"):
        say(f"You are asked because {found['approval_reason']}.")
    confirm(
        f"{verb} this run?",
        yes=yes,
        otherwise=f"to {verb.lower()} it",
        unchanged="the run goes on waiting for an answer"
        if decline
        else "the run goes on waiting; "
        f'to end it: {deployment.command(f"approve {run} --decline")} --reason "…"',
    )
    who = deployment.aws.sts.get_caller_identity()["Arn"]
    _answer(deployment, run, token=token, who=who, decline=decline, reason=reason)
    decision = "declined" if decline else "approved"
    if as_json:
        emit_json({"run": run, "decision": decision, "by": who, "reason": reason})
    else:
        say(f"{decision}; follow it with: {deployment.command(f'run {run} --follow')}")


def _answer(
    deployment: "Deployment", run: str, *, token: str, who: str, decline: bool, reason: str | None
) -> None:
    from botocore.exceptions import ClientError

    states = deployment.aws.stepfunctions
    try:
        if decline:
            states.send_task_failure(
                taskToken=token, error="Declined", cause=f"{reason} (declined by {who})"
            )
        else:
            output = {"approved_by": who, "reason": reason or ""}
            states.send_task_success(taskToken=token, output=json.dumps(output))
    except ClientError as error:
        if error.response["Error"]["Code"] not in _OVER:
            raise
        raise CannotRun(
            f"run {run} no longer waits: it was approved, declined or stopped, or its time ran out",
            fix=f"`{deployment.command(f'run {run}')}` shows it",
        ) from None
