"""Counts for the alarms of one customization, written into the function's log.

A module of its own: the domain makes the line, and writes nothing.
"""

import sys
from datetime import UTC, datetime

from bedrock_tuning.run.metrics import Metric, counted_once


def count(metric: Metric, *, environment: str, customization: str) -> None:
    """Counts one, now."""
    line = counted_once(
        metric, environment=environment, customization=customization, now=datetime.now(UTC)
    )
    # Not through the logger, which would put it inside a line of its own.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
