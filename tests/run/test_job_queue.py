"""Whose turn it is: who waits before whom, for how long, and who takes whose place."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bedrock_tuning.run import job_queue
from bedrock_tuning.run.job_queue import QueuedRun

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
TIMES = ("09:00:00Z", "09:10:00Z", "09:20:00Z")


def waiting(
    run: str, *, of: str = "pets-search", status: str = "queued", at: str = TIMES[1]
) -> QueuedRun:
    return QueuedRun(run=run, customization=of, status=status, since=f"2026-11-21T{at}")


def waited(time: timedelta) -> QueuedRun:
    return waiting("a", at=f"{NOW - time:%H:%M:%SZ}")


def test_items_are_read_in_the_order_of_their_arrival() -> None:
    items: list[dict[str, Any]] = [
        {"run": "c", "customization": "x", "status": "queued", "queued_since": "2"},
        {"run": "b", "customization": "x", "status": "queued", "queued_since": "2"},
        {"run": "d", "customization": "y", "status": "queued", "queued_since": "1"},
        {"run": "a", "customization": "y", "status": "checking"},
    ]
    found = job_queue.waiting(items)
    assert [each.place for each in found] == [("", "a"), ("1", "d"), ("2", "b"), ("2", "c")]
    assert [each.customization for each in found] == ["y", "y", "x", "x"]
    assert [each.run for each in job_queue.queue(found)] == ["d", "b", "c"]


def test_those_that_came_earlier_are_ahead_and_of_one_second_those_named_earlier() -> None:
    mine = waiting("m")
    others = [
        waiting("z", at=TIMES[0]),
        waiting("a"),
        waiting("n"),
        waiting("b", at=TIMES[2]),
        waiting("c", at=TIMES[0], status="training"),
    ]
    assert job_queue.ahead(mine, others) == 2
    assert job_queue.ahead(mine, [mine]) == 0


@pytest.mark.parametrize("status", ["queued", "training", "trained", "serving"])
def test_the_newest_later_upload_that_came_as_far_is_newer(status: str) -> None:
    others = [waiting(run, status=status) for run in ("a", "n", "p")]
    found = job_queue.newer(waiting("m"), others)
    assert found is not None
    assert found.run == "p"


@pytest.mark.parametrize(
    "other",
    [
        waiting("a"),
        waiting("m"),
        waiting("n", of="pets-style"),
        waiting("n", status="checking"),
        waiting("n", status="awaiting-approval"),
    ],
    ids=["an older one", "itself", "another's", "one being checked", "one being asked about"],
)
def test_nobody_else_is_newer(other: QueuedRun) -> None:
    assert job_queue.newer(waiting("m"), [other]) is None


def test_a_run_takes_the_place_of_the_older_ones_that_it_supersedes() -> None:
    older = waiting("a", at=TIMES[0])
    assert job_queue.arrival(waiting("m"), [older]) == older.since
    for other in (
        waiting("n", at=TIMES[0]),
        waiting("m", at=TIMES[0]),
        waiting("a", of="pets-style", at=TIMES[0]),
        waiting("a", status="training", at=TIMES[0]),
        waiting("a", at=TIMES[2]),
    ):
        assert job_queue.arrival(waiting("m"), [other]) == waiting("m").since


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (timedelta(0), 60),
        (timedelta(minutes=10), 60),
        (timedelta(minutes=20), 120),
        (timedelta(hours=2), 720),
        (timedelta(hours=5), 1_800),
        (timedelta(hours=9), 1_800),
    ],
)
def test_a_pause_is_a_tenth_of_what_was_waited_within_a_minute_and_half_an_hour(
    time: timedelta, seconds: int
) -> None:
    """And up to a quarter less or more, as the run is called."""
    mine = waited(time)
    pauses = [
        job_queue.pause(
            QueuedRun(run=f"r{n}", customization="c", status="queued", since=mine.since),
            now=NOW,
            least=60,
        )
        for n in range(200)
    ]
    assert seconds * 0.75 <= min(pauses) < seconds * 0.78
    assert seconds * 1.22 < max(pauses) <= seconds * 1.25


def test_a_run_that_asks_again_does_not_wait_as_long_as_before_nor_not_at_all() -> None:
    mine = waiting("a")
    pauses = {job_queue.pause(mine, now=NOW + timedelta(seconds=n), least=60) for n in range(60)}
    assert len(pauses) > 10
    assert job_queue.pause(mine, now=datetime.fromisoformat(mine.since), least=0) == 1


def test_a_run_waits_for_seven_days() -> None:
    mine = waiting("a")
    end = datetime.fromisoformat(mine.since) + timedelta(days=7)
    assert not job_queue.is_over(mine, now=end)
    assert job_queue.is_over(mine, now=end + timedelta(seconds=1))
