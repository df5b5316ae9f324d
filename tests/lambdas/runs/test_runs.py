"""The table of runs: what is written stays, what nobody owns belongs to nobody."""

from typing import Any

import pytest

from lambdas._records import _runs
from tests.lambdas.aws import Aws

RUN, OTHER = "20261121-093000-aaaaaa", "20261121-094500-bbbbbb"
TABLE, KEY = "a-table", "k" * 48


def test_a_run_is_written_once_with_the_time_of_its_beginning(aws: Aws) -> None:
    _runs.start_run(TABLE, run=RUN, customization="pets-search", status="checking")
    _runs.start_run(TABLE, run=RUN, customization="pets-style", status="closed")

    item = aws.run(RUN)
    times = {item.pop("created"), item.pop("updated"), item.pop("at_checking")}
    assert len(times) == 1
    assert item == {
        "id": f"run#{RUN}",
        "run": RUN,
        "customization": "pets-search",
        "status": "checking",
        "open": "yes",
    }


def test_a_run_that_ended_is_not_open_and_no_straggler_changes_it(aws: Aws) -> None:
    """A function may outlive its aborted execution by a quarter of an hour."""
    _runs.start_run(TABLE, run=RUN, customization="pets-search", status="checking")
    assert [each["run"] for each in _runs.open_runs(TABLE)] == [RUN]

    _runs.close_run(TABLE, RUN, status="aborted")
    _runs.update_run(TABLE, RUN, status="training", records=5)

    assert list(_runs.open_runs(TABLE)) == []
    assert aws.run(RUN)["status"] == "aborted"
    assert "records" not in aws.run(RUN)


def test_what_is_not_known_leaves_what_is_stored(aws: Aws) -> None:
    """A run that ends names no endpoint; the one that was stored is still billed."""
    _runs.start_run(TABLE, run=RUN, customization="pets-search", endpoint_arn="arn:endpoint")

    _runs.update_run(TABLE, RUN, status="failed", endpoint_arn=None, model_arn=None)

    item = aws.run(RUN)
    assert (item["status"], item["endpoint_arn"]) == ("failed", "arn:endpoint")
    assert "model_arn" not in item


def test_work_that_nobody_claimed_is_not_finished(aws: Aws) -> None:
    _runs.finish_work(TABLE, key=KEY, run=RUN, state="trained", model_arn="arn:model")

    assert aws.dynamodb.items == {}


def test_finished_work_keeps_its_job_and_attempt(aws: Aws) -> None:
    _runs.acquire_lock(TABLE, key=KEY, run=RUN, job_name="a-job")
    _runs.finish_work(TABLE, key=KEY, run=RUN, state="trained", model_arn="arn:model")

    item = aws.dynamodb.item(f"key#{KEY}")
    assert item.pop("since")
    assert item == {
        "id": f"key#{KEY}",
        "run": RUN,
        "job_name": "a-job",
        "attempt": 1,
        "state": "trained",
        "model_arn": "arn:model",
    }


def _without_reads(aws: Aws) -> None:
    """Items vanish before they are read."""

    def around(operation: str, carry_out: Any) -> Any:
        return {} if operation == "GetItem" else carry_out()

    aws.dynamodb.around = around


def test_a_claim_that_vanishes_is_an_error_and_never_free_work(aws: Aws) -> None:
    _without_reads(aws)

    with pytest.raises(RuntimeError, match=f"key#{KEY}"):
        _runs.acquire_lock(TABLE, key=KEY, run=RUN, job_name="a-job")


def test_an_upload_whose_claim_vanishes_stays_claimed(aws: Aws) -> None:
    upload = {"claim": "c", "run": RUN}
    assert _runs.claim_upload(TABLE, **upload, execution="e1") is None
    _without_reads(aws)

    assert _runs.claim_upload(TABLE, claim="c", run=OTHER, execution="e2") == "unknown"


def test_an_execution_that_claims_an_upload_again_finds_its_own_claim(aws: Aws) -> None:
    """A minute later, as its first answer was lost."""
    assert _runs.claim_upload(TABLE, claim="c", run=RUN, execution="e1") is None
    aws.dynamodb.items["claim#c"]["created"] = {"S": "2026-11-21T09:29:00Z"}

    assert _runs.claim_upload(TABLE, claim="c", run=RUN, execution="e1") is None
    assert _runs.claim_upload(TABLE, claim="c", run=OTHER, execution="e2") == RUN


def test_a_lock_that_vanished_is_an_error_and_never_kept(aws: Aws) -> None:
    with pytest.raises(RuntimeError, match=f"key#{KEY} vanished from a-table"):
        _runs.keep_lock(TABLE, key=KEY, run=RUN)


@pytest.mark.parametrize("state", ["training", "failed"])
def test_a_run_keeps_its_own_lock_also_where_it_was_released_and_no_other(
    state: str, aws: Aws
) -> None:
    _runs.acquire_lock(TABLE, key=KEY, run=RUN, job_name="a-job")
    _runs.finish_work(TABLE, key=KEY, run=RUN, state=state, model_arn=None)

    assert _runs.keep_lock(TABLE, key=KEY, run=OTHER) == RUN
    assert _runs.keep_lock(TABLE, key=KEY, run=RUN) is None
    lock = _runs.lock_of(TABLE, KEY)
    assert lock is not None
    assert (lock.state, lock.run, lock.job_name, lock.attempt) == ("training", RUN, "a-job", 1)


def test_a_run_whose_lock_another_takes_at_that_moment_does_not_keep_it(aws: Aws) -> None:
    _runs.acquire_lock(TABLE, key=KEY, run=RUN, job_name="a-job")
    _runs.finish_work(TABLE, key=KEY, run=RUN, state="failed", model_arn=None)
    aws.dynamodb.refuse("PutItem", "ConditionalCheckFailedException")

    assert _runs.keep_lock(TABLE, key=KEY, run=RUN) == "another"


def test_only_who_has_the_lock_and_is_about_to_work_releases_it(aws: Aws) -> None:
    _runs.release_work(TABLE, key=KEY, run=RUN)
    assert aws.dynamodb.items == {}
    _runs.acquire_lock(TABLE, key=KEY, run=RUN, job_name="a-job")

    _runs.release_work(TABLE, key=KEY, run=OTHER)
    assert aws.dynamodb.item(f"key#{KEY}")["state"] == "training"
    _runs.release_work(TABLE, key=KEY, run=RUN)
    assert aws.dynamodb.item(f"key#{KEY}")["state"] == "failed"
    _runs.finish_work(TABLE, key=KEY, run=RUN, state="trained", model_arn="arn:model")
    _runs.release_work(TABLE, key=KEY, run=RUN)
    assert aws.dynamodb.item(f"key#{KEY}")["state"] == "trained"


def test_the_work_of_a_run_that_came_to_nothing_is_taken_over_as_another_attempt(aws: Aws) -> None:
    first = _runs.acquire_lock(TABLE, key=KEY, run=RUN, job_name="a-job")

    taken = _runs.take_over(TABLE, key=KEY, run=OTHER, job_name="its-job", after=first)

    assert taken is not None
    assert (taken.run, taken.attempt, taken.job_name) == (OTHER, 2, "its-job")
    third = "20261121-100000-cccccc"
    assert _runs.take_over(TABLE, key=KEY, run=third, job_name="x", after=first) is None
