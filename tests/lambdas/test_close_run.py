"""The end of a run: written, worded, and the work left so that it is paid for once."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bedrock_tuning.run import job, outcome
from lambdas import close_run
from lambdas._records import _runs
from tests.lambdas.aws import Aws
from tests.lambdas.bedrock import model_arn
from tests.lambdas.counted import counted

RUN = "20261121-093000-aaaaaa"
KEY = "k" * 48
MODEL = model_arn(1)
ADMISSION = {"customization": "pets-search", "run": RUN, "decision": "run", "reason": "checking"}
VALID = {"valid": True, "errors": 0, "counts": {}, "report": "s3://r/report.json"}
REJECTED = {
    **VALID,
    "valid": False,
    "errors": 2,
    "to_fix": {"a": 2},
    "worth_a_look": {},
    "html": "s3://r/report.html",
    "rejected": "s3://r/rejected.jsonl",
}
START = {"decision": "start", "reason": "cheap", "run_key": KEY}
APPROVE = {**START, "decision": "approve"}
JOB = {"JobArn": "arn:job", "OutputModelArn": MODEL}
SERVED = {
    "customization": "pets-search",
    "run": RUN,
    "step": "served",
    "reason": "it serves the model",
    "endpoint_arn": "arn:endpoint",
}


def _close(**state: Any) -> dict[str, Any]:
    if state.get("start", {}).get("run_key"):
        _prepared()
    return _end({"admission": ADMISSION, **state})


def _prepared(owner: str = RUN) -> None:
    """What Prepare job leaves in the table, whether it then fails or not."""
    _runs.start_run("a-table", run=RUN, customization="pets-search", status="valid")
    _runs.update_run("a-table", RUN, run_key=KEY)
    _runs.acquire_lock("a-table", key=KEY, run=owner, job_name="a-job")


def _end(state: dict[str, Any]) -> dict[str, Any]:
    execution = {"execution": "e1", "started": "2026-11-21T09:30:00.123Z"}
    return close_run.handler({"state": state, **execution}, None)


def _error(error: str, cause: Any = "") -> dict[str, str]:
    return {"Error": error, "Cause": cause if isinstance(cause, str) else json.dumps(cause)}


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"admission": {**ADMISSION, "decision": "waiting"}}, "waiting"),
        ({"admission": {**ADMISSION, "decision": "superseded"}}, "superseded"),
        ({"admission": {**ADMISSION, "decision": "closed"}}, "closed"),
        ({"report": REJECTED}, "rejected"),
        (
            {"start": {"decision": "already-trained", "reason": "r", "holder": "h"}},
            "already-trained",
        ),
        ({"start": {"decision": "in-progress", "reason": "r"}}, "in-progress"),
        ({"start": {"decision": "outdated", "reason": "r"}}, "outdated"),
        ({"start": APPROVE, "error": _error("Declined", "by Ron")}, "declined"),
        ({"start": APPROVE, "error": _error("States.Timeout")}, "expired"),
        ({"start": START, "error": _error("States.TaskFailed", {"Status": "Failed"})}, "failed"),
        ({"start": START, "error": _error("States.TaskFailed", {"Status": "Stopped"})}, "stopped"),
        ({"start": START, "job": JOB, "serving": SERVED}, "served"),
        ({"start": START, "job": JOB, "serving": {**SERVED, "step": "unserved"}}, "trained"),
        ({"start": START, "job": JOB, "serving": {**SERVED, "step": "failed"}}, "serving-failed"),
        ({"error": _error("SourceError", {"errorMessage": "cannot read"})}, "failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_end_is_written_to_its_run(state: dict[str, Any], status: str, aws: Aws) -> None:
    _runs.start_run("a-table", run=RUN, customization="pets-search", status="checking")

    ended = _close(**state)

    assert ended["status"] == status
    item = aws.run(RUN)
    assert (item["status"], item["message"]) == (status, ended["message"])
    assert item["customization"] == "pets-search"


@pytest.mark.parametrize(
    ("state", "failures"),
    [
        ({"start": START, "error": _error("States.TaskFailed", {"Status": "Failed"})}, 1),
        ({"start": START, "job": JOB, "serving": {**SERVED, "step": "failed"}}, 1),
        ({"start": START, "job": JOB, "serving": SERVED}, 0),
        ({"report": REJECTED}, 0),
    ],
    ids=["failed", "serving-failed", "served", "rejected"],
)
def test_a_failure_counts_for_the_alarm_of_its_customization(
    state: dict[str, Any], failures: int, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    _close(**state)

    assert counted(capsys)["dev", "pets-search", "RunsFailed"] == failures


def test_a_run_that_was_not_even_admitted_has_its_commit(aws: Aws) -> None:
    uploaded = {"object": {"key": "pets-search/manifest.jsonl"}}
    state = {"detail": uploaded, "error": _error("AccessDenied")}
    began = {"execution": "e1", "started": "2026-11-21T09:30:00.123Z"}

    ended = close_run.handler({"state": state, **began, "commit": "a" * 40}, None)

    assert aws.run(ended["run"])["commit"] == "a" * 40


def test_a_failure_that_is_of_no_customization_is_told_and_leaves_no_run(aws: Aws) -> None:
    """A file of nobody's, as one beside all folders."""
    uploaded = {"object": {"key": "manifest.jsonl"}}

    ended = _end({"detail": uploaded, "error": _error("Boom")})

    assert (ended["status"], ended["customization"]) == ("failed", "unknown")
    assert aws.dynamodb.items == {}


@pytest.mark.parametrize("decision", ["duplicate", "ignored"])
def test_an_upload_that_is_no_run_leaves_no_trace_in_the_table(decision: str, aws: Aws) -> None:
    _close(admission={**ADMISSION, "decision": decision})

    assert aws.dynamodb.items == {}


def test_a_duplicate_does_not_touch_the_run_that_has_its_uploads(aws: Aws) -> None:
    _runs.start_run("a-table", run=RUN, customization="pets-search", status="training")

    _close(admission={**ADMISSION, "decision": "duplicate"})

    assert aws.run(RUN)["status"] == "training"


def test_a_run_that_was_never_written_is_written_at_its_end(aws: Aws) -> None:
    """A half-uploaded dataset is seen in the list of runs."""
    _close(admission={**ADMISSION, "decision": "waiting"})

    assert aws.run(RUN)["status"] == "waiting"


def test_a_run_that_is_written_at_its_end_has_a_status_from_its_first_moment(aws: Aws) -> None:
    """Whoever lists runs just then reads it."""
    aws.dynamodb.refuse("UpdateItem", "AccessDeniedException")

    with pytest.raises(ClientError):
        _close(admission={**ADMISSION, "decision": "waiting"})

    assert aws.run(RUN)["status"] == "waiting"


def test_a_deployment_that_changed_what_is_served_is_written_too(aws: Aws) -> None:
    serving = {**SERVED, "run": "deploy-20261121T093000Z", "step": "removed"}

    ended = _end({"serving": serving})

    assert ended["run"] == "deploy-20261121T093000Z"
    assert aws.run("deploy-20261121T093000Z")["status"] == "removed"
    assert aws.run("deploy-20261121T093000Z")["customization"] == "pets-search"


def test_a_run_that_could_not_be_admitted_is_told_and_listed(aws: Aws) -> None:
    """Its claim names it: who uploads the same again is sent to a run that exists."""
    event = {"detail": {"object": {"key": "pets-search/manifest.jsonl"}}}

    ended = _end({**event, "error": _error("Boom")})

    assert (ended["status"], ended["notify"], ended["failed"]) == ("failed", True, True)
    run = job.run_id("2026-11-21T09:30:00.123Z", "e1")
    assert ended["run"] == run
    assert (aws.run(run)["status"], aws.run(run)["customization"]) == ("failed", "pets-search")


def test_work_is_released_by_what_the_run_has_noted_where_preparing_its_job_failed(
    aws: Aws,
) -> None:
    """A caught error leaves nothing of the step in the state."""
    _prepared()

    _end({"admission": ADMISSION, "error": _error("DeniedError", "no")})

    assert aws.dynamodb.item(f"key#{KEY}")["state"] == "failed"


def test_what_was_served_is_found_by_its_endpoint(aws: Aws) -> None:
    _close(start=START, job=JOB, serving=SERVED)

    assert aws.run(RUN)["endpoint_arn"] == "arn:endpoint"


@pytest.mark.parametrize(
    "state",
    [
        {"start": START, "error": _error("States.TaskFailed", {"Status": "Failed"})},
        {"start": START, "error": _error("States.TaskFailed", {"Status": "Stopped"})},
        {"start": APPROVE, "error": _error("Declined")},
        {"start": APPROVE, "error": _error("States.Timeout")},
    ],
    ids=["failed", "stopped", "declined", "expired"],
)
def test_work_that_came_to_nothing_may_be_tried_again(state: dict[str, Any], aws: Aws) -> None:
    _close(**state)

    assert aws.dynamodb.item(f"key#{KEY}")["state"] == "failed"


@pytest.mark.parametrize(
    "state",
    [
        {"serving": SERVED},
        {"serving": {**SERVED, "step": "failed"}},
        {"error": _error("SourceError")},
        {"serving": SERVED, "error": _error("KeyError")},
    ],
    ids=["served", "serving failed", "recording failed", "roll-back failed"],
)
def test_what_was_trained_is_never_trained_again_whatever_went_wrong_afterwards(
    state: dict[str, Any], aws: Aws
) -> None:
    _close(start=START, job=JOB, **state)

    work = aws.dynamodb.item(f"key#{KEY}")
    assert (work["state"], work["model_arn"]) == ("trained", MODEL)


def test_a_run_whose_work_was_taken_over_leaves_it_alone(aws: Aws) -> None:
    _prepared(owner="another")

    _close(start=START, error=_error("States.TaskFailed"))

    assert aws.dynamodb.item(f"key#{KEY}")["state"] == "training"


def test_the_subject_is_one_that_sns_takes(aws: Aws) -> None:
    admission = {**ADMISSION, "customization": "ü" * 120}

    subject = _end({"admission": admission})["subject"]

    assert subject.isascii()
    assert len(subject) == 100


@pytest.mark.parametrize("name", ["OutputModelArn", "outputModelArn"])
def test_a_trained_model_is_not_lost_whichever_way_its_job_is_spelled(name: str, aws: Aws) -> None:
    _close(start=START, job={name: MODEL}, error=_error("ClientError", "no"))

    work = aws.dynamodb.item(f"key#{KEY}")
    assert (work["state"], work["model_arn"]) == ("trained", MODEL)
    assert MODEL in aws.run(RUN)["message"]


@pytest.mark.parametrize("swapped", [True, False])
def test_a_swap_in_place_says_that_callers_met_the_model_before_it_was_proved(
    swapped: bool,
) -> None:
    said = outcome.outcome(
        {"serving": {**SERVED, "swapped": swapped}, "job": {}}, environment="dev"
    )

    assert said.status == "served"
    assert ("callers reached it while it was tested" in said.message) == swapped
