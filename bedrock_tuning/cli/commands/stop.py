"""`tuning stop`: ends a run's customization job."""

from typing import TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.terminal.errors import CannotRun
from bedrock_tuning.cli.terminal.output import confirm, emit_json, json_option, say
from bedrock_tuning.client.deployment import deployment_options

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import Deployed, Deployment


@click.command()
@click.argument("run", help="The run, as in `tuning runs`.")
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can answer.")
@json_option
@deployment_options
def stop(*, run: str, deployed: "Deployed", yes: bool, as_json: bool) -> None:
    """Stop the customization job of a run; the run then ends as stopped.

    What Amazon Bedrock trained until then is billed. A stopped job cannot be continued.
    """
    from bedrock_tuning.client.runs import row

    deployment = deployed()
    found = row(deployment, run)
    job = _job(deployment, run, found)
    say(f"job {job['jobName']} of {found['customization']} is {job['status']}")
    if job["status"] != "InProgress":
        raise CannotRun(f"there is nothing to stop: the job is {job['status']}")
    confirm(
        "Stop this job? What was trained is billed and lost.",
        yes=yes,
        otherwise="to stop it",
        unchanged="the job goes on",
    )
    deployment.aws.bedrock.stop_model_customization_job(jobIdentifier=job["jobArn"])
    if as_json:
        emit_json({"run": run, "job_arn": job["jobArn"], "status": "Stopping"})
    else:
        say(f"stopping; follow it with: {deployment.command(f'run {run} --follow')}")


def _job(deployment: "Deployment", run: str, found: dict[str, Any]) -> Any:
    """The run's job as Bedrock sees it; raises CannotRun when there is none."""
    bedrock = deployment.aws.bedrock
    fix = f"`{deployment.command(f'run {run}')}` shows it"
    if found["status"] == "awaiting-approval":
        decline = deployment.command(f"approve {run} --decline")
        fix = f'`{decline} --reason "…"` ends it'
    name = found.get("job_arn") or found.get("job_name")
    nothing = CannotRun(f"run {run} has no job to stop: it is {found['status']}", fix=fix)
    if not name:
        raise nothing
    try:
        return bedrock.get_model_customization_job(jobIdentifier=name)
    except bedrock.exceptions.ResourceNotFoundException:
        raise nothing from None
