"""Following a run to its end: one line per step, also from the upload that waited to its run."""

import time
from collections.abc import Callable
from typing import Any, Final

from bedrock_tuning.cli.terminal.errors import Interrupted
from bedrock_tuning.cli.terminal.output import say
from bedrock_tuning.client.deployment import Deployment
from bedrock_tuning.client.executions import History
from bedrock_tuning.client.runs import Row, resolved, row

POLL_SECONDS: Final = 2.0

Tell = Callable[[str], None]


def follow(deployment: Deployment, found: Row, *, tell: Tell) -> dict[str, Any]:
    """Follows a run until it ends; returns its row then, or that of the run that took its dataset.

    tell: receives a line per step. Raises Interrupted, with what goes on, for Ctrl-C.
    """
    run = str(found["run"])
    try:
        found = _taken(deployment, found)
        run = str(found["run"])
        _steps(deployment, found, tell=tell)
        return resolved(deployment, row(deployment, run))
    except KeyboardInterrupt:
        waits = found["status"] == "waiting"
        what = "the upload goes on waiting" if waits else f"run {run} goes on in AWS"
        again = deployment.command(f"run {run} -f")
        raise Interrupted(f"no longer followed, {what}", fix=f"follow it again: {again}") from None


def _taken(deployment: Deployment, found: Row) -> Row:
    """The run itself, or for an upload that waits for its other manifest, the run that takes it."""
    found = resolved(deployment, found)
    if found["status"] == "waiting":
        say(f"{found.get('message', 'the other manifest is missing')}; waiting for it")
    while found["status"] == "waiting":
        time.sleep(POLL_SECONDS)
        found = resolved(deployment, found)
    if "taken_by" not in found:
        return found
    say(f"{found['message']}; following that one")
    return row(deployment, str(found["taken_by"]))


def _steps(deployment: Deployment, found: Row, *, tell: Tell) -> None:
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
            say_why(deployment, row(deployment, str(found["run"])))
        time.sleep(POLL_SECONDS)


def say_why(deployment: Deployment, found: Row) -> None:
    """Why a run waits for a person, what it would cost, and how to answer."""
    run = found["run"]
    say(f"it waits for you: {found.get('approval_reason', 'its price is to be approved')}")
    for line in str(found.get("estimate", "no estimate was recorded")).splitlines():
        say(f"  {line}")
    say(f"  yes: {deployment.command(f'approve {run}')}")
    say("  no:  " + deployment.command(f'approve {run} --decline --reason "…"'))
