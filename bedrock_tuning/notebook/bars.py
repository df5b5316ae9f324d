"""Progress in a notebook, and on a terminal as `tuning` shows it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec

from bedrock_tuning.cli.terminal.progress import ProgressBar
from bedrock_tuning.notebook.results import render_part
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

    handle = display(HTML(""), display_id=True)  # type: ignore[no-untyped-call]

    class Bar:
        share, count = 0.0, 0

        def update(self, *, share: float, count: int, size: int = 0) -> None:  # noqa: ARG002
            percent = int(self.share * 100)
            self.share, self.count = max(self.share, min(1.0, share)), self.count + count
            if int(self.share * 100) != percent:
                bar = _bar(title, unit, self.share, self.count)
                handle.update(HTML(bar))  # type: ignore[no-untyped-call]

    yield Bar()


def _bar(title: str, unit: str, share: float, count: int) -> str:
    return render_part("progress.html.j2", share=share, text=f"{title}: {count:,} {unit}")
