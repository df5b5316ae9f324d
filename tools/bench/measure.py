"""Runs one measurement in a fresh process on one core, so that none warms up the next."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
# The measured process runs on the first core; what serves it runs on the last.
CORE: Final = 0
_TIMEOUT: Final = 3600


class MeasurementError(Exception):
    """A measurement did not end as it should."""


def say(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def run(task: str, /, *, environment: Mapping[str, str] | None = None, **options: Any) -> Any:
    """What a task of bench.child measured in a process of its own; raises MeasurementError."""
    command = [
        sys.executable,
        "-m",
        "tools.bench.child",
        task,
        json.dumps({"core": CORE, **options}),
    ]
    # Our own module with our own arguments.
    done = subprocess.run(  # noqa: S603
        command,
        cwd=ROOT,
        env=None if environment is None else dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT,
    )
    if done.returncode:
        raise MeasurementError(f"{task}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def alternate(
    measurements: Mapping[str, Callable[[], dict[str, float]]],
    *,
    rounds: int,
    add: Callable[[str, dict[str, float]], None],
) -> None:
    """Every measurement once per round, so that a change of the machine's mood meets all alike."""
    for number in range(rounds):
        for name, measure in measurements.items():
            figures = measure()
            add(name, figures)
            shown = ", ".join(f"{value:,.4g} {column}" for column, value in figures.items())
            say(f"  {number + 1}/{rounds} {name}: {shown}")
