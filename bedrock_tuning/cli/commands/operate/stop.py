"""`tuning stop`: ends a run's customization job."""

from typing import TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.options import DeploymentOption, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import confirm, emit_json, json_option, say, yes_option
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import DeploymentClient


@command(
    order=9,
    examples=("tuning stop RUN",),
    needs=("find the deployment", "read runs", "stop jobs"),
)
@click.argument("run", help="The run, as in `tuning runs`.")
@yes_option
@json_option
@deployment_options
def stop(*, run: str, deployed: DeploymentOption, yes: bool, as_json: bool) -> None:
    """Stop the customization job of a run; the run then ends as stopped.

    You are billed for training up to that point. A stopped job cannot be resumed.
    """
    from bedrock_tuning.client.runs import row

    deployment = deployed()
    details = row(deployment, run)
    job = _job(deployment, run, details)
    say(f"job {job['jobName']} of {details['customization']} is {job['status']}")
    if job["status"] != "InProgress":
        raise UserError(
            f"there is nothing to stop: the job is {job['status']}",
            fix=f"`{deployment.command(f'run {run}')}` shows what became of the run",
        )
    confirm(
        "Stop this job? Training so far is billed and lost.",
        yes=yes,
        otherwise="to stop it",
        unchanged="the job continues",
    )
    deployment.aws.bedrock.stop_model_customization_job(jobIdentifier=job["jobArn"])
    if as_json:
        emit_json({"run": run, "job_arn": job["jobArn"], "status": "Stopping"})
    else:
        say(f"stopping; follow it with: {deployment.command(f'run {run} --follow')}")


def _job(deployment: "DeploymentClient", run: str, details: dict[str, Any]) -> Any:
    """The run's job as Bedrock sees it; raises UserError when there is none."""
    bedrock = deployment.aws.bedrock
    fix = f"`{deployment.command(f'run {run}')}` shows it"
    if details["status"] == "awaiting-approval":
        decline = deployment.command(f"approve {run} --decline")
        fix = f'`{decline} --reason "…"` ends it'
    name = details.get("job_arn") or details.get("job_name")
    error = UserError(f"run {run} has no job to stop: it is {details['status']}", fix=fix)
    if not name:
        raise error
    try:
        return bedrock.get_model_customization_job(jobIdentifier=name)
    except bedrock.exceptions.ResourceNotFoundException:
        raise error from None
