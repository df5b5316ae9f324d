"""What a run waits for, in the runs table: the question, the token of its task, the answer.

The item is apart from the run's: people read runs, and this one only the function that answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.run.approvals import Decision
from bedrock_tuning.run.items import APPROVAL
from lambdas import _aws
from lambdas._records import _runs

_TOKEN: Final = "token"  # noqa: S105 - the name of an attribute


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingApproval:
    """What is asked. token: "" once it was answered. decision: what was decided already.

    price, because: as they were shown; about: what it is about, as JSON.
    """

    token: str
    price: str
    because: str
    about: str
    decision: Decision | None


def read(table: str, run: str) -> PendingApproval | None:
    """The question of a run; None where it never asked one."""
    item = _runs.get(table, f"{APPROVAL}{run}")
    if item is None:
        return None
    decision = item.get("decision")
    return PendingApproval(
        token=item.get(_TOKEN, ""),
        price=item.get("price", ""),
        because=item.get("because", ""),
        about=item.get("about", "{}"),
        decision=None if decision is None else Decision.from_json(decision),
    )


def decide(table: str, decision: Decision, *, token: str) -> Decision:
    """Keeps a decision about the question with this token, if there is none yet; what is kept now.

    The first one holds, however often it is answered.
    """
    condition = "attribute_not_exists(decision) AND #token = :token"
    values = {":decision": {"S": decision.to_json()}}
    _update(
        table, decision.run, token, "SET decision = :decision", only_if=condition, values=values
    )
    question = read(table, decision.run)
    return question.decision if question is not None and question.decision is not None else decision


def forget_token(table: str, run: str, token: str) -> None:
    """The answer was sent: nobody can use the token any more."""
    _update(table, run, token, "REMOVE #token", only_if="#token = :token", values={})


def _update(
    table: str, run: str, token: str, expression: str, *, only_if: str, values: Mapping[str, Any]
) -> None:
    _aws.none_if(
        "ConditionalCheckFailedException",
        lambda: _aws.dynamodb().update_item(
            TableName=table,
            Key={"id": {"S": f"{APPROVAL}{run}"}},
            UpdateExpression=expression,
            ConditionExpression=only_if,
            ExpressionAttributeNames={"#token": _TOKEN},
            ExpressionAttributeValues={**values, ":token": {"S": token}},
        ),
    )
