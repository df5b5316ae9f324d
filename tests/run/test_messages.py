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
from bedrock_tuning.run.messages import (
    ATTRIBUTES,
    CHAT,
    SOURCE,
    STATUSES,
    DetailType,
    Event,
    Message,
    detail_type,
)
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


def test_a_message_has_a_subject_that_sns_takes_a_text_and_attributes_and_nothing_else() -> None:
    for each in published():
        assert {name.removesuffix(".$") for name in each} == {
            *("TopicArn", "Subject", "Message", "MessageAttributes"),
        }
        assert each["TopicArn"] == "${Topic}"
        subject = each.get("Subject.$", each.get("Subject"))
        assert subject == "$.outcome.subject" or 1 <= len(subject) <= 100


def test_the_attributes_of_a_message_say_what_its_text_says() -> None:
    whole = {f"{name}.$": f"$.outcome.{name}" for name in ATTRIBUTES}
    for each in published():
        text = each.get("Message", whole)
        for name, attribute in each["MessageAttributes"].items():
            (key,) = attribute.keys() - {"DataType"}
            assert attribute["DataType"] == "String"
            assert attribute[key] == text[name + key.removeprefix("StringValue")]


def test_an_outcome_is_sent_whole_under_its_own_subject() -> None:
    (sent,) = (each for each in published() if "Message.$" in each)
    assert sent["Message.$"] == "States.JsonToString($.outcome)"
    assert sent["Subject.$"] == "$.outcome.subject"


def test_a_question_gives_the_run_what_it_costs_and_why_and_the_command_that_answers() -> None:
    asked = [m["Message"] for m in published() if "awaiting" in str(m.get("Message"))]
    of = {"$.admission": "$.start", "$.serving": "$.serving"}
    assert len(asked) == len(of)
    for message, (run, said) in zip(asked, of.items(), strict=True):
        assert message == {
            "status": "awaiting-approval",
            "environment": "dev",
            "customization.$": f"{run}.customization",
            "run.$": f"{run}.run",
            "reason.$": f"{said}.reason",
            "estimate.$": f"{said}.estimate",
            "approve.$": f"States.Format('tuning approve {{}} -e dev', {run}.run)",
        }


def test_a_run_that_could_not_be_closed_says_which_execution_it_was_and_what_went_wrong() -> None:
    (told,) = (m["Message"] for m in published() if m.get("Message", {}).get("status") == "failed")
    assert told["environment"] == "dev"
    assert told["execution.$"] == "$$.Execution.Id"
    assert told["message.$"].endswith(" {}: {}', $.error.Error, $.error.Cause)")


@pytest.mark.parametrize(
    ("rule", "kinds", "beside"),
    [
        (
            "Questions",
            [DetailType.APPROVAL],
            '"description": <estimate>, "nextSteps": [<approve>]',
        ),
        ("Messages", [DetailType.RUN, DetailType.ENDPOINT], '"description": <message>'),
    ],
)
def test_a_chat_shows_what_is_asked_or_told_and_the_command_that_answers(
    rule: str, kinds: list[DetailType], beside: str
) -> None:
    """Alone, EventBridge puts a value there as JSON: with its quotes, and its line ends."""
    notice = CHAT[rule]
    assert [*notice.kinds] == kinds
    assert notice.template == (
        '{"version": "1.0", "source": "custom", "content": {"textType": "client-markdown", '
        f'"title": "<customization> in <environment>: <status>", {beside}}}}}'
    )
    assert notice.paths.keys() <= FIELDS
    assert all(path == f"$.detail.{name}" for name, path in notice.paths.items())


def test_subscriptions_may_choose_by_whose_and_of_which_kind_a_message_is() -> None:
    assert ATTRIBUTES == ("environment", "customization", "status")


def test_each_status_is_of_one_kind_of_event() -> None:
    kinds = {status: detail_type(status) for status in STATUSES}
    told = {"removed", "withdrawn", "lease-ends", "lease-ended"}
    assert {status for status, kind in kinds.items() if kind == DetailType.ENDPOINT} == told
    asked = [status for status, kind in kinds.items() if kind == DetailType.APPROVAL]
    assert asked == ["awaiting-approval"]
    with pytest.raises(KeyError):
        detail_type("pending")


def test_what_does_not_apply_is_left_out_of_a_message() -> None:
    given = {"status": "served", "environment": "dev", "customization": "pets-search"}
    assert msgspec.to_builtins(Message(**given)) == given
    whole = Message(**given, failed=True, notify=False)
    assert msgspec.to_builtins(whole) == {**given, "failed": True, "notify": False}


def test_an_event_is_read_as_eventbridge_delivers_it() -> None:
    detail = {"status": "served", "environment": "dev", "customization": "pets-search"}
    delivered = {
        "source": "bedrock-tuning",
        "detail-type": "Bedrock Tuning Run Status Change",
        "detail": detail,
        "account": "000000000000",
    }
    event = msgspec.convert(delivered, Event)
    assert (event.source, event.detail_type) == (SOURCE, DetailType.RUN)
    assert event.detail == Message(**detail)


def test_a_message_cannot_be_changed_and_leaves_out_what_does_not_apply() -> None:
    message = Message(status="served", environment="prod", customization="pets")
    assert msgspec.to_builtins(message) == {
        "status": "served",
        "environment": "prod",
        "customization": "pets",
    }
    assert message.notify
    with pytest.raises(AttributeError):
        message.status = "failed"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Message("served", "prod", "pets")  # type: ignore[misc]
