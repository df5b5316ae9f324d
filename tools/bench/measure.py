"""Runs one measurement in a fresh process on one core, so that none warms up the next."""

import json
import subprocess
import sys
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, Final

from tools import CHECKOUT
from tools.bench.result import BenchSection

# The measured process runs on the first core; what serves it runs on the last.
CORE: Final = 0
_TIMEOUT: Final = 3600


class MeasurementError(Exception):
    """A measurement did not end as it should."""


def say_progress(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def run(task: str, /, *, environment: Mapping[str, str] | None = None, **options: Any) -> Any:
    """What a task of bench.child measured in a process of its own; raises MeasurementError."""
    command = ["-m", "tools.bench.child", task, json.dumps({"core": CORE, **options})]
    said = output_of(task, [sys.executable, *command], environment=environment)
    return json.loads(said.splitlines()[-1])


def output_of(
    what: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    good: Container[int] = (0,),
) -> str:
    """What a program prints; raises MeasurementError if it ends otherwise than with a good code."""
    # Our own modules, and programs that were found in PATH, with our own arguments.
    done = subprocess.run(  # noqa: S603
        command,
        cwd=CHECKOUT,
        env=None if environment is None else dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT,
    )
    if done.returncode not in good:
        raise MeasurementError(f"{what}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def alternate(
    section: BenchSection,
    measurements: Mapping[str, Callable[[], dict[str, float]]],
    *,
    rounds: int,
) -> None:
    """Every measurement once per round, so that a change of the machine's mood meets all alike.

    The section gets a row for each, with the figures of its columns.
    """
    for number in range(rounds):
        for name, measure in measurements.items():
            figures = measure()
            section.row(name).add(
                {column: value for column, value in figures.items() if column in section.columns}
            )
            shown = ", ".join(f"{value:,.4g} {column}" for column, value in figures.items())
            say_progress(f"  {number + 1}/{rounds} {name}: {shown}")
