"""`tuning redrive`: delivers events again that could not be delivered."""

import click

from bedrock_tuning.cli.options import DeploymentOption, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import (
    confirm,
    emit,
    emit_json,
    emit_table,
    json_option,
    say,
    yes_option,
)
from bedrock_tuning.wording import counted


@command(
    order=17,
    examples=("tuning redrive", "tuning redrive --yes -e prod"),
    needs=("find the deployment", "list what is deployed", "deliver events again"),
)
@click.option("--dry-run", is_flag=True, help="List the events and leave them.")
@yes_option
@json_option
@deployment_options
def redrive(*, dry_run: bool, yes: bool, deployed: DeploymentOption, as_json: bool) -> None:
    """Empty the dead-letter queue: start the runs of uploads whose event could not be delivered.

    First repair what the reason names, usually a permission; `tuning explain` helps. Each run
    checks its dataset and its price as always, and an upload starts one run, however often its
    event comes. Scheduled calls are repeated anyway; their messages are only removed.
    """
    from bedrock_tuning.client.operations.dead_letters import deliver, letters, put_back

    deployment = deployed()
    left = letters(deployment)
    shown = [{"what": each.what, "why": each.why, "starts_run": each.starts} for each in left]
    started: list[str] = []
    try:
        if not left and not as_json:
            say("the dead-letter queue is empty: every event was delivered")
        if left and not as_json:
            emit_table(
                ("EVENT", "WHY IT WAS NOT DELIVERED"),
                ((each.what, each.why) for each in left),
                texts=("WHY IT WAS NOT DELIVERED",),
            )
        if left and not dry_run:
            runs = sum(each.starts for each in left)
            confirm(
                f"Start {counted(runs, 'run')} and remove {counted(len(left), 'message')}?",
                yes=yes,
                otherwise="to deliver them",
                unchanged="the messages stay",
            )
            while left:
                execution = deliver(deployment, left[0])
                left.pop(0)
                if execution is not None:
                    started.append(execution)
                    if not as_json:
                        emit(f"started {execution}")
    finally:
        put_back(deployment, left)
    if as_json:
        emit_json({"events": shown, "started": started})
    elif started:
        say(f"see the runs: {deployment.command('runs')}")
