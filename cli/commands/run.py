"""`tuning run`: one run in full, and while it runs."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from cli.deployment import deployment_options
from cli.errors import EXIT_NO, CannotRun
from cli.output import emit, emit_json, json_option, say

if TYPE_CHECKING:
    from cli.deployment import Deployed, Deployment

_POLL_SECONDS = 2.0


@click.command()
@click.argument("run", help="The run, as in `tuning runs`, or the word latest.")
@click.option("--customization", "-c", help="With latest: the newest run of this customization.")
@click.option("--follow", "-f", is_flag=True, help="One line per step until the run ends.")
@json_option
@deployment_options
@click.pass_context
def run(
    ctx: click.Context,
    /,
    *,
    run: str,
    customization: str | None,
    follow: bool,
    deployed: "Deployed",
    as_json: bool,
) -> None:
    """Show a run: what became of it, where its report, metrics, model and endpoint are.

    With --follow, exit code 1 means that the run ended without what it was started for.
    """
    from cli.executions import GOOD
    from cli.runs_table import row, rows, visible

    deployment = deployed()
    if run == "latest":
        newest = rows(deployment, customization=customization, limit=1)
        if not newest:
            raise CannotRun("there is no run yet", fix="`tuning upload` starts one")
        run = str(newest[0]["run"])
    found = row(deployment, run)
    if follow:
        _follow(deployment, found, tell=say if as_json else emit)
        found = row(deployment, run)
    if as_json:
        emit_json(visible(found))
    else:
        _show(visible(found))
        if found["status"] == "awaiting-approval":
            say(f"it waits for you: tuning approve {run}")
    if follow and found["status"] not in GOOD:
        ctx.exit(EXIT_NO)


def _follow(
    deployment: "Deployment",
    found: dict[str, Any],
    *,
    tell: Callable[[str], None],
    wait: Callable[[float], None] = time.sleep,
) -> None:
    from cli.executions import History

    if "execution" not in found:
        # Runs that a deployment or `tuning serve` started are written down when they end.
        say("this run has no history to follow; it ended as shown")
        return
    history = History(deployment, str(found["execution"]))
    while True:
        # Asked before the news, so that none is lost between the last news and the end.
        status = history.status()
        if status is None:
            say("the history of this run is no longer kept")
            return
        news = list(history.news())
        for entered in news:
            tell(str(entered))
        if status != "RUNNING":
            return
        if news and news[-1].state == "Await approval":
            say(f"it waits for you: tuning approve {found['run']}")
        wait(_POLL_SECONDS)


def _show(shown: dict[str, Any]) -> None:
    width = max(len(name) for name in shown)
    for name, value in shown.items():
        text = str(value).replace("\n", "\n" + " " * (width + 2))
        emit(f"{name.ljust(width)}  {text}")
