"""What is told has the documented form: each field and status of every message is listed."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bedrock_tuning.contracts.states import workflow
from bedrock_tuning.run import decisions, outcome, reconciling
from bedrock_tuning.run.messages import ATTRIBUTES, STATUSES, Message
from lambdas import keep_leases

FIELDS = {field.name for field in msgspec.structs.fields(Message)}
# Outcomes that are recorded only: nobody is told.
UNTOLD = {"pending"}


def published() -> Iterator[Mapping[str, Any]]:
    """What the states of the workflow send."""
    states = workflow.definition(environment="dev", approval_days=7)["States"].values()
    for state in states:
        if state.get("Resource") == "arn:aws:states:::sns:publish":
            yield state["Parameters"]


def test_the_workflow_sends_documented_fields_and_statuses() -> None:
    bodies = [each["Message"] for each in published() if "Message" in each]
    assert len(bodies) >= 3
    for body in bodies:
        assert {name.removesuffix(".$") for name in body} <= FIELDS
        assert body["status"] in STATUSES
    assert {field.name for field in fields(outcome.Outcome)} | {"run", "customization"} <= FIELDS


@pytest.mark.parametrize(
    "module", [outcome, reconciling, keep_leases], ids=lambda each: each.__name__
)
def test_every_status_that_code_writes_is_documented(module: Any) -> None:
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    found = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id in ("Outcome", "_tell"):
            given = [word.value for word in call.keywords if word.arg == "status"] + call.args[2:3]
            found |= {each.value for each in given if isinstance(each, ast.Constant)}
    assert len(found) >= 3
    assert found - UNTOLD <= set(STATUSES)


def test_every_decision_that_ends_a_run_is_documented() -> None:
    ends = {
        *decisions.StartDecision.__args__,
        *decisions.TurnDecision.__args__,
        *decisions.ImagesDecision.__args__,
    }
    goes_on = {"start", "approve", "train", "wait", "same", "no-slot"}
    assert ends - goes_on <= set(STATUSES)


def test_subscriptions_choose_by_fields_of_the_message() -> None:
    for each in published():
        assert set(each["MessageAttributes"]) == set(ATTRIBUTES) <= FIELDS


def test_a_message_has_the_fields_that_its_form_demands() -> None:
    demanded = {each.name for each in msgspec.structs.fields(Message) if each.required}
    for each in published():
        body = each.get("Message")
        assert body is None or demanded <= {name.removesuffix(".$") for name in body}
