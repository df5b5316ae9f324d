"""`tuning runs`: the newest runs of a deployment."""

import click

from bedrock_tuning.cli.options import DeploymentOption, customization_option, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit_json, emit_table, json_option, say


@command(
    order=2,
    examples=(
        "tuning runs -c pets-search --limit 5",
        "tuning runs --json | jq '.[0].status'",
    ),
    needs=("find the deployment", "read runs"),
)
@customization_option("Only runs of this customization.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Show at most this many runs.",
)
@json_option
@deployment_options
def runs(
    *, deployed: DeploymentOption, customization: str | None, limit: int, as_json: bool
) -> None:
    """List runs, newest first: the result of each upload, and what to do next."""
    from bedrock_tuning.client.next_steps import next_step, result
    from bedrock_tuning.client.runs import rows, visible

    deployment = deployed()
    run_rows = rows(deployment, customization=customization, limit=limit)
    if as_json:
        emit_json([visible(row) for row in run_rows])
        return
    if not run_rows:
        owner = f" of {customization}" if customization else ""
        start = deployment.command(f"upload DATASET -c {customization or 'NAME'}")
        say(f"no run{owner} yet in {deployment.environment}: `{start}` starts one")
        return
    emit_table(
        ("RUN", "CUSTOMIZATION", "STATUS", "RESULT", "NEXT"),
        (
            (
                str(row["run"]),
                str(row["customization"]),
                str(row["status"]),
                result(row),
                next_step(deployment, row),
            )
            for row in run_rows
        ),
        texts=("RESULT",),
    )
    say(f"details of a run: {deployment.command('run RUN')}")
