"""`tuning run`: one run in full, and while it runs."""

import shutil
import sys
from collections.abc import Iterator
from textwrap import wrap
from typing import Any

import click

from bedrock_tuning.cli.options import DeploymentOption, deployment_options, run_or_latest
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit, emit_json, json_option, say


@command(
    order=3,
    examples=("tuning run latest -c pets-search --follow",),
    needs=("find the deployment", "read runs", "follow runs"),
)
@run_or_latest
@click.option("--follow", "-f", is_flag=True, help="Show one line per step until the run ends.")
@click.option(
    "--all", "every", is_flag=True, help="Also show what you need only in the AWS console."
)
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
    every: bool,
    deployed: DeploymentOption,
    as_json: bool,
) -> None:
    """Show a run: its status, and where its report, metrics, model and endpoint are.

    With --follow, exit code 1 means that the run did not reach its goal, and 3 that it waits for
    approval and nobody can answer here. An upload that waits for its other manifest is followed to
    the run that uses both.
    """
    from bedrock_tuning.cli.following import exit_code, show_question, show_until_end
    from bedrock_tuning.client.next_steps import next_step
    from bedrock_tuning.client.runs import TECHNICAL, chosen, lineage, resolved, row, visible

    deployment = deployed()
    details = row(deployment, chosen(deployment, run, customization=customization))
    details = (
        show_until_end(deployment, details, show=say if as_json else emit)
        if follow
        else resolved(deployment, details)
    )
    if details.get("builds_on"):
        details = {**details, "lineage": lineage(deployment, details)}
    if as_json:
        emit_json(visible(details))
    else:
        hidden = () if every else TECHNICAL
        _show({name: value for name, value in visible(details).items() if name not in hidden})
    step = next_step(deployment, details)
    if details["status"] == "awaiting-approval":
        # While it was followed, it has shown the question.
        if not follow:
            show_question(deployment, details)
    elif step and not as_json:
        say(f"next: {step}")
    if follow:
        ctx.exit(exit_code(details))


def _show(values: dict[str, Any]) -> None:
    width = max(len(name) for name in values)
    room = shutil.get_terminal_size().columns - width - 2 if sys.stdout.isatty() else sys.maxsize
    for name, value in values.items():
        lines = [
            piece
            for line in _lines(name, value)
            # An ARN or a command stays whole, so that it can be copied.
            for piece in wrap(line, room, break_long_words=False, break_on_hyphens=False) or [""]
        ]
        emit(f"{name.ljust(width)}  {lines[0] if lines else ''}")
        for line in lines[1:]:
            emit(f"{' ' * width}  {line}")


def _lines(name: str, value: Any) -> Iterator[str]:
    """A value as people read it: an object with one line for each of its values."""
    if isinstance(value, dict):
        for key, member in value.items():
            separator = "." if isinstance(member, dict) else ": "
            yield from (f"{key}{separator}{line}" for line in _lines(key, member))
    elif isinstance(value, list) and name != "timeline":
        yield " ← ".join(value)
    else:
        yield from value if isinstance(value, list) else str(value).splitlines()
