"""Runs in a list, and a person's approval of their price."""

import json
from io import BytesIO

import pytest
from botocore.response import StreamingBody

from tests.cli.conftest import Run
from tests.cli.support import CALLER, OLDER, RUN, WAITING, StubbedAws, index, item


def test_runs_are_listed_newest_first(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    older = {"run": OLDER, "customization": "pets-style", "status": "served", "records": 60}
    index(aws, older, WAITING)
    result = run("runs", "--json")
    assert [each["run"] for each in json.loads(result.stdout)] == [RUN, OLDER]
    assert json.loads(result.stdout)[1]["records"] == 60


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


def test_approve_shows_the_estimate_and_sends_a_signed_answer(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_units()
    aws.has_run(**WAITING)
    aws.decides(decision="approve", reason="worth it")
    result = run("approve", RUN, "--reason", "worth it", "--yes", "--json")
    assert result.exit_code == 0
    assert "total: 12.00 USD" in result.stderr
    # Nothing about the caller: the function learns that from the signature.
    assert aws.sent == [{"run": RUN, "decision": "approve", "reason": "worth it"}]
    said = json.loads(result.stdout)
    assert (said["decision"], said["by"]) == ("approved", CALLER)


def test_without_a_terminal_approve_needs_yes(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_units()
    aws.has_run(**WAITING)
    result = run("approve", RUN)
    assert result.exit_code == 2
    assert "--yes" in result.stderr


def test_decline_ends_the_run_with_its_reason(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(**WAITING)
    aws.decides(decision="decline", reason="too dear")
    result = run("approve", RUN, "--decline", "--reason", "too dear", "--yes")
    assert result.exit_code == 0
    assert f"declined as {CALLER}" in result.stderr
    assert aws.sent == [{"run": RUN, "decision": "decline", "reason": "too dear"}]


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


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (409, {"error": "run X was declined by ann at noon"}, "was declined by ann"),
        (500, {}, "send it again"),
        (502, {"message": "Internal Server Error"}, "Internal Server Error"),
    ],
)
def test_an_answer_that_is_not_taken_says_why(
    run: Run, aws: StubbedAws, status: int, said: dict[str, str], told: str
) -> None:
    aws.deployed()
    aws.has_units()
    aws.has_run(**WAITING)
    aws.decides(status, **said)
    result = run("approve", RUN, "--yes")
    assert result.exit_code == 2
    assert told in result.stderr


def test_whoever_may_not_approve_is_told_who_may(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_units()
    aws.has_run(**WAITING)
    aws.decides(403, Message="Forbidden")
    result = run("approve", RUN, "--yes")
    assert result.exit_code == 2
    assert "you may not approve" in result.stderr
    assert "an approver may do this" in result.stderr


def test_a_run_that_is_about_to_ask_is_asked_again(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedrock_tuning.client.approvals._POLL_SECONDS", 0.0)
    aws.deployed()
    aws.has_units()
    aws.has_run(**WAITING)
    aws.decides(425, error="in a moment")
    aws.decides(decision="approve")
    assert run("approve", RUN, "--yes").exit_code == 0
    assert len(aws.sent) == 2


def test_a_run_shows_who_approved_it_why_and_exactly_what(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    about = {"model": "amazon.titan-embed-image-v1:0", "hyperparameters": {"epochCount": "5"}}
    decided = {"approved_by": CALLER, "decision_reason": "ok", "decided_about": json.dumps(about)}
    aws.has_run(run=RUN, customization="pets-search", status="served", **decided)
    said = json.loads(run("run", RUN, "--json").stdout)
    assert (said["approved_by"], said["decision_reason"]) == (CALLER, "ok")
    assert said["decided_about"] == about


def test_decisions_are_listed_from_the_trail(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    kept = {"run": RUN, "customization": "pets-search", "decision": "approve", "by": CALLER}
    kept |= {"at": "2026-11-21T10:00:00Z", "reason": "ok", "price": "a\ntotal: 12.00 USD"}
    kept |= {"asked_because": "its price is unknown", "about": {}}
    key = f"approvals/pets-search/{RUN}/2026-11-21T10:00:00Z.json"
    aws.answer(
        "s3",
        "list_objects_v2",
        {"Contents": [{"Key": key}]},
        {"Bucket": "out", "Prefix": "approvals/pets-search/"},
    )
    body = StreamingBody(BytesIO(json.dumps(kept).encode()), len(json.dumps(kept)))
    aws.answer("s3", "get_object", {"Body": body}, {"Bucket": "out", "Key": key})
    row = run("approvals", "-c", "pets-search").stdout.splitlines()[1]
    assert all(each in row for each in (RUN, "approved", "user/ann", "total: 12.00 USD", "ok"))


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
