"""Results on standard output, as JSON or as plain tables; messages on standard error."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(command: Command) -> Command:
    """--json, for every command that shows results."""
    return click.option("as_json", "--json", is_flag=True, help="Print the result as JSON.")(
        command
    )


def emit_json(value: Any) -> None:
    """One JSON document on standard output; structs and dataclasses become objects, paths text."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    click.echo(text.decode())


def emit(text: str = "") -> None:
    """A line of the result."""
    click.echo(text)


def say(text: str) -> None:
    """A line of explanation beside the result, on standard error."""
    click.echo(text, err=True)


def emit_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Aligned columns; on a terminal the header is bold, in a pipe nothing is wrapped or cut."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for number, line in enumerate(lines):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        text = "  ".join(cells).rstrip()
        click.echo(click.style(text, bold=True) if not number else text)


def on_terminal() -> bool:
    """Whether a person can answer questions."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, yes: bool, otherwise: str, unchanged: str) -> None:
    """Asks before something that costs or cannot be undone.

    yes: --yes was given. otherwise: what --yes would do, for the message when nobody can be asked.
    unchanged: what is left unchanged after a no.
    Raises UserError when nobody can be asked, Declined for a no, Interrupted for Ctrl-C.
    """
    from bedrock_tuning.cli.terminal.errors import Declined, Interrupted
    from bedrock_tuning.errors import UserError

    if yes:
        return
    if not on_terminal():
        raise UserError(f"not confirmed: {question}", fix=f"add --yes {otherwise}")
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        raise Interrupted(f"nothing was done; {unchanged}") from None
    if not agreed:
        raise Declined(f"nothing was done; {unchanged}")
