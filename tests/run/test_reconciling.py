"""What a run has come to whose execution ended in silence, said to the letter."""

import pytest

from bedrock_tuning.run import reconciling
from bedrock_tuning.run.outcome import Outcome
from bedrock_tuning.run.reconciling import ExecutionEnd

RUN = "20261121-093000-aaaaaa"
UPLOADED = {"customization": "pets-search", "run": RUN, "training_version": "v1"}
SERVES = {"customization": "pets-search", "run": RUN}
GONE = ExecutionEnd(status="gone")


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (ExecutionEnd(status="ABORTED"), "its execution was aborted"),
        (ExecutionEnd(status="ABORTED", cause="by Ron"), "its execution was aborted: by Ron"),
        (ExecutionEnd(status="TIMED_OUT"), "its execution took longer than it may"),
        (GONE, "its execution no longer exists"),
        (ExecutionEnd(status="FAILED"), "its execution ended without recording how"),
        (
            ExecutionEnd(status="FAILED", error="States.Runtime"),
            "its execution ended without recording how: States.Runtime",
        ),
        (
            ExecutionEnd(status="FAILED", error="KeyError", cause='{"errorMessage": "\'x\'"}'),
            "its execution ended without recording how: KeyError: 'x'",
        ),
    ],
)
def test_an_end_is_said_as_far_as_it_is_known(ended: ExecutionEnd, said: str) -> None:
    assert str(ended) == said
    assert ended.by_hand == (ended.status == "ABORTED")


@pytest.mark.parametrize(
    ("item", "left"),
    [
        (UPLOADED, "The same data may be uploaded again at once."),
        (SERVES, "What it had begun to serve is billed until its lease ends: tuning endpoints."),
    ],
    ids=["an upload", "a person's"],
)
def test_what_is_left_of_a_run_without_a_model_is_said(item: dict[str, str], left: str) -> None:
    assert reconciling.aborted(item, ExecutionEnd(status="ABORTED")) == Outcome(
        status="aborted",
        subject="pets-search: aborted",
        message=f"The run was ended: its execution was aborted.\n{left}",
    )
    assert reconciling.broken(item, GONE) == Outcome(
        status="failed",
        subject="pets-search: failed",
        message=f"The run ended unexpectedly: its execution no longer exists.\n{left}",
        failed=True,
    )


def test_what_became_of_the_job_of_a_run_that_was_ended_is_said_before_that() -> None:
    lines = reconciling.aborted(UPLOADED, GONE, job="stopping").message.splitlines()
    assert lines[1] == "Its job is stopping; training up to then is billed."
    assert len(lines) == 3


def test_a_job_that_continues_a_model_that_is_kept_and_one_that_is_served_are_no_failures() -> None:
    assert reconciling.watched(UPLOADED, GONE) == Outcome(
        status="training",
        subject="pets-search: its job continues",
        message="The run's job continues and is billed, although its execution no longer exists."
        "\nIts end will be recorded, and its model served as after any run.",
    )
    assert reconciling.kept(UPLOADED, GONE, model="arn:m", environment="prod") == Outcome(
        status="trained",
        subject="pets-search: trained, not served",
        message="The custom model is kept: arn:m\nIt is not served by this run: its execution no "
        "longer exists. What the run had begun to serve ends with its lease.\nServe it: tuning "
        f"serve pets-search --run {RUN} -e prod",
    )
    assert reconciling.served(UPLOADED, GONE, endpoint="arn:e") == Outcome(
        status="served",
        subject="pets-search: served",
        message="The custom model of this run is served by arn:e, although its execution no "
        "longer exists.",
    )


def test_a_job_that_failed_is_told_as_by_the_workflow_with_how_to_see_its_run() -> None:
    job = {"status": "Failed", "failureMessage": "Amazon S3 perms missing: access denied"}
    told = reconciling.job_failed(UPLOADED, job, environment="prod")
    assert (told.status, told.subject, told.failed) == ("failed", "pets-search: failed", True)
    assert "Amazon S3 perms missing: access denied" in told.message
    stopped = reconciling.job_failed(UPLOADED, {"status": "Stopped"}, environment="prod")
    assert (stopped.status, stopped.failed) == ("stopped", False)
