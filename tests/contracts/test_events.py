"""What starts by itself is started, by whoever may, and what cannot be delivered is kept."""

from collections.abc import Mapping
from typing import Any

import pytest

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import Contracts, contracts
from bedrock_tuning.run.messages import SOURCE, DetailType

DEAD_LETTERS = {"Arn": "{dead-letters}"}


@pytest.fixture(params=["", "C0EXAMPLE"], ids=["without a chat", "with a chat"])
def known(request: pytest.FixtureRequest) -> Contracts:
    chosen = Settings(name="dev", region="us-east-1", slack_channel=request.param)
    return contracts(chosen, {})


def _of(known: Contracts, kind: str) -> dict[str, Mapping[str, Any]]:
    return {name: each.properties for name, each in known.places.items() if each.type == kind}


def _patterns(known: Contracts) -> dict[str, Any]:
    return {n: each["EventPattern"] for n, each in _of(known, "AWS::Events::Rule").items()}


def test_a_run_starts_with_a_manifest_in_a_bucket_of_datasets_and_with_nothing_else(
    known: Contracts,
) -> None:
    assert _patterns(known)["upload-rule"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": ["{training:name}", "{validation:name}"]},
            "object": {"key": [{"suffix": "/manifest.jsonl"}]},
        },
    }


def test_every_end_of_an_execution_but_the_good_one_has_its_run_reconciled(
    known: Contracts,
) -> None:
    assert _patterns(known)["status-rule"]["detail"] == {
        "stateMachineArn": ["{workflow}"],
        "status": ["ABORTED", "FAILED", "TIMED_OUT"],
    }


def test_a_chat_shows_every_kind_of_event_of_its_own_environment_once(known: Contracts) -> None:
    shown = [each for name, each in _patterns(known).items() if name.startswith("chat-rule.")]
    kinds = [kind for each in shown for kind in each["detail-type"]]
    assert sorted(kinds) == (sorted(DetailType) if known.chosen.slack_channel else [])
    for each in shown:
        assert each["source"] == [SOURCE]
        assert each["detail"] == {"environment": ["dev"]}


def test_what_a_rule_cannot_deliver_is_tried_for_a_day_and_then_kept(known: Contracts) -> None:
    for each in _of(known, "AWS::Events::Rule").values():
        assert each["State"] == "ENABLED"
        (target,) = each["Targets"]
        assert target["RetryPolicy"] == {
            "MaximumEventAgeInSeconds": 86_400,
            "MaximumRetryAttempts": 185,
        }
        assert target["DeadLetterConfig"] == DEAD_LETTERS
        # An event is handed over as it is, but to people.
        assert ("InputTransformer" in target) == (target["Arn"] == "{chat-topic}")


def test_the_clock_calls_the_lease_keeper_and_the_reconciler_every_quarter_of_an_hour(
    known: Contracts,
) -> None:
    schedules = _of(known, "AWS::Scheduler::Schedule").values()
    called = {each["Target"]["Arn"] for each in schedules}
    assert called == {"{function.KeepLeases}", "{function.Reconcile}"}
    for each in schedules:
        assert each["ScheduleExpression"] == "rate(15 minutes)"
        assert each["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert each["Target"]["DeadLetterConfig"] == DEAD_LETTERS
        # Until the next call.
        assert each["Target"]["RetryPolicy"] == {
            "MaximumEventAgeInSeconds": 900,
            "MaximumRetryAttempts": 10,
        }


def test_whatever_calls_something_may_call_it(known: Contracts) -> None:
    targets = [t for each in _of(known, "AWS::Events::Rule").values() for t in each["Targets"]]
    targets += [each["Target"] for each in _of(known, "AWS::Scheduler::Schedule").values()]
    for target in targets:
        role = target.get("RoleArn")
        # Without one, EventBridge calls by the policy of what it calls.
        grants = (
            known.role(role.removeprefix("{role.").removesuffix("}")).grants
            if role
            else known.resource(target["Arn"].strip("{}")).grants
        )
        assert any(target["Arn"] in grant.resources for grant in grants)


def test_messages_of_its_environment_reach_the_function_that_announces_them(
    known: Contracts,
) -> None:
    assert known.places["announcements"].properties == {
        "TopicArn": "{topic}",
        "Protocol": "lambda",
        "Endpoint": "{function.Announce}",
        "FilterPolicy": {"environment": ["dev"]},
    }


def test_nobody_can_act_from_a_chat(known: Contracts) -> None:
    for channel in _of(known, "AWS::Chatbot::SlackChannelConfiguration").values():
        assert channel["GuardrailPolicies"] == ["arn:{partition}:iam::aws:policy/AWSDenyAll"]
        assert channel["SnsTopicArns"] == ["{topic}", "{chat-topic}"]
        assert known.role("chat").grants == ()
