"""Runs in a list, and a person's approval of their price."""

import json

import pytest

from tests.cli.conftest import Run
from tests.cli.support import CALLER, OLDER, RUN, WAITING, StubbedAws, index, item


def test_runs_are_listed_newest_first(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    older = {"run": OLDER, "customization": "pets-style", "status": "served", "records": 60}
    index(aws, older, WAITING)
    result = run("runs", "--json")
    assert [each["run"] for each in json.loads(result.stdout)] == [RUN, OLDER]
    assert json.loads(result.stdout)[1]["records"] == 60


def test_a_list_of_runs_never_shows_the_token(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    index(aws, WAITING)
    assert "secret-token" not in run("runs", "--json").output


def test_runs_of_one_customization_are_asked_of_the_index(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.answer("dynamodb", "query", {"Items": [item(**WAITING)]}, None)
    result = run("runs", "--customization", "pets-search")
    assert result.exit_code == 0
    assert RUN in result.stdout
    assert "awaiting-approval" in result.stdout


@pytest.mark.parametrize(
    ("values", "told", "step"),
    [
        ({"status": "awaiting-approval", "estimate": "a\ntotal: 12.00 USD"}, "12.00 USD",
         f"tuning approve {RUN}"),
        ({"status": "awaiting-approval", "estimate": "at least, without training: 1.95 USD, x"},
         "at least 1.95 USD, prices are missing", f"tuning approve {RUN}"),
        ({"status": "rejected", "errors": 1, "warnings": 3}, "1 error, 3 warnings",
         f"tuning report {RUN}"),
        ({"status": "checking", "records": 1016}, "1,016 records", f"tuning run {RUN} -f"),
        ({"status": "served", "model_arn": "arn:x:custom-model/y/abc", "warnings": 1,
          "endpoint_arn": "arn:x:provisioned-model/p"}, "model abc, 1 warning", "tuning endpoints"),
        ({"status": "served", "model_arn": "arn:x:custom-model/y/abc",
          "endpoint_arn": "arn:x:custom-model-deployment/d"}, "model abc", ""),
        ({"status": "failed", "message": "no rights\nLikely cause: …"}, "no rights",
         f"tuning run {RUN}"),
        ({"status": "waiting", "message": "the validation manifest is there"},
         "the validation manifest is there", "tuning upload DATASET -c pets-search"),
    ],
    ids=lambda value: value["status"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_list_says_of_each_run_what_it_has_come_to_and_what_to_do_next(
    run: Run, aws: StubbedAws, values: dict[str, object], told: str, step: str
) -> None:
    aws.deployed()
    index(aws, {"run": RUN, "customization": "pets-search", "updated": "now", **values})
    header, row = run("runs").stdout.splitlines()
    assert row[header.index("RESULT") : header.index("NEXT")].strip() == told
    assert row[header.index("NEXT") :].strip() == step


def test_runs_that_wait_for_a_slot_show_their_place_in_the_queue(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    queued = {"customization": "pets-search", "status": "queued", "message": "no free slot"}
    first = {**queued, "run": OLDER, "queued_since": "2026-11-21T09:31:00Z"}
    second = {**queued, "run": RUN, "queued_since": "2026-11-21T09:30:00Z"}
    trains = {**first, "run": "20261121-080000-000000", "status": "training"}
    index(aws, first, second)
    aws.answer(
        "dynamodb",
        "query",
        {"Items": [item(**trains), item(**first), item(**second)]},
        {
            "TableName": "runs",
            "IndexName": "open",
            "KeyConditionExpression": "#open = :open",
            "ExpressionAttributeNames": {"#open": "open"},
            "ExpressionAttributeValues": {":open": {"S": "yes"}},
        },
    )
    _, *rows = run("runs").stdout.splitlines()
    assert ["number 1 of 2 for a free slot" in rows[0], "number 2 of 2" in rows[1]] == [True, True]


def test_whoever_is_asked_for_approval_learns_why(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_units()
    aws.has_run(**WAITING, approval_reason="no price is known for training")
    assert "because no price is known for training" in run("approve", RUN).stderr


def test_whoever_approves_is_told_that_the_model_could_not_be_served(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    aws.has_units(0.0)
    aws.has_run(**WAITING)
    told = run("approve", RUN).stderr
    assert "0 model units of Titan Multimodal Embeddings G1: you would pay for a model" in told
    assert "servicequotas/home/services/bedrock/quotas/L-32F732DE" in told


def test_approval_goes_on_where_the_quota_may_not_be_asked(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.stub("service_quotas").add_client_error("get_service_quota", "AccessDeniedException")
    aws.has_run(**WAITING)
    told = run("approve", RUN).stderr
    assert "Whether the model can be served is not known" in told
    assert "--yes" in told


def test_a_deployment_without_runs_says_how_to_start_one(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    index(aws)
    result = run("runs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "tuning upload" in result.stderr


def test_a_refusal_of_aws_is_one_message_without_traceback(run: Run, aws: StubbedAws) -> None:
    aws.stub("cloudformation").add_client_error(
        "describe_stacks", "AccessDenied", "not authorized to perform"
    )
    result = run("runs")
    assert result.exit_code == 2
    assert "AccessDenied" in result.stderr
    assert "Traceback" not in result.output


def test_approve_shows_the_estimate_and_answers_the_workflow(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_units()
    aws.has_run(**WAITING)
    aws.called_by()
    aws.answer(
        "stepfunctions",
        "send_task_success",
        {},
        {
            "taskToken": "secret-token",
            "output": json.dumps({"approved_by": CALLER, "reason": ""}),
        },
    )
    result = run("approve", RUN, "--yes", "--json")
    assert result.exit_code == 0
    assert "total: 12.00 USD" in result.stderr
    assert json.loads(result.stdout)["decision"] == "approved"
    assert "secret-token" not in result.output


def test_without_a_terminal_approve_needs_yes(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_units()
    aws.has_run(**WAITING)
    result = run("approve", RUN)
    assert result.exit_code == 2
    assert "--yes" in result.stderr


def test_decline_ends_the_run_with_reason_and_person(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(**WAITING)
    aws.called_by()
    aws.answer(
        "stepfunctions",
        "send_task_failure",
        {},
        {
            "taskToken": "secret-token",
            "error": "Declined",
            "cause": json.dumps({"declined_by": CALLER, "reason": "too dear"}),
        },
    )
    assert run("approve", RUN, "--decline", "--reason", "too dear", "--yes").exit_code == 0


def test_decline_without_a_reason_is_refused_before_anything_is_asked(run: Run) -> None:
    result = run("approve", RUN, "--decline", "--yes")
    assert result.exit_code == 2
    assert "--reason" in result.stderr


def test_a_run_that_does_not_wait_cannot_be_approved(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(run=RUN, customization="pets-search", status="served")
    result = run("approve", RUN, "--yes")
    assert result.exit_code == 2
    assert "it is served" in result.stderr


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_approving_twice_says_that_the_run_no_longer_waits(
    run: Run, aws: StubbedAws, code: str
) -> None:
    aws.deployed()
    aws.has_units()
    aws.has_run(**WAITING)
    aws.called_by()
    aws.stub("stepfunctions").add_client_error("send_task_success", code, "gone")
    result = run("approve", RUN, "--yes")
    assert result.exit_code == 2
    assert "is no longer waiting" in result.stderr


@pytest.mark.parametrize("command", ["approve", "stop"])
def test_a_decision_is_never_about_whichever_run_is_the_latest(
    run: Run, aws: StubbedAws, command: str
) -> None:
    aws.deployed()
    aws.answer("dynamodb", "get_item", {}, None)
    result = run(command, "latest", "--yes")
    assert result.exit_code == 2
    assert "needs the name of a run" in result.stderr


def test_an_unknown_run_is_refused_with_the_closest_one(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.answer("dynamodb", "get_item", {}, None)
    index(aws, WAITING, {"run": OLDER, "customization": "pets-style", "status": "served"})
    result = run("approve", RUN.replace("3f9a1c", "3f9alc"))
    assert result.exit_code == 2
    assert f"unknown run 20261121-093000-3f9alc in dev; did you mean {RUN}?" in result.stderr
