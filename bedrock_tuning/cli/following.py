"""Shows a run as it happens: one line per event, what goes on meanwhile, then how it ended."""

import shutil
import sys
from collections.abc import Callable
from typing import Any, Final

import click

from bedrock_tuning.cli.terminal.errors import EXIT_NO, EXIT_WAITS, Interrupted
from bedrock_tuning.cli.terminal.output import on_terminal, say
from bedrock_tuning.client import approvals, executions
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.errors import DeniedError, UserError
from bedrock_tuning.run.approvals import ApprovalAnswer
from bedrock_tuning.run.row import WAITS, Row
from bedrock_tuning.wording import printable

_CLEAR_LINE: Final = "\r\x1b[2K"


def show_until_end(
    deployment: DeploymentClient, run: Row, *, show: Callable[[str], None]
) -> dict[str, Any]:
    """Follows a run until it ends; returns its row then, or that of the run that took its dataset.

    At a terminal, it asks you to approve the price. Without one, or if you answer no, it returns
    the row of the waiting run. show: receives a line per event. Raises Interrupted on Ctrl-C, which
    says what continues.
    """
    current: Row = run
    live, detail = _LiveLine(), ""
    try:
        for event in executions.follow(deployment, run):
            if isinstance(event, executions.Working):
                if not live.draw(str(event)) and event.detail not in ("", detail):
                    show(str(event))
                detail = event.detail
                continue
            live.clear()
            match event:
                case executions.Happened():
                    show(str(event))
                case executions.AwaitingManifest(run=current):
                    say(f"{current.get('message', 'the other manifest is missing')}; waiting …")
                case executions.TakenOver(run=current):
                    say(f"{event.message}; following that run")
                case executions.AwaitingApproval():
                    show_question(deployment, event.run)
                    if not on_terminal() or not _ask_for_approval(deployment, event.run):
                        return dict(event.run)
                case executions.Died():
                    command = deployment.command(f"run {current['run']}")
                    say(
                        f"its execution has ended ({event.how}), which its record does not say "
                        f"yet: Reconcile corrects that within minutes, and {command} shows it then"
                    )
                case executions.Ended():
                    for line in _loss(deployment, event.run):
                        show(line)
                    return event.run
    except KeyboardInterrupt:
        live.clear()
        is_waiting = current["status"] == "waiting"
        state = (
            "the upload is still waiting"
            if is_waiting
            else f"run {current['run']} continues in AWS"
        )
        command = deployment.command(f"run {current['run']} -f")
        raise Interrupted(
            f"no longer following, {state}", fix=f"to follow it again: {command}"
        ) from None
    raise AssertionError("a followed run ends with Ended")


def exit_code(run: Row) -> int:
    """Of a command that followed a run: it reached its goal, it did not, or it waits for you."""
    if run["status"] == WAITS:
        return EXIT_WAITS
    return 0 if run["status"] in executions.GOOD_ENDS else EXIT_NO


def show_question(deployment: DeploymentClient, run: Row) -> None:
    """Why a run waits for a person, what it would cost, and how to answer."""
    name = run["run"]
    say(f"it waits for you: {run.get('approval_reason', 'its price needs approval')}")
    for line in str(run.get("estimate", "no estimate was recorded")).splitlines():
        say(f"  {line}")
    say(f"  yes: {deployment.command(f'approve {name}')}")
    say("  no:  " + deployment.command(f'approve {name} --decline --reason "…"'))


def _ask_for_approval(deployment: DeploymentClient, run: Row) -> bool:
    """Asks for the answer; False if it was no, and the run waits on. Interrupted for Ctrl-C."""
    try:
        agreed = click.confirm("Approve it, and go on?", err=True)
    except click.Abort:
        raise KeyboardInterrupt from None
    if not agreed:
        say("it is still waiting: nothing is trained or billed")
        return False
    try:
        decision = approvals.send_decision(
            deployment, ApprovalAnswer(run=str(run["run"]), decision="approve")
        )
        say(f"approved as {decision.by}")
    except UserError as error:
        # Somebody else was quicker; how it goes on shows what they said.
        say(error.what)
    except DeniedError:
        say("you may not approve runs: ask an approver (docs/permissions.md); still following")
    return True


def _loss(deployment: DeploymentClient, run: Row) -> list[str]:
    """How the loss fell, once the job has left it; nothing for who may not read it."""
    from botocore.exceptions import ClientError

    from bedrock_tuning.client.reports import losses_of

    try:
        losses = losses_of(deployment, run)
    except (ClientError, UserError, ValueError):
        return []
    lines = [
        f"{curve.name}: {curve.points[0].value:.4g} → {curve.points[-1].value:.4g}, "
        f"lowest {curve.best.value:.4g} at step {curve.best.step:,}"
        for curve in losses
    ]
    command = deployment.command(f"metrics {run['run']}")
    return [*lines, f"its curve: {command}"] if lines else []


class _LiveLine:
    """The last line on standard error, drawn anew: `clear` it before another one is written."""

    def __init__(self) -> None:
        self._drawn = False

    def draw(self, text: str) -> bool:
        """Replaces it; False where nobody looks at a terminal, and nothing was drawn."""
        if not sys.stderr.isatty():
            return False
        # A line that wraps could not be cleared.
        width = shutil.get_terminal_size().columns - 1
        click.echo(f"{_CLEAR_LINE}{printable(text)[:width]}", err=True, nl=False)
        self._drawn = True
        return True

    def clear(self) -> None:
        """Removes it."""
        if self._drawn:
            click.echo(_CLEAR_LINE, err=True, nl=False)
            self._drawn = False
