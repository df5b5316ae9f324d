"""Who starts a job when: the work's owner only, and in the order of the queue."""

from datetime import UTC, datetime
from typing import Any

from bedrock_tuning.run import job_queue
from lambdas import take_turn
from lambdas._records import _runs
from tests.lambdas.aws import Aws

FULL = {
    "Error": "Bedrock.ServiceQuotaExceededException",
    "Cause": '{"errorMessage": "Too many jobs."}',
}


class Run:
    """A run that is valid, priced and approved, and asks for its turn as the workflow does."""

    def __init__(self, name: str, customization: str = "pets-search") -> None:
        self.name, self.key = name, name.rjust(48, "k")
        admission = {"run": name, "customization": customization}
        self.state: dict[str, Any] = {"admission": admission, "start": {"run_key": self.key}}
        _runs.start_run("a-table", run=name, customization=customization, status="training")
        _runs.acquire_lock("a-table", key=self.key, run=name, job_name=name)

    def ask(self) -> str:
        self.state["turn"] = take_turn.handler({"state": self.state}, None)
        return str(self.state["turn"]["decision"])

    def refused(self) -> str:
        """Bedrock took no job, and the workflow asks again."""
        self.state["start"]["error"] = FULL
        return self.ask()


def _run(second: int, customization: str = "pets-search") -> Run:
    return Run(f"20261121-0930{second:02d}-00aaaa", customization)


def test_a_run_starts_its_job_at_once_when_nobody_waits(aws: Aws) -> None:
    run = _run(1)

    assert run.ask() == "train"
    assert aws.run(run.name)["status"] == "training"


def test_a_run_that_bedrock_has_no_slot_for_waits_and_says_why(aws: Aws) -> None:
    run = _run(1)
    run.ask()

    assert run.refused() == "wait"
    assert aws.run(run.name)["status"] == "queued"
    assert "no free slot for its job: Too many jobs." in aws.run(run.name)["message"]
    assert run.state["turn"]["seconds"] > 0


def test_a_run_that_waits_tries_again_at_its_next_turn() -> None:
    run = _run(1)
    run.ask()

    assert [run.refused(), run.ask(), run.refused(), run.ask()] == ["wait", "train"] * 2


def test_a_run_knows_how_often_it_has_asked(aws: Aws) -> None:
    run = _run(1)
    asked = []
    for ask in (run.ask, run.refused, run.ask):
        ask()
        asked.append((run.state["turn"]["asked"], aws.run(run.name)["turn"]))

    assert asked == [(1, 1), (2, 2), (3, 3)]


def test_a_run_waits_behind_those_that_came_before_without_asking_bedrock() -> None:
    first, second = _run(1), _run(2, "pets-style")
    first.ask()
    first.refused()

    assert [second.ask(), second.ask()] == ["wait", "wait"]
    assert first.ask() == "train"
    # The first has left the queue: Bedrock took its job or is just being asked.
    assert second.ask() == "train"


def test_the_newest_upload_of_a_customization_takes_the_place_of_the_older_ones(aws: Aws) -> None:
    old, other = _run(1), _run(2, "pets-style")
    # A run does not wait for ever, so these have waited since today.
    today = datetime.now(UTC).date().isoformat()
    for second, run in enumerate((old, other)):
        run.ask()
        run.refused()
        item = aws.dynamodb.items[f"run#{run.name}"]
        item["queued_since"] = {"S": f"{today}T00:00:{second:02d}Z"}
    new = _run(3)

    assert new.ask() == "wait"
    assert old.ask() == "superseded"
    assert f"run {new.name} has a newer dataset of pets-search" in old.state["turn"]["reason"]
    assert new.ask() == "wait", "the older run has not ended yet"
    _runs.close_run("a-table", old.name, status="superseded")
    assert aws.run(new.name)["queued_since"] == f"{today}T00:00:00Z"
    assert new.ask() == "train"


def test_a_run_whose_newer_one_trains_already_is_superseded_when_it_has_to_wait() -> None:
    old, new = _run(1), _run(2)
    old.ask()
    assert new.ask() == "train"

    assert old.refused() == "superseded"


def test_a_call_that_is_made_again_because_its_answer_was_lost_is_answered_as_before() -> None:
    run = _run(1)
    before = dict(run.state)
    assert run.ask() == "train"
    run.state = before
    assert run.ask() == "train"
    before = {**run.state, "start": {**run.state["start"], "error": FULL}}
    assert run.refused() == "wait"
    run.state = before
    assert run.ask() == "wait"


def test_work_that_another_run_has_taken_over_is_not_paid_for_twice(aws: Aws) -> None:
    run = _run(1)
    lock = _runs.lock_of("a-table", run.key)
    assert lock is not None
    _runs.take_over("a-table", key=run.key, run="another", job_name="a", after=lock)

    assert run.ask() == "in-progress"
    assert "run another has taken over the same work" in run.state["turn"]["reason"]


def test_a_run_that_is_redriven_takes_its_released_work_up_again(aws: Aws) -> None:
    run = _run(1)
    _runs.finish_work("a-table", key=run.key, run=run.name, state="failed", model_arn=None)
    _runs.close_run("a-table", run.name, status="aborted")

    assert run.ask() == "train"
    assert aws.dynamodb.item(f"key#{run.key}")["state"] == "training"
    assert "ended" not in aws.run(run.name)


def test_a_run_gives_up_after_a_week_and_says_what_bedrock_said(aws: Aws) -> None:
    run = _run(1)
    run.ask()
    run.refused()
    aws.dynamodb.items[f"run#{run.name}"]["queued_since"] = {"S": "2026-01-01T00:00:00Z"}
    run.ask()

    assert run.refused() == "no-slot"
    assert "Too many jobs." in run.state["turn"]["reason"]


def test_the_longest_queue_fits_into_an_executions_history() -> None:
    """It holds 25,000 events; an attempt takes about twenty."""
    from datetime import UTC, datetime, timedelta

    now = start = datetime(2026, 11, 21, tzinfo=UTC)
    run = job_queue.QueuedRun(
        run="20261121-000000-00aaaa",
        customization="pets-search",
        status="queued",
        since=f"{start:%Y-%m-%dT%H:%M:%SZ}",
    )
    asked = 0
    while not job_queue.is_over(run, now=now):
        now += timedelta(seconds=job_queue.pause(run, now=now, least=1))
        asked += 1
    assert asked * 20 < 20_000
