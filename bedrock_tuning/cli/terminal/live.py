"""One line that is drawn over and over while something goes on, on a terminal only."""

import shutil
import sys

import click

from bedrock_tuning.wording import printable

_CLEAR = "\r\x1b[2K"


class LiveLine:
    """The last line on standard error; `clear` it before another line is written."""

    def __init__(self) -> None:
        self._drawn = False

    def draw(self, text: str) -> bool:
        """Replaces it; False where nobody looks at a terminal, and nothing was drawn."""
        if not sys.stderr.isatty():
            return False
        # A line that wraps could not be cleared.
        width = shutil.get_terminal_size().columns - 1
        click.echo(f"{_CLEAR}{printable(text)[:width]}", err=True, nl=False)
        self._drawn = True
        return True

    def clear(self) -> None:
        """Removes it."""
        if self._drawn:
            click.echo(_CLEAR, err=True, nl=False)
            self._drawn = False
