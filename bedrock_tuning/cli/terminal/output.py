"""Results on standard output, as JSON or as plain tables; messages on standard error."""

import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from bedrock_tuning.errors import UserError
from bedrock_tuning.wording import for_terminal, printable, printable_json

Command = TypeVar("Command", bound=Callable[..., Any])

_GAP: Final = "  "
# A shorter piece of a sentence says nothing.
_TEXT_MIN: Final = 12


def json_option(command: Command) -> Command:
    """--json, for every command that shows results."""
    return click.option("as_json", "--json", is_flag=True, help="Print the result as JSON.")(
        command
    )


def yes_option(command: Command) -> Command:
    """--yes, for every command that asks before it acts."""
    help = "Do not ask; required where nobody can answer."
    return click.option("--yes", is_flag=True, help=help)(command)


def overwrite_option(command: Command) -> Command:
    """--overwrite, for every command that writes a file which may be there already."""
    help = "Replace an existing file."
    return click.option("--overwrite", is_flag=True, help=help)(command)


def require_free(file: Path | None, *, overwrite: bool) -> None:
    """Raises UserError for a file that exists. overwrite: --overwrite was given."""
    if file is not None and file.exists() and not overwrite:
        raise UserError(
            "this file already exists", where=str(file), fix="choose another, or add --overwrite"
        )


def emit_json(value: Any) -> None:
    """One JSON document on standard output; structs and dataclasses become objects, paths text."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    click.echo(printable_json(text.decode()))


def emit(text: str = "", *, whole: bool = True) -> None:
    """A line of the result, or a part of one."""
    click.echo(for_terminal(text), nl=whole)


def say(text: str) -> None:
    """A line of explanation beside the result, on standard error."""
    click.echo(for_terminal(text), err=True)


def write_page(file: Path, page: str) -> None:
    """Writes a file that an option names, with its folders, and says so."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, "utf-8")
    say(f"wrote {file}")


def emit_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, texts: Collection[str] = ()
) -> None:
    """Aligned columns; on a terminal the header is bold, in a pipe nothing is cut.

    texts: the columns that a narrow terminal shortens: a name or a command is useless when cut.
    Where that is not enough, each row is written as a block of lines.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    lines = table(header, rows, texts=texts, width=width)
    for number, line in enumerate(map(printable, lines)):
        is_header = not number and header[-1] in line
        click.echo(click.style(line, bold=True) if is_header else line)


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    texts: Collection[str] = (),
    width: int | None = None,
) -> Iterator[str]:
    """The lines of a table for a terminal of a width; None: for a pipe, where nothing is cut."""
    lines = [list(header), *map(list, rows)]
    if width is not None and not _fit(lines, texts=texts, width=width):
        yield from _blocks(lines)
        return
    widths = _widths(lines)
    for line in lines:
        yield _GAP.join(map(_pad, line, widths)).rstrip()


def _fit(lines: list[list[str]], *, texts: Collection[str], width: int) -> bool:
    """Shortens the texts as evenly as possible until the lines fit; False if they cannot."""
    from rich.cells import set_cell_size

    widths = _widths(lines)
    room = width - len(_GAP) * (len(widths) - 1)
    flexible = [index for index, name in enumerate(lines[0]) if name in texts]
    room -= sum(wide for index, wide in enumerate(widths) if index not in flexible)
    # The narrowest first: the others share what it leaves.
    for remaining, index in zip(
        range(len(flexible), 0, -1), sorted(flexible, key=widths.__getitem__), strict=True
    ):
        share = room // remaining
        if widths[index] > share:
            if share < _TEXT_MIN:
                return False
            for line in lines:
                if _cells(line[index]) > share:
                    line[index] = set_cell_size(line[index], share - 1).rstrip() + "…"
            widths[index] = share
        room -= widths[index]
    return room >= 0


def _blocks(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Each row as a block, one line per cell that holds something."""
    header, *rows = lines
    width = max(map(_cells, header))
    for row in rows:
        for name, cell in zip(header, row, strict=True):
            if cell:
                yield f"{_pad(name, width)}{_GAP}{cell.strip()}"
        yield ""


def _widths(lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(_cells, column)) for column in zip(*lines, strict=True)]


def _pad(cell: str, width: int) -> str:
    return cell + " " * (width - _cells(cell))


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes: a Chinese character takes two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


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
