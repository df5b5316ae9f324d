"""Runs whose execution ended without saying so, and jobs that nobody watches."""

import json
from typing import Any

import pytest

from bedrock_tuning.serving.intent import Intent, Published
from lambdas import reconcile
from lambdas._records import _intent, _runs
from tests.lambdas.aws import Aws
from tests.lambdas.bedrock import BASE, model_arn
from tests.lambdas.counted import counted

RUN = "20261121-093000-00aaaa"
KEY, JOB, MODEL = "k" * 48, f"dev-pets-search-{RUN}", model_arn(1)
BAD = ["ABORTED", "FAILED", "TIMED_OUT"]


class Time:
    """A function's context, with so many milliseconds left."""

    def __init__(self, left: int = 900_000) -> None:
        self.left = left

    def get_remaining_time_in_millis(self) -> int:
        return self.left


def _reconcile(context: Any = None) -> dict[str, list[str]]:
    return reconcile.handler({}, context or Time())


def _run(aws: Aws, status: str, *, was: str = "training", job: str | None = None) -> None:
    """A run that has come so far, whose execution ended so; job: its job's status."""
    _runs.start_run(
        "a-table",
        run=RUN,
        customization="pets-search",
        status=was,
        execution="e1",
        training_version="v1",
        run_key=KEY,
        job_name=JOB,
        estimate="total: 12.00 USD",
    )
    _runs.acquire_lock("a-table", key=KEY, run=RUN, job_name=JOB)
    aws.stepfunctions.statuses["e1"] = status
    if job is not None:
        aws.bedrock.jobs[JOB] = {"status": job}
        if job == "Completed":
            aws.bedrock.jobs[JOB]["model"] = MODEL
            aws.bedrock.models[MODEL] = BASE


def _told(aws: Aws) -> list[dict[str, Any]]:
    return [json.loads(each["Message"]) for each in aws.sns.asked("Publish")]


@pytest.mark.parametrize("was", ["checking", "valid", "awaiting-approval", "queued", "training"])
def test_an_aborted_run_is_closed_told_and_its_work_is_free(was: str, aws: Aws) -> None:
    _run(aws, "ABORTED", was=was)
    aws.stepfunctions.ends["e1"] = {"cause": "wrong file"}

    assert _reconcile()["closed"] == [RUN]

    item = aws.run(RUN)
    assert item["status"] == "aborted"
    assert "its execution was aborted: wrong file" in item["message"]
    assert "The same data may be uploaded again at once" in item["message"]
    assert [(each["status"], each["run"]) for each in _told(aws)] == [("aborted", RUN)]
    assert aws.dynamodb.item(f"key#{KEY}")["state"] == "failed"


def test_a_run_whose_execution_runs_is_left_alone(aws: Aws) -> None:
    _run(aws, "RUNNING", job="InProgress")
    before = aws.run(RUN)

    assert not any(_reconcile().values())
    assert aws.run(RUN) == before


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "SUCCEEDED"])
def test_a_run_that_could_not_be_closed_is_closed_with_what_step_functions_says(
    status: str, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(aws, status, was="checking")
    aws.stepfunctions.ends["e1"] = {"error": "States.DataLimitExceeded", "cause": "too much"}

    _reconcile()

    assert aws.run(RUN)["status"] == "failed"
    assert "The run ended unexpectedly: its execution" in aws.run(RUN)["message"]
    assert counted(capsys) == {("dev", "pets-search", "RunsFailed"): 1}


def test_a_second_call_changes_and_tells_nothing_more(aws: Aws) -> None:
    _run(aws, "ABORTED")
    _reconcile()
    after = aws.run(RUN)

    assert not any(_reconcile().values())
    assert (aws.run(RUN), len(_told(aws))) == (after, 1)


def test_a_call_that_breaks_off_before_it_has_closed_the_run_is_made_up_for(aws: Aws) -> None:
    _run(aws, "ABORTED")
    aws.dynamodb.refuse("UpdateItem", "AccessDeniedException")
    with pytest.raises(RuntimeError, match=f"{RUN}: .*AccessDenied"):
        _reconcile()

    assert _reconcile()["closed"] == [RUN]
    assert aws.run(RUN)["status"] == "aborted"


def test_an_index_that_lags_behind_reopens_nothing(aws: Aws) -> None:
    """The run was closed between the answer of the index and the one of Step Functions."""
    _run(aws, "SUCCEEDED")

    def closed_meanwhile(operation: str, carry_out: Any) -> Any:
        answer = carry_out()
        if operation == "Query":
            _runs.close_run("a-table", RUN, status="served")
        return answer

    aws.dynamodb.around = closed_meanwhile

    assert not any(_reconcile().values())
    assert aws.run(RUN)["status"] == "served"
    assert _told(aws) == []


def test_the_job_of_an_aborted_run_is_stopped_and_that_is_told(aws: Aws) -> None:
    _run(aws, "ABORTED", job="InProgress")

    _reconcile()

    assert aws.bedrock.jobs[JOB]["status"] == "Stopping"
    assert "Its job is stopped; training up to then is billed" in aws.run(RUN)["message"]


def test_the_job_of_an_aborted_run_that_goes_on_all_the_same_is_stopped_again(aws: Aws) -> None:
    _run(aws, "ABORTED", job="InProgress")
    _reconcile()
    aws.bedrock.jobs[JOB]["status"] = "InProgress"

    _reconcile()

    assert aws.bedrock.jobs[JOB]["status"] == "Stopping"


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT"])
@pytest.mark.parametrize("closed", [True, False])
def test_a_job_that_lost_its_watcher_is_watched_until_its_end(
    status: str, closed: bool, aws: Aws
) -> None:
    _run(aws, status, job="InProgress")
    if closed:
        _runs.close_run("a-table", RUN, status="failed", message="throttled")

    for _ in range(3):
        assert _reconcile()["watched"] == [RUN]

    assert aws.run(RUN)["status"] == "training"
    (told,) = _told(aws)
    assert "The run's job continues and is billed" in told["message"]
    assert aws.bedrock.jobs[JOB]["status"] == "InProgress"


def test_a_job_that_was_watched_is_recorded_and_its_model_handed_over_to_be_served(
    aws: Aws,
) -> None:
    _run(aws, "FAILED", job="InProgress")
    _reconcile()
    aws.bedrock.jobs[JOB] = {"status": "Completed", "model": MODEL}
    aws.bedrock.models[MODEL] = BASE

    assert _reconcile()["serving"] == [RUN]

    item, work = aws.run(RUN), aws.dynamodb.item(f"key#{KEY}")
    assert (item["status"], item["model_arn"]) == ("trained", MODEL)
    assert (work["state"], work["model_arn"]) == ("trained", MODEL)
    ((name, given),) = aws.stepfunctions.executions.items()
    assert (name, item["execution"]) == (f"serves-{RUN}", f"serves-{RUN}")
    serving = json.loads(given)["serving"]
    assert serving["model_arn"] == MODEL
    # Without both, nothing is bought.
    assert serving["price"] == "total: 12.00 USD"
    assert serving["approval"] == "the price is within the budget"
    assert not any(_reconcile().values())


def test_a_model_whose_serving_breaks_off_as_well_is_kept_and_told(aws: Aws) -> None:
    _run(aws, "FAILED", job="Completed")
    _reconcile()
    aws.stepfunctions.statuses[f"serves-{RUN}"] = "TIMED_OUT"

    assert _reconcile()["closed"] == [RUN]
    assert aws.run(RUN)["status"] == "trained"
    assert f"tuning serve pets-search --run {RUN} -e dev" in aws.run(RUN)["message"]
    assert aws.dynamodb.item(f"key#{KEY}")["state"] == "trained"


@pytest.mark.parametrize(("until", "status"), [("", "served"), ("2999", "trained")])
def test_a_model_that_was_published_before_its_execution_broke_off_is_served(
    until: str, status: str, aws: Aws
) -> None:
    """Unless its run had not finished: then it may still be undone."""
    _run(aws, "ABORTED", was="trained", job="Completed")
    published = Published(endpoint_arn="arn:endpoint", model_arn=MODEL, model_run=RUN)
    intent = Intent(customization="pets-search", on=True, until=until, published=published)
    assert _intent.write("a-table", intent) is not None

    _reconcile()

    assert aws.run(RUN)["status"] == status
    assert ("arn:endpoint" in aws.run(RUN)["message"]) == (status == "served")


def test_the_model_of_a_run_that_was_aborted_after_training_is_kept_but_not_served(
    aws: Aws,
) -> None:
    _run(aws, "ABORTED", was="trained", job="Completed")

    _reconcile()

    assert aws.run(RUN)["status"] == "trained"
    assert aws.run(RUN)["model_arn"] == MODEL
    assert aws.stepfunctions.executions == {}


def test_a_job_that_fails_unwatched_is_told_in_bedrocks_words(aws: Aws) -> None:
    _run(aws, "FAILED", job="Failed")
    aws.bedrock.jobs[JOB]["failure"] = "Unable to read training data: access denied"

    _reconcile()

    assert aws.run(RUN)["status"] == "failed"
    assert "Unable to read training data" in aws.run(RUN)["message"]
    assert aws.dynamodb.item(f"key#{KEY}")["state"] == "failed"


def test_a_job_with_our_names_of_no_run_is_reported_and_left_alone(aws: Aws) -> None:
    others = "ron-20261121-093000-3f9a1c"
    running = {"status": "InProgress"}
    aws.bedrock.jobs = {JOB: running, "dev-other": dict(running), others: dict(running)}

    assert _reconcile()["undecided"] == [JOB]
    assert aws.bedrock.jobs[JOB]["status"] == "InProgress"


def test_what_a_run_without_a_dataset_has_begun_to_serve_is_said_to_be_billed(aws: Aws) -> None:
    """Its execution has its name."""
    run = "20261121-093000-serve0"
    _runs.start_run("a-table", run=run, customization="c", status="awaiting-approval")
    aws.stepfunctions.statuses[run] = "ABORTED"

    _reconcile()

    assert "billed until its lease ends: tuning endpoints" in aws.run(run)["message"]


@pytest.mark.parametrize(
    ("status", "error", "again"),
    [
        ("ABORTED", "", True),
        ("TIMED_OUT", "", True),
        # The message was refused.
        ("FAILED", "NotifyFailed", True),
        # It has told what it fails with.
        ("FAILED", "declined", False),
        ("SUCCEEDED", "", False),
    ],
)
def test_how_a_run_ended_is_told_once_even_if_its_execution_stopped_before_its_message(
    status: str, error: str, again: bool, aws: Aws
) -> None:
    _run(aws, "RUNNING")
    _runs.close_run("a-table", RUN, told=False, status="declined", message="somebody declined")
    assert not any(_reconcile().values())
    aws.stepfunctions.statuses["e1"] = status
    aws.stepfunctions.ends["e1"] = {"error": error}

    found = [_reconcile(), _reconcile()]

    assert [each["told"] for each in found] == [[RUN] if again else [], []]
    words = [(each["status"], each["message"]) for each in _told(aws)]
    assert words == [("declined", "somebody declined")] * again
    assert aws.run(RUN)["status"] == "declined"


@pytest.mark.parametrize(
    ("job", "became"),
    [("Completed", "serving"), ("InProgress", "watched"), ("Failed", ""), ("Stopped", "")],
)
def test_a_run_that_lost_sight_of_its_job_goes_on_however_soon_that_ended(
    job: str, became: str, aws: Aws
) -> None:
    _run(aws, "FAILED", job=job)
    aws.stepfunctions.ends["e1"] = {"error": "failed"}
    end = {"status": "failed", "message": "not allowed to watch", "unwatched": True}
    _runs.close_run("a-table", RUN, told=False, **end)

    found = _reconcile()

    assert [name for name, runs in found.items() if runs] == ([became] if became else [])
    assert ("open" in aws.run(RUN)) is bool(became)
    assert ("unwatched" in aws.run(RUN)) is not bool(became), "it is adopted once"
    if became == "serving":
        assert aws.run(RUN)["model_arn"] == MODEL


@pytest.mark.parametrize(
    ("job", "after", "kept"), [("Completed", "Completed", True), ("InProgress", "Stopping", False)]
)
def test_a_run_that_lost_sight_of_its_job_and_was_aborted_serves_nothing(
    job: str, after: str, kept: bool, aws: Aws
) -> None:
    _run(aws, "ABORTED", job=job)
    end = {"status": "failed", "message": "not allowed to watch", "unwatched": True}
    _runs.close_run("a-table", RUN, told=False, **end)

    assert _reconcile()["closed"] == [RUN]

    assert aws.bedrock.jobs[JOB]["status"] == after
    assert aws.stepfunctions.executions == {}
    assert aws.run(RUN).get("model_arn") == (MODEL if kept else None)


def test_one_run_that_cannot_be_asked_about_keeps_no_other_from_its_end(aws: Aws) -> None:
    other = "20261121-093001-00bbbb"
    _run(aws, "ABORTED")
    _runs.start_run("a-table", run=other, customization="c", status="checking", execution="e2")
    aws.stepfunctions.statuses["e2"] = "ABORTED"
    aws.stepfunctions.refuse("DescribeExecution", "AccessDeniedException")

    with pytest.raises(RuntimeError, match=RUN):
        _reconcile()

    assert aws.run(other)["status"] == "aborted"
    assert aws.run(RUN)["status"] == "training"


def test_a_call_ends_in_time_and_leaves_the_rest_to_the_next_one(aws: Aws) -> None:
    _run(aws, "ABORTED")

    assert not any(_reconcile(Time(left=59_999)).values())
    assert aws.run(RUN)["status"] == "training"
    assert _reconcile(Time(left=60_000))["closed"] == [RUN]


def test_a_run_whose_job_somebody_stopped_did_not_fail(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(aws, "FAILED", job="Stopped")

    assert _reconcile()["closed"] == [RUN]

    assert aws.run(RUN)["status"] == "aborted"
    assert counted(capsys) == {}


@pytest.mark.parametrize(
    ("code", "closed"),
    [
        ("ConflictException", True),
        ("ResourceNotFoundException", True),
        ("ValidationException", True),
        ("AccessDeniedException", False),
    ],
)
def test_a_job_that_ends_just_as_it_is_stopped_is_stopped(
    code: str, closed: bool, aws: Aws
) -> None:
    _run(aws, "ABORTED", job="InProgress")
    aws.bedrock.refuse("StopModelCustomizationJob", code, "not now", times=9)

    if closed:
        assert {*_reconcile()["closed"]} == {RUN}
    else:
        with pytest.raises(RuntimeError, match="not now"):
            _reconcile()
    assert (aws.run(RUN)["status"] == "aborted") is closed
