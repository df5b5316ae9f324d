"""One run followed and stopped, and what is served."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.response import StreamingBody

from bedrock_tuning.cli import following
from bedrock_tuning.client import executions
from tests.cli.conftest import Run
from tests.cli.support import CALLER, OLDER, REGION, RUN, WAITING, WORKFLOW, StubbedAws, index

EXECUTION = WORKFLOW.replace("stateMachine", "execution") + ":exec-1"
BEGAN = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SERVED = {
    "run": RUN,
    "customization": "pets-search",
    "status": "served",
    "execution": "exec-1",
    "created": "2026-11-21T09:30:00Z",
    "message": "The smoke test passed",
    "report": "s3://out/reports/pets-search/x/report.json",
}


def described(aws: StubbedAws, status: str) -> None:
    aws.answer(
        "stepfunctions",
        "describe_execution",
        {
            "executionArn": EXECUTION,
            "stateMachineArn": WORKFLOW,
            "status": status,
            "startDate": BEGAN,
        },
        {"executionArn": EXECUTION},
    )


def at(**seconds: int) -> dict[str, str]:
    """When a run came to each status, in seconds since it began."""
    return {
        f"at_{status}": f"{BEGAN + timedelta(seconds=after):%Y-%m-%dT%H:%M:%SZ}"
        for status, after in seconds.items()
    }


CHECKING = {**SERVED, "status": "checking", "open": "yes", **at(checking=0)}


def test_a_run_shows_where_everything_is(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(**SERVED)
    result = run("run", RUN)
    assert result.exit_code == 0
    assert "s3://out/reports/pets-search/x/report.json" in result.stdout


@pytest.mark.parametrize(
    ("more", "shown"), [({"commit": "a" * 40}, "a" * 40), ({}, "not recorded")]
)
def test_programs_read_which_commit_the_deployment_of_a_run_was_of(
    run: Run, aws: StubbedAws, more: dict[str, str], shown: str
) -> None:
    aws.deployed()
    aws.has_run(**SERVED, **more)
    assert json.loads(run("run", RUN, "--json").stdout)["commit"] == shown


def test_people_see_the_commit_with_all_only(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(**SERVED, commit="a" * 40)
    assert "a" * 40 not in run("run", RUN).stdout
    aws.deployed()
    aws.has_run(**SERVED, commit="a" * 40)
    assert "a" * 40 in run("run", RUN, "--all").stdout


def test_people_read_hyperparameters_and_what_was_approved_line_by_line(
    run: Run, aws: StubbedAws
) -> None:
    about = {"model": "m", "datasets": {"training": {"version": "v1"}}}
    aws.deployed()
    aws.has_run(
        **SERVED,
        hyperparameters=json.dumps({"epochCount": "Auto", "batchSize": "576"}),
        decided_about=json.dumps(about),
    )
    shown = [line.split() for line in run("run", RUN, "--all").stdout.splitlines()]
    assert ["hyperparameters", "epochCount:", "Auto"] in shown
    assert ["batchSize:", "576"] in shown
    assert ["datasets.training.version:", "v1"] in shown


def test_a_waiting_run_names_the_command_and_never_the_token(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(**WAITING)
    result = run("run", RUN)
    assert f"tuning approve {RUN}" in result.stderr
    assert "secret-token" not in result.output


def test_a_run_shows_what_its_model_builds_on_down_to_the_first(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    first = {"run": OLDER, "customization": "pets", "status": "served", "model_arn": "arn:model/1"}
    first["builds_on"] = "arn:model/0"
    second = {**SERVED, "builds_on": "arn:model/1", "model_arn": "arn:model/2"}
    aws.has_run(**second)
    index(aws, second, first)
    assert f"lineage  run {OLDER} of pets ← arn:model/0" in " ".join(
        run("run", RUN).stdout.split()
    ).replace("lineage ", "lineage  ")


def test_latest_is_the_newest_run(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    index(aws, {"run": OLDER, "customization": "c", "status": "served"}, SERVED)
    aws.has_run(**SERVED)
    assert json.loads(run("run", "latest", "--json").stdout)["run"] == RUN


@pytest.mark.parametrize("command", [("run", "latest"), ("runs",), ("report", "latest")])
def test_runs_of_an_unknown_customization_are_refused_with_the_nearest_name(
    run: Run, aws: StubbedAws, command: tuple[str, ...]
) -> None:
    aws.deployed()
    aws.answer("dynamodb", "query", {"Items": []}, None)
    result = run(*command, "-c", "pets-serch")
    assert result.exit_code == 2
    assert "unknown customization pets-serch in dev; did you mean pets-search?" in result.stderr


def test_a_run_and_a_customization_are_not_asked_for_at_once(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    result = run("run", RUN, "-c", "pets")
    assert result.exit_code == 2
    assert "omit it" in result.stderr


WHY = "the run costs 12.00 USD, the budget is 10.00 USD: 2.00 USD too much"


ASKED = {**WAITING, "open": "yes", "approval_reason": WHY, **at(checking=0, awaiting_approval=20)}
APPROVED = {**SERVED, **at(checking=0, awaiting_approval=20, training=60, served=90)}


def waits_for_approval(aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(**CHECKING)
    aws.has_run(**ASKED)


def test_follow_on_a_terminal_tells_why_approval_is_asked_and_goes_on_after_it(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions, "_POLL_SECONDS", 0)
    monkeypatch.setattr(following, "on_terminal", lambda: True)
    waits_for_approval(aws)
    aws.decides(decision="approve")
    aws.has_run(**ASKED)
    aws.has_run(**APPROVED)
    result = run("run", RUN, "--follow", input="y\n")
    assert result.stderr.count(f"it waits for you: {WHY}") == 1
    assert "total: 12.00 USD" in result.stderr
    assert f"approved as {CALLER}" in result.stderr
    assert result.exit_code == 0


def test_a_no_on_the_terminal_leaves_the_run_waiting_with_exit_code_3(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "on_terminal", lambda: True)
    waits_for_approval(aws)
    result = run("run", RUN, "--follow", input="\n")
    assert result.exit_code == 3
    assert "still waiting: nothing is trained or billed" in result.stderr


def test_who_may_not_approve_goes_on_following(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions, "_POLL_SECONDS", 0)
    monkeypatch.setattr(following, "on_terminal", lambda: True)
    waits_for_approval(aws)
    aws.decides(403, Message="Forbidden")
    aws.has_run(**APPROVED)
    result = run("run", RUN, "--follow", input="y\n")
    assert "you may not approve runs" in result.stderr
    assert result.exit_code == 0


def test_while_a_job_trains_follow_says_what_bedrock_does_and_at_the_end_how_the_loss_fell(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions, "_POLL_SECONDS", 0)
    aws.deployed()
    aws.has_run(**TRAINING)
    aws.has_run(**TRAINING)
    phases = {"validationDetails": "Completed", "dataProcessingDetails": "InProgress"}
    job(aws, "InProgress", {key: {"status": value} for key, value in phases.items()})
    ended = {**SERVED, **at(training=10, trained=20, serving=30, served=40)}
    aws.has_run(**ended, metrics="s3://out/reports/pets-search/x/metrics.json")
    rows = [{"step_number": n, "training_loss": str(loss)} for n, loss in enumerate((2, 0.25, 0.5))]
    body = json.dumps({"files": {"training_artifacts/step_wise.csv": rows}}).encode()
    aws.answer(
        "s3",
        "get_object",
        {"Body": StreamingBody(BytesIO(body), len(body))},
        {"Bucket": "out", "Key": "reports/pets-search/x/metrics.json"},
    )
    result = run("run", RUN, "--follow")
    assert "training: Bedrock: data processing in progress" in result.stdout
    assert "training loss: 2 → 0.5, lowest 0.25 at step 1" in result.stdout
    assert result.stdout.index("data processing") < result.stdout.index("began to serve")


def test_without_a_terminal_follow_ends_at_the_question_with_exit_code_3(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions, "_POLL_SECONDS", 0)
    waits_for_approval(aws)
    result = run("run", RUN, "--follow", "--json")
    assert result.exit_code == 3
    assert result.stderr.count(WHY) == 1
    assert f"tuning approve {RUN}" in result.stderr
    assert json.loads(result.stdout)["status"] == "awaiting-approval"


def test_follow_prints_what_happened_once_with_its_time(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions, "_POLL_SECONDS", 0)
    aws.deployed()
    aws.has_run(**CHECKING)
    aws.has_run(**CHECKING)
    aws.has_run(**{**CHECKING, "status": "valid", **at(valid=65)})
    aws.has_run(**{**SERVED, **at(checking=0, valid=65, training=70, serving=5_000, served=7_200)})
    result = run("run", RUN, "--follow")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[:5] == [
        "0:00:00  uploaded; the check of the dataset began",
        "0:01:05  the dataset is valid",
        "0:01:10  the training job was cleared to start",
        "1:23:20  began to serve the model",
        "2:00:00  the smoke test passed; the endpoint was published",
    ]


def test_following_a_run_that_ends_badly_exits_with_1(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(**SERVED)
    aws.has_run(**{**SERVED, "status": "failed", **at(checking=0, failed=9)})
    result = run("run", RUN, "--follow", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["status"] == "failed"
    assert "0:00:09  the job or a step of the run failed" in result.stderr


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time flies: each poll takes a minute."""
    clock = itertools.count(step=60.0)
    monkeypatch.setattr(executions, "_POLL_SECONDS", 0)
    monkeypatch.setattr(executions.time, "monotonic", lambda: next(clock))


@pytest.mark.usefixtures("hours")
@pytest.mark.parametrize("how", ["ABORTED", "GONE"])
def test_a_run_whose_execution_died_is_not_followed_for_ever(
    run: Run, aws: StubbedAws, how: str
) -> None:
    aws.deployed()
    for _ in range(4):
        aws.has_run(**CHECKING)
    for _ in range(3):
        if how == "GONE":
            aws.stub("stepfunctions").add_client_error(
                "describe_execution", "ExecutionDoesNotExist"
            )
        else:
            described(aws, how)
    result = run("run", RUN, "--follow")
    assert result.exit_code == 1
    assert f"its execution has ended ({how})" in result.stderr
    assert f"tuning run {RUN}" in result.stderr


@pytest.mark.usefixtures("hours")
def test_a_job_that_goes_on_without_its_execution_is_followed_to_its_end(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    aws.has_run(**CHECKING)
    for _ in range(5):
        aws.has_run(**{**CHECKING, "watched_since": "2026-11-21T09:30:00Z"})
    aws.has_run(**APPROVED)
    # The first question comes before the item says who watches.
    described(aws, "FAILED")
    assert run("run", RUN, "--follow").exit_code == 0


def throughput(
    aws: StubbedAws,
    *tags: dict[str, str] | None,
    base: str = "amazon.nova-lite-v1:0",
    status: str = "InService",
) -> None:
    prefix = f"arn:aws:bedrock:{REGION}:000000000000:"
    summaries = [
        {
            "provisionedModelName": f"pt-{number}",
            "provisionedModelArn": f"{prefix}provisioned-model/abcdefghij{number}0",
            "modelArn": f"{prefix}custom-model/x/abcdefghijkl",
            "desiredModelArn": f"{prefix}custom-model/x/abcdefghijkl",
            "foundationModelArn": f"arn:aws:bedrock:{REGION}::foundation-model/{base}",
            "modelUnits": 2,
            "desiredModelUnits": 2,
            "status": status,
            "creationTime": BEGAN,
            "lastModifiedTime": BEGAN,
        }
        for number, _ in enumerate(tags)
    ]
    aws.answer(
        "bedrock",
        "list_provisioned_model_throughputs",
        {"provisionedModelSummaries": summaries},
        None,
    )
    for each in tags:
        if each is None:
            code = "ResourceNotFoundException"
            aws.stub("bedrock").add_client_error("list_tags_for_resource", code)
            continue
        listed = [{"key": key, "value": value} for key, value in each.items()]
        aws.answer("bedrock", "list_tags_for_resource", {"tags": listed}, None)


OURS = {
    "bedrock-tuning:environment": "dev",
    "bedrock-tuning:customization": "pets",
    "bedrock-tuning:expires": "2026-11-21T17:30:00Z",
}


def listed(run: Run, *options: str) -> list[dict[str, Any]]:
    found = json.loads(run("endpoints", "--json", *options).stdout)
    assert isinstance(found, list)
    return found


def test_endpoints_are_found_by_tag_and_say_when_their_lease_ends(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    throughput(aws, OURS, {}, {**OURS, "bedrock-tuning:environment": "prod"})
    (only,) = listed(run)
    assert (only["customization"], only["lease_end"]) == ("pets", "2026-11-21T17:30:00Z")


def test_an_endpoint_whose_lease_is_over_is_not_shown_as_if_it_stayed(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    throughput(aws, OURS, {**OURS, "bedrock-tuning:expires": "2999-01-01T00:00:00Z"})
    _, over, lasting = run("endpoints").stdout.splitlines()
    assert ("lease ended" in over, "InService" in over) == (True, False)
    assert "InService" in lasting


def test_an_endpoint_that_is_deleted_while_it_is_listed_is_left_out(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    throughput(aws, OURS, None)
    assert len(listed(run)) == 1


def test_all_endpoints_include_those_of_others(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    throughput(aws, OURS, {})
    assert len(listed(run, "--all")) == 2


def test_a_known_price_counts_units_and_an_unknown_one_is_not_zero(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    throughput(aws, OURS, base="amazon.titan-image-generator-v2:0")
    (priced,) = listed(run)
    assert priced["usd_per_hour"] == 42.0
    aws.deployed()
    throughput(aws, OURS, base="amazon.titan-embed-image-v1:0")
    result = run("endpoints")
    assert "unknown" in result.stdout
    assert "no price is known for 1 of 1 endpoints" in result.stderr


def test_nothing_served_is_said(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    throughput(aws)
    result = run("endpoints")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing is billed" in result.stderr


JOB = f"arn:aws:bedrock:{REGION}:000000000000:model-customization-job/amazon.x-v1:0/abcdefghijkl"


def job(aws: StubbedAws, status: str, details: dict[str, Any] | None = None) -> None:
    aws.answer(
        "bedrock",
        "get_model_customization_job",
        {
            "jobArn": JOB,
            "jobName": "dev-pets",
            "outputModelName": "dev-pets",
            "roleArn": "arn:aws:iam::000000000000:role/r",
            "status": status,
            "creationTime": BEGAN,
            "baseModelArn": f"arn:aws:bedrock:{REGION}::foundation-model/amazon.x-v1",
            "hyperParameters": {},
            "trainingDataConfig": {"s3Uri": "s3://t/m.jsonl"},
            "validationDataConfig": {"validators": []},
            "outputDataConfig": {"s3Uri": "s3://o/"},
            **({"statusDetails": details} if details else {}),
        },
        {"jobIdentifier": "dev-pets"},
    )


TRAINING = {**SERVED, "status": "training", "job_name": "dev-pets", "open": "yes"}


def test_stop_stops_the_job_of_a_run(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(**TRAINING)
    job(aws, "InProgress")
    aws.answer("bedrock", "stop_model_customization_job", {}, {"jobIdentifier": JOB})
    result = run("stop", RUN, "--yes")
    assert result.exit_code == 0
    assert "stopping" in result.stderr


def test_stop_asks_first(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(**TRAINING)
    job(aws, "InProgress")
    result = run("stop", RUN)
    assert result.exit_code == 2
    assert "--yes" in result.stderr


def test_a_finished_job_is_not_stopped(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(**TRAINING)
    job(aws, "Completed")
    result = run("stop", RUN, "--yes")
    assert result.exit_code == 2
    assert "the job is Completed" in result.stderr
    assert f"tuning run {RUN}" in result.stderr.partition("fix:")[2]


def test_a_run_that_awaits_approval_has_no_job_and_can_be_declined(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    aws.has_run(**WAITING)
    result = run("stop", RUN, "--yes")
    assert result.exit_code == 2
    assert f"tuning approve {RUN} --decline" in result.stderr
