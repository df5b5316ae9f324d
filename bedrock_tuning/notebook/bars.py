"""Progress in a notebook, and on a terminal as `tuning` shows it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from html import escape
from importlib.util import find_spec

from bedrock_tuning.cli.terminal.progress import ProgressBar
from bedrock_tuning.progress import Progress


def meter() -> "Callable[[str, str], AbstractContextManager[Progress]]":
    """A bar of the notebook where there is one, else the terminal's."""
    if find_spec("IPython") is not None:
        from IPython.core.getipython import get_ipython

        if get_ipython() is not None:
            return _notebook_bar
    return ProgressBar


@contextmanager
def _notebook_bar(title: str, unit: str) -> Iterator[Progress]:
    from IPython.display import HTML, display

    shown = display(HTML(""), display_id=True)  # type: ignore[no-untyped-call]

    class Bar:
        share, count = 0.0, 0

        def update(self, *, share: float, count: int, size: int = 0) -> None:  # noqa: ARG002
            before = int(self.share * 100)
            self.share, self.count = max(self.share, min(1.0, share)), self.count + count
            if int(self.share * 100) != before:
                now = _bar(title, unit, self.share, self.count)
                shown.update(HTML(now))  # type: ignore[no-untyped-call]

    yield Bar()


def _bar(title: str, unit: str, share: float, count: int) -> str:
    said = f"{escape(title)}: {count:,} {escape(unit)}"
    return f'<progress value="{share:.2f}" aria-label="{said}"></progress> {said}'
