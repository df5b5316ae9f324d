"""A pytest plugin: which test runs which lines of some files, and how long each test takes.

MUTANTS_TRACE names the JSON file to write, MUTANTS_FILES the files to watch. Lines of generators,
of Hypothesis's repetitions and of other threads count for the test that runs them.
"""

import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest


class Tracing:
    """Watches the files; `lines` by file, line and test, `seconds` by test."""

    def __init__(self, root: Path, files: list[str]) -> None:
        self._files = {str(root / file): file for file in files}
        self._running = ""
        self.lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    def trace(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        """Called at every call of a function: only watched files are followed line by line."""
        file = self._files.get(frame.f_code.co_filename)
        if file is None:
            return None
        lines, test = self.lines[file], self._running
        lines[frame.f_lineno].add(test)

        def follow(inner: FrameType, event: str, _: Any) -> Any:
            if event == "line":
                lines[inner.f_lineno].add(test)
            return follow

        return follow

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Everything from the set-up of a test to its end counts for it."""
        self._running = item.nodeid
        began = time.process_time()
        threading.settrace(self.trace)
        sys.settrace(self.trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            self.seconds[item.nodeid] = time.process_time() - began

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails without any mutant cannot judge one."""
        if report.failed:
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Writes what was seen."""
        Path(os.environ["MUTANTS_TRACE"]).write_text(
            json.dumps(
                {
                    "seconds": self.seconds,
                    "failed": sorted(self.failed),
                    "lines": {
                        file: {line: sorted(tests) for line, tests in lines.items()}
                        for file, lines in self.lines.items()
                    },
                    "modules": [*sys.modules],
                }
            )
        )


def steady_hypothesis() -> None:
    """The same examples each time, none made smaller, and no limit of time."""
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=50,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutants")


def pytest_configure(config: pytest.Config) -> None:
    """Registers the plugin for the files that the environment names."""
    steady_hypothesis()
    files = json.loads(os.environ["MUTANTS_FILES"])
    config.pluginmanager.register(Tracing(config.rootpath, files))
