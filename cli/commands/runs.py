"""`tuning runs`: the newest runs of a deployment."""

from typing import TYPE_CHECKING

import click

from cli.deployment import deployment_options
from cli.output import emit_json, emit_table, json_option, say

if TYPE_CHECKING:
    from cli.deployment import Deployed

_MESSAGE_MAX = 70


@click.command()
@click.option("--customization", "-c", help="Only runs of this customization.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many, the newest first.",
)
@json_option
@deployment_options
def runs(*, deployed: "Deployed", customization: str | None, limit: int, as_json: bool) -> None:
    """List runs, newest first: what became of each upload."""
    from cli.runs_table import rows, visible

    deployment = deployed()
    found = rows(deployment, customization=customization, limit=limit)
    if as_json:
        emit_json([visible(row) for row in found])
        return
    if not found:
        whose = f" of {customization}" if customization else ""
        say(f"no run{whose} yet in {deployment.environment}: `tuning upload` starts one")
        return
    emit_table(
        ("RUN", "CUSTOMIZATION", "STATUS", "UPDATED", "MESSAGE"),
        (
            (
                str(row["run"]),
                str(row["customization"]),
                str(row["status"]),
                str(row.get("updated", "")),
                _short(str(row.get("message", ""))),
            )
            for row in found
        ),
    )
    say("more about one: tuning run RUN")


def _short(message: str) -> str:
    line = message.partition("\n")[0]
    return line if len(line) <= _MESSAGE_MAX else f"{line[:_MESSAGE_MAX]}…"
