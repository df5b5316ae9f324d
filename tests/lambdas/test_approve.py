"""A person's answer to a run that waits: AWS says by whom, and what is kept stays."""

import base64
import json
from typing import Any

import pytest

from lambdas import approve
from lambdas._records import _runs
from tests.lambdas.aws import OUTPUT, Aws

RUN = "20261121-093000-aaaaaa"
ANN, BOB = (f"arn:aws:sts::000000000000:assumed-role/Finance/{name}" for name in ("ann", "bob"))
ABOUT = {"model": "amazon.titan-embed-image-v1:0", "hyperparameters": {"epochCount": "5"}}


@pytest.fixture
def waiting(aws: Aws) -> Aws:
    """A run that waits for approval."""
    return _asks(aws, status="awaiting-approval")


def _asks(aws: Aws, *, status: str) -> Aws:
    _runs.start_run("a-table", run=RUN, customization="pets-search", status=status)
    item = {
        "id": f"approval#{RUN}",
        "token": "secret",
        "price": "total: 12.00 USD",
        "because": "its price is above the budget",
        "about": json.dumps(ABOUT),
    }
    aws.dynamodb.items[item["id"]] = {name: {"S": value} for name, value in item.items()}
    aws.stepfunctions.tasks["secret"] = None
    return aws


def _send(body: Any, *, by: str = ANN, **more: Any) -> tuple[int, dict[str, Any]]:
    """What the function answers to a signed request."""
    signed = {"iam": {"userArn": by}} if by else {}
    text = body if isinstance(body, str) else json.dumps(body)
    event = {"body": text, "requestContext": {"authorizer": signed}, **more}
    answer = approve.handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def _approve(reason: str = "worth it", **more: Any) -> tuple[int, dict[str, Any]]:
    return _send({"run": RUN, "decision": "approve", "reason": reason}, **more)


def test_an_approval_is_kept_with_who_when_why_the_price_and_exactly_what(waiting: Aws) -> None:
    status, said = _approve()
    assert status == 200
    item = waiting.run(RUN)
    assert (item["approved_by"], item["decision_reason"]) == (ANN, "worth it")
    assert item["decided_price"] == "total: 12.00 USD"
    assert json.loads(item["decided_about"]) == ABOUT
    key = f"approvals/pets-search/{RUN}/{item['decided_at']}.json"
    kept = json.loads(waiting.s3.objects.body(OUTPUT, key))
    assert kept == said
    assert (kept["by"], kept["at"], kept["about"]) == (ANN, item["decided_at"], ABOUT)
    answer = json.loads(waiting.stepfunctions.tasks["secret"])
    assert answer == {"approved_by": ANN, "reason": "worth it"}


def test_it_is_kept_before_the_run_goes_on(waiting: Aws) -> None:
    waiting.stepfunctions.refuse("SendTaskSuccess", "ThrottlingException", times=9)
    with pytest.raises(Exception, match="Throttling"):
        _approve()
    assert waiting.s3.objects.keys(OUTPUT, "approvals/")
    assert waiting.run(RUN)["approved_by"] == ANN


def test_who_says_to_be_somebody_else_is_refused(waiting: Aws) -> None:
    status, said = _send({"run": RUN, "decision": "approve", "by": BOB})
    assert (status, waiting.stepfunctions.tasks) == (400, {"secret": None})
    assert "the body must be" in said["error"]


def test_a_request_that_nobody_signed_is_refused(waiting: Aws) -> None:
    status, _ = _approve(by="")
    assert (status, waiting.stepfunctions.tasks) == (403, {"secret": None})


def test_a_declined_run_says_by_whom_and_why(waiting: Aws) -> None:
    status, _ = _send({"run": RUN, "decision": "decline", "reason": "too dear"})
    assert status == 200
    assert waiting.run(RUN)["declined_by"] == ANN
    error, _, cause = waiting.stepfunctions.tasks["secret"].partition(": ")
    assert error == "Declined"
    assert json.loads(cause) == {"declined_by": ANN, "reason": "too dear"}


def test_the_first_answer_holds(waiting: Aws) -> None:
    assert _approve()[0] == 200
    _runs.update_run("a-table", RUN, status="training")
    status, said = _send({"run": RUN, "decision": "decline", "reason": "no"}, by=BOB)
    assert status == 409
    assert f"was approved by {ANN}" in said["error"]
    status, said = _approve(by=BOB)
    assert (status, said["by"]) == (200, ANN)
    assert len(waiting.s3.objects.keys(OUTPUT, "approvals/")) == 1


def test_an_answer_that_could_not_be_sent_is_sent_when_it_is_given_again(waiting: Aws) -> None:
    waiting.stepfunctions.refuse("SendTaskSuccess", "ThrottlingException", times=9)
    with pytest.raises(Exception, match="Throttling"):
        _approve()
    waiting.stepfunctions.orders.clear()
    status, said = _approve(by=BOB)
    assert (status, said["by"]) == (200, ANN)
    assert json.loads(waiting.stepfunctions.tasks["secret"])["approved_by"] == ANN


@pytest.mark.parametrize(("status", "code"), [("expired", 409), ("aborted", 409), ("failed", 409)])
def test_an_answer_after_the_end_is_refused(aws: Aws, status: str, code: int) -> None:
    _asks(aws, status=status)
    assert _approve()[0] == code
    assert aws.stepfunctions.tasks == {"secret": None}


@pytest.mark.parametrize("end", ["expired", "aborted", "failed"])
def test_an_answer_that_comes_as_the_wait_ends_is_no_approval(end: str, waiting: Aws) -> None:
    waiting.stepfunctions.tasks["secret"] = "it expired"  # pragma: allowlist secret
    assert _approve()[0] == 425
    _runs.update_run("a-table", RUN, status=end)
    assert _approve()[0] == 409


def test_a_run_that_is_about_to_ask_cannot_be_answered_yet(aws: Aws) -> None:
    _runs.start_run("a-table", run=RUN, customization="c", status="awaiting-approval")
    assert _approve()[0] == 425


def test_the_answer_to_an_earlier_question_is_none_to_the_next_one(waiting: Aws) -> None:
    assert _approve()[0] == 200
    # Training is over, and the terms of serving are about to be asked for.
    assert waiting.run(RUN)["status"] == "awaiting-approval"
    assert _approve()[0] == 425


def test_a_run_that_nobody_knows_is_refused(aws: Aws) -> None:
    assert _approve() == (404, {"error": f"unknown run {RUN}"})


@pytest.mark.parametrize(
    "body",
    ["", "no JSON", "[]", {"run": RUN}, {"run": 1, "decision": "approve"},
     {"run": RUN, "decision": "decline"}, {"run": RUN, "decision": "decline", "reason": " "},
     {"run": RUN, "decision": "approve", "reason": "x" * 1_001}],
    ids=str,
)  # fmt: skip
def test_a_body_that_is_not_understood_is_refused(waiting: Aws, body: Any) -> None:
    assert _send(body)[0] == 400


def test_a_body_may_come_in_base64(waiting: Aws) -> None:
    body = base64.b64encode(json.dumps({"run": RUN, "decision": "approve"}).encode()).decode()
    assert _send(body, isBase64Encoded=True)[0] == 200


def test_a_reason_may_be_as_long_as_a_thousand_characters(waiting: Aws) -> None:
    assert _approve("x" * 1_000)[0] == 200
    assert waiting.run(RUN)["decision_reason"] == "x" * 1_000


def test_an_approval_without_a_reason_says_none(waiting: Aws) -> None:
    assert _approve("")[0] == 200
    assert "decision_reason" not in waiting.run(RUN)
