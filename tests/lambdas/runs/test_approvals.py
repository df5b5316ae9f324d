"""What is kept of a question: the first decision about it, and none about another one."""

from bedrock_tuning.run.approvals import Decision
from lambdas._records import _approvals
from tests.lambdas.aws import Aws

RUN = "20261121-093000-aaaaaa"


def _asked(aws: Aws, token: str) -> None:
    item = {"id": f"approval#{RUN}", "token": token, "about": "{}"}
    aws.dynamodb.items[item["id"]] = {name: {"S": value} for name, value in item.items()}


def _decision(by: str) -> Decision:
    return Decision(
        run=RUN,
        customization="pets",
        decision="approve",
        by=by,
        at="2026-11-21T09:30:00Z",
        reason="",
        price="12.00 USD",
        asked_because="",
        about={},
    )


def test_the_first_decision_about_a_question_is_kept(aws: Aws) -> None:
    _asked(aws, "secret")

    assert _approvals.decide("a-table", _decision("ann"), token="secret").by == "ann"
    assert _approvals.decide("a-table", _decision("bob"), token="secret").by == "ann"


def test_a_decision_about_another_question_is_not_kept_for_the_one_that_is_asked_now(
    aws: Aws,
) -> None:
    _asked(aws, "next")

    assert _approvals.decide("a-table", _decision("ann"), token="secret") == _decision("ann")
    assert "decision" not in aws.dynamodb.item(f"approval#{RUN}")


def test_a_decision_about_a_question_that_is_gone_is_kept_nowhere(aws: Aws) -> None:
    assert _approvals.decide("a-table", _decision("ann"), token="secret") == _decision("ann")
    assert aws.dynamodb.items == {}
