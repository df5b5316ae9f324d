"""Whose turn it is to start a job when Bedrock has no free slot: a queue of runs.

Bedrock's quota of jobs is one number for an account and a Region, and nobody can ask how much of it
is used. So every run tries at once; only one that was refused waits, and everybody behind it.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

QUEUED: Final = "queued"
# A run may wait so long for a slot; the execution's own limit leaves the job its time after that.
QUEUE_DAYS: Final = 7
# A wait is a tenth of what was waited already, so that a long one does not fill the execution's
# history, and at most this long, so that a free slot is found.
_LONGEST_PAUSE: Final = timedelta(minutes=30)
_SHARE: Final = 10
# Runs with a job, or about to have one: an older one of their customization need not wait for one.
_AHEAD: Final = (QUEUED, "training", "trained", "serving")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedRun:
    """A run that may wait for a slot. since: ISO time; runs of one second wait by their names."""

    run: str
    customization: str
    status: str
    since: str

    @property
    def place(self) -> tuple[str, str]:
        """Sorts runs by their arrival."""
        return self.since, self.run


def waiting(items: Iterable[Mapping[str, Any]]) -> list[QueuedRun]:
    """Runs' items as a queue needs them, in the order of the queue."""
    queued = [
        QueuedRun(
            run=str(item["run"]),
            customization=str(item["customization"]),
            status=str(item["status"]),
            since=str(item.get("queued_since", "")),
        )
        for item in items
    ]
    return sorted(queued, key=lambda run: run.place)


def queue(runs: Iterable[QueuedRun]) -> list[QueuedRun]:
    """Those that wait."""
    return [run for run in runs if run.status == QUEUED]


def newer(own_run: QueuedRun, others: Iterable[QueuedRun]) -> QueuedRun | None:
    """The newest later upload of the same customization that came as far as this run."""
    later = [
        run
        for run in others
        if run.customization == own_run.customization
        and run.run > own_run.run
        and run.status in _AHEAD
    ]
    return max(later, key=lambda run: run.run, default=None)


def arrival(own_run: QueuedRun, others: Iterable[QueuedRun]) -> str:
    """Since when a run waits: it takes the place of the older runs that it supersedes.

    Otherwise who uploads again and again would never reach the head.
    """
    older = [
        run.since
        for run in queue(others)
        if run.customization == own_run.customization and run.run < own_run.run
    ]
    return min([own_run.since, *older])


def ahead(own_run: QueuedRun, others: Iterable[QueuedRun]) -> int:
    """How many wait before this run."""
    return sum(run.place < own_run.place for run in queue(others))


def pause(own_run: QueuedRun, *, now: datetime, least: int) -> int:
    """Seconds until a run asks again, never the same for two runs that wait equally long."""
    waited = now - datetime.fromisoformat(own_run.since)
    seconds = min(max(waited / _SHARE, timedelta(seconds=least)), _LONGEST_PAUSE).total_seconds()
    jitter = zlib.crc32(f"{own_run.run} {now:%H%M%S}".encode()) % 1000 / 1000
    return max(1, round(seconds * (0.75 + jitter / 2)))


def is_over(own_run: QueuedRun, *, now: datetime) -> bool:
    """Whether a run has waited as long as it may."""
    return now - datetime.fromisoformat(own_run.since) > timedelta(days=QUEUE_DAYS)
