"""Fifty uploads in a minute and two slots: all are trained or superseded, none is lost."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bedrock_tuning.run import job_queue
from lambdas import take_turn
from lambdas._records import _runs
from tests.lambdas.runs.test_take_turn import FULL, Run

QUOTA, MOST = 2, 20
START = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@dataclass
class Bedrock:
    """Takes as many jobs as there are slots; each runs for a while."""

    ends: dict[str, datetime] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    at_once: int = 0

    def takes(self, run: str, now: datetime, minutes: float) -> bool:
        self.ends = {name: end for name, end in self.ends.items() if end > now}
        if len(self.ends) >= QUOTA:
            return False
        self.ends[run] = now + timedelta(minutes=minutes)
        self.started.append(run)
        self.at_once = max(self.at_once, len(self.ends))
        return True


@pytest.mark.slow
@pytest.mark.usefixtures("direct")
@pytest.mark.parametrize("seed", range(3))
def test_fifty_uploads_of_twenty_customizations_are_all_trained_or_superseded(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)  # noqa: S311
    bedrock, clock = Bedrock(), [START]

    class Clock(datetime):
        @classmethod
        def now(cls, _: Any = None) -> datetime:
            return clock[0]

    monkeypatch.setattr(take_turn, "datetime", Clock)
    monkeypatch.setattr(_runs, "datetime", Clock)
    arrivals = sorted(chance.uniform(0, 60) for _ in range(50))
    # What happens next, at which moment, to which run.
    agenda: list[tuple[datetime, int]] = [
        (START + timedelta(seconds=second), number) for number, second in enumerate(arrivals)
    ]
    runs: dict[int, Run] = {}
    ends: dict[int, str] = {}
    while agenda:
        agenda.sort()
        clock[0], number = agenda.pop(0)
        if number not in runs:
            name = f"20261121-{clock[0]:%H%M%S}-{number:02d}aaaa"
            runs[number] = Run(name, f"c{chance.randrange(MOST)}")
        run = runs[number]
        decision = run.ask()
        if decision == "train":
            minutes = chance.uniform(45, 300)
            if bedrock.takes(run.name, clock[0], minutes):
                # Long after the queue has gone on without it.
                ends[number] = "trained"
                _runs.close_run("a-table", run.name, status="served")
                continue
            run.state["start"]["error"] = FULL
            decision = run.ask()
        if decision == "wait":
            pause = run.state["turn"]["seconds"]
            agenda.append((clock[0] + timedelta(seconds=pause), number))
        else:
            ends[number] = decision
            _runs.close_run("a-table", run.name, status=decision)

    assert len(ends) == 50
    assert set(ends.values()) <= {"trained", "superseded"}
    assert bedrock.at_once <= QUOTA
    whose = {number: run.state["admission"]["customization"] for number, run in runs.items()}
    for customization in set(whose.values()):
        newest = max(number for number, each in whose.items() if each == customization)
        assert ends[newest] == "trained", "the newest upload wins"


def test_two_that_wait_equally_long_do_not_ask_at_the_same_moment() -> None:
    waits = [
        job_queue.pause(
            job_queue.QueuedRun(
                run=f"20261121-093000-{n:02d}aaaa",
                customization="c",
                status="queued",
                since=f"{START:%Y-%m-%dT%H:%M:%SZ}",
            ),
            now=START,
            least=60,
        )
        for n in range(40)
    ]

    assert len(set(waits)) > 15
    assert all(45 <= wait <= 75 for wait in waits)
