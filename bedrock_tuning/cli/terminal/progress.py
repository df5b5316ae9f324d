"""Progress of long work: a bar on a terminal, an occasional line elsewhere, nothing if it is quick.

Everything goes to standard error.
"""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from bedrock_tuning.cli.terminal.output import say
from bedrock_tuning.wording import in_bytes

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_QUICK_SECONDS: Final = 1.0
_LINE_SECONDS: Final = 10.0
_STEPS: Final = 1000


class ProgressBar:
    """Work of a known size, of which `unit`s are counted for the rate.

    title: what is done. clock: seconds, only ever compared.
    """

    def __init__(
        self, title: str, unit: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.title = title
        self._unit = unit
        self._clock = clock
        self._began = clock()
        self._share = 0.0
        self._count = 0
        self._size = 0
        self._next_line = self._began + _LINE_SECONDS
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, *, share: float, count: int, size: int = 0) -> None:
        """share: of the whole work, 0 to 1. count, size: units and bytes since the last update."""
        self._share = min(1.0, max(self._share, share))
        self._count += count
        self._size += size
        now = self._clock()
        if now - self._began < _QUICK_SECONDS:
            return
        if sys.stderr.isatty():
            self._draw(now)
        elif now >= self._next_line:
            self._next_line = now + _LINE_SECONDS
            say(f"{self.title}: {self._share:.0%}, {self._words(now)}")

    def _words(self, now: float) -> str:
        spent = now - self._began
        remaining = spent * (1 - self._share) / self._share if self._share else 0.0
        rate = f"{self._count / spent:,.0f}/s"
        if self._size:
            rate = f"{in_bytes(self._size)}, {in_bytes(self._size / spent)}/s"
        return f"{self._count:,} {self._unit}, {rate}, {_minutes(remaining)} left"

    def _draw(self, now: float) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[words]}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.add_task(self.title, total=_STEPS, words="")
            self._bar.start()
        self._bar.update(
            self._bar.task_ids[0],
            description=self.title,
            completed=self._share * _STEPS,
            words=self._words(now),
        )


def _minutes(seconds: float) -> str:
    rounded = round(seconds)
    return f"{rounded // 60}:{rounded % 60:02d}"
