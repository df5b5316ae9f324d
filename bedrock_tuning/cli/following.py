"""Shows a run as it happens: one line per state, then how it ended."""

from collections.abc import Callable
from typing import Any

from bedrock_tuning.cli.terminal.errors import EXIT_NO, EXIT_WAITS, Interrupted
from bedrock_tuning.cli.terminal.output import on_terminal, say
from bedrock_tuning.client import executions
from bedrock_tuning.client.deployment import Deployment
from bedrock_tuning.client.runs import Row


def show_until_end(
    deployment: Deployment, run: Row, *, show: Callable[[str], None]
) -> dict[str, Any]:
    """Follows a run until it ends; returns its row then, or that of the run that took its dataset.

    Where nobody can answer, it ends at the question for approval. show: receives a line per state.
    Raises Interrupted, with what continues, for Ctrl-C.
    """
    current: Row = run
    try:
        for event in executions.follow(deployment, run):
            match event:
                case executions.Entered():
                    show(str(event))
                case executions.AwaitingManifest(run=current):
                    say(f"{current.get('message', 'the other manifest is missing')}; waiting …")
                case executions.TakenOver(run=current):
                    say(f"{event.message}; following that run")
                case executions.AwaitingApproval():
                    show_question(deployment, event.run)
                    if not on_terminal():
                        return dict(event.run)
                case executions.NoHistory():
                    say(event.reason)
                case executions.Ended():
                    return event.run
    except KeyboardInterrupt:
        waits = current["status"] == "waiting"
        what = "the upload is still waiting" if waits else f"run {current['run']} continues in AWS"
        again = deployment.command(f"run {current['run']} -f")
        raise Interrupted(
            f"no longer following, {what}", fix=f"to follow it again: {again}"
        ) from None
    raise AssertionError("a followed run ends with Ended")


def exit_code(run: Row) -> int:
    """Of a command that followed a run: it reached its goal, it did not, or it waits for you."""
    if run["status"] == "awaiting-approval":
        return EXIT_WAITS
    return 0 if run["status"] in executions.GOOD else EXIT_NO


def show_question(deployment: Deployment, run: Row) -> None:
    """Why a run waits for a person, what it would cost, and how to answer."""
    name = run["run"]
    say(f"it waits for you: {run.get('approval_reason', 'its price needs approval')}")
    for line in str(run.get("estimate", "no estimate was recorded")).splitlines():
        say(f"  {line}")
    say(f"  yes: {deployment.command(f'approve {name}')}")
    say("  no:  " + deployment.command(f'approve {name} --decline --reason "…"'))
