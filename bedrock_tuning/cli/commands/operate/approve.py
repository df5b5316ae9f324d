"""`tuning approve`: a person agrees to the price of a run, or declines it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import DeploymentOption, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import confirm, emit_json, json_option, say, yes_option
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import DeploymentClient


@command(
    order=5,
    examples=(
        "tuning approve RUN",
        "tuning approve RUN --decline --reason 'too expensive'",
    ),
    needs=("find the deployment", "read runs", "approve prices", "ask for quotas"),
)
@click.argument("run", help="The run, as in `tuning runs`.")
@click.option("--decline", is_flag=True, help="Decline: the run ends and nothing is billed.")
@click.option("--reason", help="Reason, recorded in the run with your ARN. Required to decline.")
@yes_option
@json_option
@deployment_options
def approve(
    *,
    run: str,
    deployed: DeploymentOption,
    decline: bool,
    reason: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Approve or decline the price of a run that waits for approval.

    A function receives the answer and knows from your signature who you are. It records who
    decided, when, why, at which price, and exactly what was approved; `tuning approvals` lists all
    decisions.
    """
    from bedrock_tuning.client.approvals import require_waiting, send_decision
    from bedrock_tuning.client.runs import row
    from bedrock_tuning.run.approvals import ApprovalAnswer

    if decline and not reason:
        raise UserError("a declined run needs a reason", fix='add --reason "…"')
    deployment = deployed()
    details = row(deployment, run)
    require_waiting(deployment, details)
    say(f"Run {run} of {details['customization']} would cost:")
    say(str(details.get("estimate", "unknown: no estimate was recorded")))
    verb = "Decline" if decline else "Approve"
    if details.get("approval_reason"):
        say(f"Approval is needed because {details['approval_reason']}.")
    if not decline:
        for line in _shortages(deployment, details["customization"]):
            say(line)
    confirm(
        f"{verb} this run?",
        yes=yes,
        otherwise=f"to {verb.lower()} it",
        unchanged="the run is still waiting"
        if decline
        else "the run is still waiting; "
        f'to end it: {deployment.command(f"approve {run} --decline")} --reason "…"',
    )
    answer = ApprovalAnswer(
        run=run, decision="decline" if decline else "approve", reason=reason or ""
    )
    decision = send_decision(deployment, answer)
    if as_json:
        emit_json(
            {"run": run, "decision": decision.past, "by": decision.by, "reason": decision.reason}
        )
    else:
        say(
            f"{decision.past} as {decision.by}; follow it with: "
            f"{deployment.command(f'run {run} --follow')}"
        )


def _shortages(deployment: "DeploymentClient", name: str) -> Iterator[str]:
    """Why the model could not be served once it is paid for."""
    from botocore.exceptions import BotoCoreError, ClientError

    from bedrock_tuning.sources.quotas import lacking

    settings, aws = deployment.customizations.get(name), deployment.aws
    if settings is None:
        return
    try:
        shortages = lacking(
            settings,
            environment=deployment.environment,
            service_quotas=aws.service_quotas,
            bedrock=aws.bedrock,
        )
    except (BotoCoreError, ClientError) as error:
        yield f"Whether the model can be served is not known: {error}"
        return
    for shortage in shortages:
        yield f"Warning: {shortage}"
