"""A person ends what is served: what is left, until when it is billed, and who takes over."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from bedrock_tuning.config.lambda_environment import ServeEnvironment
from bedrock_tuning.serving.intent import Intent
from lambdas import serve
from lambdas._records import _intent
from tests.lambdas.aws import Aws, settings
from tests.lambdas.flow import NEW, OLD, PERSON, STATE, Flow

pytestmark = pytest.mark.usefixtures("trained")
END = {**STATE, **PERSON, "end": True, "model_arn": None}
NEWER = {**STATE, "run": "20261123-093000-bbbbbb", "order": "20261123-093000-bbbbbb"}


def _now() -> Intent:
    return _intent.read(ServeEnvironment.from_env(os.environ), "pets-search")


def test_what_is_served_is_deleted_and_its_end_is_written_down(aws: Aws, flow: Flow) -> None:
    flow.run()

    ended = flow.run(**END)

    assert (ended["step"], ended["reason"]) == ("removed", "a person ended it, billing stopped")
    assert flow.steps[-2:] == ["Serve", "Next step?"], "nothing to wait for"
    assert aws.bedrock.endpoints == {}
    assert aws.pointer("endpoint") is None
    assert not _now().on
    assert (_now().owner, _now().by) == (PERSON["run"], PERSON["run"])


def test_a_commitment_stays_and_the_end_says_until_when_it_is_billed(aws: Aws, flow: Flow) -> None:
    until = datetime.now(UTC) + timedelta(days=9)
    committed = aws.bedrock.have(model=OLD, commitment="OneMonth", until=until)
    free = aws.bedrock.have(model=OLD)

    ended = flow.run(**END)

    assert ended["step"] == "removed"
    assert free not in aws.bedrock.endpoints
    assert flow.steps == ["Serve", "Next step?"], "nobody waits for the end of a commitment"
    (deleted,) = aws.bedrock.asked("DeleteProvisionedModelThroughput")
    assert deleted["provisionedModelId"] == free
    assert ended["reason"].startswith("a person ended it, billing stopped; ")
    assert f"{committed} has a commitment (OneMonth) until {until:%Y-%m-%d}" in ended["reason"]


@pytest.mark.slow
def test_an_endpoint_that_never_lets_itself_be_deleted_is_named_as_billed(
    aws: Aws, flow: Flow
) -> None:
    arn = aws.bedrock.have(model=OLD, status="Updating")
    flow.settles = False

    ended = flow.run(**END)

    assert ended["step"] == "removed"
    assert f"billing stopped; {arn} is still updating and billed" in ended["reason"]
    # The time-out of 7,200 s in steps of 60 s.
    assert 119 <= flow.steps.count("Wait for endpoint") <= 122


def test_a_newer_run_that_takes_over_meanwhile_keeps_what_is_left(aws: Aws, flow: Flow) -> None:
    arn = aws.bedrock.have(model=OLD, status="Updating")

    def newer() -> None:
        flow.settles = False
        serve.handler({"action": "serve", "serving": NEWER, "settings": settings()}, None)

    flow.at["Wait for endpoint"] = newer

    ended = flow.run(**END)

    assert ended["step"] == "unserved"
    assert "Roll back" not in flow.steps
    assert ended["reason"] == f"run {NEWER['run']} is newer and took over"
    assert arn in aws.bedrock.endpoints
    assert _now().on


def test_an_end_whose_answer_was_lost_is_written_down_once(aws: Aws) -> None:
    aws.bedrock.have(model=OLD, status="Updating")
    event = {"action": "serve", "serving": END, "settings": settings()}

    generations = [serve.handler(event, None)["generation"] for _ in range(2)]

    assert generations == [_now().generation] * 2


def test_an_end_that_somebody_forestalls_deletes_nothing(aws: Aws) -> None:
    arn = aws.bedrock.have(model=OLD)
    aws.dynamodb.refuse("PutItem", "ConditionalCheckFailedException")

    with pytest.raises(RuntimeError, match="the intent of pets-search changed just now"):
        serve.handler({"action": "serve", "serving": END, "settings": settings()}, None)

    assert arn in aws.bedrock.endpoints


@pytest.mark.parametrize("listed", [True, False])
def test_what_a_run_bought_just_before_the_end_is_deleted_by_one_or_the_other(
    listed: bool, aws: Aws, flow: Flow
) -> None:
    """After an end nobody owns it: if the end does not see it yet, only its run can delete it."""

    def end() -> None:
        aws.bedrock.unlisted = set() if listed else set(aws.bedrock.endpoints)
        assert Flow(aws).run(**END)["step"] == "removed"
        assert bool(aws.bedrock.endpoints) is not listed

    flow.at["Wait for endpoint"] = end

    ended = flow.run()

    assert ended["step"] == "unserved"
    assert "it is not served any more: a person ended it" in ended["reason"]
    assert f"{NEW} is kept" in ended["reason"]
    assert aws.bedrock.endpoints == {}
    assert "Wait to roll back" not in flow.steps


@pytest.mark.parametrize(("others", "gives_up"), [(4, False), (5, True)])
def test_a_run_tries_five_times_to_take_over_what_others_write_at_the_same_moment(
    others: int, gives_up: bool, aws: Aws
) -> None:
    aws.dynamodb.refuse("PutItem", "ConditionalCheckFailedException", times=others)

    def take_over() -> None:
        serve.handler({"action": "serve", "serving": STATE, "settings": settings()}, None)

    if gives_up:
        with pytest.raises(RuntimeError, match="the intent of pets-search keeps changing"):
            take_over()
    else:
        take_over()
    assert bool(aws.bedrock.endpoints) is not gives_up
