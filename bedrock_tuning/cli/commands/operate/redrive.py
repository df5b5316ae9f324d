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
    waiting = letters(deployment)
    events = [
        {"what": letter.what, "why": letter.why, "starts_run": letter.starts} for letter in waiting
    ]
    started: list[str] = []
    try:
        if not waiting and not as_json:
            say("the dead-letter queue is empty: every event was delivered")
        if waiting and not as_json:
            emit_table(
                ("EVENT", "WHY IT WAS NOT DELIVERED"),
                ((letter.what, letter.why) for letter in waiting),
                texts=("WHY IT WAS NOT DELIVERED",),
            )
        if waiting and not dry_run:
            runs = sum(letter.starts for letter in waiting)
            confirm(
                f"Start {counted(runs, 'run')} and remove {counted(len(waiting), 'message')}?",
                yes=yes,
                otherwise="to deliver them",
                unchanged="the messages stay",
            )
            while waiting:
                execution = deliver(deployment, waiting[0])
                waiting.pop(0)
                if execution is not None:
                    started.append(execution)
                    if not as_json:
                        emit(f"started {execution}")
    finally:
        put_back(deployment, waiting)
    if as_json:
        emit_json({"events": events, "started": started})
    elif started:
        say(f"see the runs: {deployment.command('runs')}")
