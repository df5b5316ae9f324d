"""`tuning logs`: what the workflow and the functions logged about a run."""

import click

from bedrock_tuning.cli.options import DeploymentOption, deployment_options, run_or_latest
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import Interrupted
from bedrock_tuning.cli.terminal.output import emit, emit_json, json_option, say


@command(
    order=16,
    examples=("tuning logs RUN", "tuning logs latest -c pets-search --follow"),
    needs=("find the deployment", "list what is deployed", "read runs", "follow runs", "read logs"),
)
@run_or_latest
@click.option("--follow", "-f", is_flag=True, help="Show lines as they arrive until the run ends.")
@click.option(
    "--all", "every", is_flag=True, help="Show all lines of that time, whatever run they are from."
)
@json_option
@deployment_options
def logs(
    *,
    run: str,
    customization: str | None,
    follow: bool,
    every: bool,
    deployed: DeploymentOption,
    as_json: bool,
) -> None:
    """Show the steps and errors of a run's execution, with what functions logged about it.

    Warnings and errors of the same time are also shown, whatever run they belong to. Times are in
    UTC. Lines arrive a few seconds late.
    """
    from bedrock_tuning.client.operations.logs import RunLogs
    from bedrock_tuning.client.runs import chosen, row

    deployment = deployed()
    details = row(deployment, chosen(deployment, run, customization=customization))
    run_logs = RunLogs(deployment, details, every=every)
    lines = []
    try:
        for line in run_logs.follow() if follow else run_logs.news():
            lines.append(line)
            if not as_json:
                emit(str(line))
    except KeyboardInterrupt:
        follow_command = deployment.command(f"logs {details['run']} -f")
        raise Interrupted(
            "no longer following", fix=f"to follow it again: {follow_command}"
        ) from None
    if as_json:
        emit_json(lines)
    elif not lines:
        say("no line is kept of this run any more")
