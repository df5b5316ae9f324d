"""Serving while answers are lost, listings lag and others act: nothing twice, nothing forgotten."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bedrock_tuning.serving.intent import Begun, Intent
from lambdas import serve
from lambdas._records import _intent
from lambdas._serving import _endpoints
from tests.lambdas.aws import Aws, settings
from tests.lambdas.bedrock import BASE, TAGS, model_arn
from tests.lambdas.fakes import Fake
from tests.lambdas.flow import NAME, NEW, OLD, PERSON, STATE, Flow

pytestmark = pytest.mark.usefixtures("trained")


def test_an_error_while_retiring_leaves_what_was_just_published(aws: Aws, flow: Flow) -> None:
    """The very first attempt to delete what was replaced fails."""
    old = aws.bedrock.have(model=OLD, units=2)
    aws.bedrock.refuse("DeleteProvisionedModelThroughput", "AccessDeniedException", "not you")

    ended = flow.run()

    assert ended["step"] == "failed"
    assert "not you; what is published stays" in ended["reason"]
    assert list(aws.bedrock.endpoints) == [old, aws.pointer("endpoint")]


def test_a_created_endpoint_that_somebody_deleted_is_not_bought_again(aws: Aws, flow: Flow) -> None:
    flow.at["Wait for endpoint"] = aws.bedrock.endpoints.clear

    ended = flow.run()

    assert ended["step"] == "failed"
    assert "Roll back" in flow.steps
    assert "the endpoint that was created is lost: it is gone" in ended["reason"]
    assert len(aws.bedrock.asked("CreateProvisionedModelThroughput")) == 1


@pytest.mark.parametrize("ended", [False, True], ids=["deleted outside", "ended by a person"])
def test_what_an_aborted_run_bought_and_is_gone_does_not_hinder_the_next_run(
    aws: Aws, flow: Flow, ended: bool
) -> None:
    def abort() -> None:
        raise KeyboardInterrupt

    flow.at["Smoke test"] = abort
    with pytest.raises(KeyboardInterrupt):
        flow.run()
    if ended:
        flow.run(**PERSON, end=True)
    aws.bedrock.endpoints.clear()

    served = flow.run(run="20261123-093000-bbbbbb")

    assert served["step"] == "served"
    assert len(aws.bedrock.asked("CreateProvisionedModelThroughput")) == 2
    assert list(aws.bedrock.endpoints) == [aws.pointer("endpoint")]


def test_a_swap_whose_answer_was_lost_is_undone(
    aws: Aws, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = aws.bedrock.have(model=OLD)
    swap = _endpoints.swap

    def lost(*arguments: Any) -> None:
        monkeypatch.setattr(_endpoints, "swap", swap)
        swap(*arguments)
        raise TimeoutError("no answer")

    monkeypatch.setattr(_endpoints, "swap", lost)

    ended = flow.run()
    aws.bedrock.settle()

    assert ended["step"] == "failed"
    assert f"no answer; {arn} serves {OLD} again" in ended["reason"]
    assert aws.bedrock.endpoints[arn]["model"] == OLD


def test_a_swap_that_is_called_again_after_a_lost_answer_is_made_once(
    aws: Aws, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step Functions repeats the call: the endpoint is under way to the model by then."""
    arn = aws.bedrock.have(model=OLD)
    event = {"action": "serve", "serving": STATE, "settings": settings()}
    swap = _endpoints.swap

    def lost(*arguments: Any) -> None:
        monkeypatch.setattr(_endpoints, "swap", swap)
        swap(*arguments)
        raise TimeoutError("no answer")

    monkeypatch.setattr(_endpoints, "swap", lost)
    with pytest.raises(TimeoutError):
        serve.handler(event, None)

    again = serve.handler(event, None)
    # Bedrock takes the swap back: not tried a second time.
    aws.bedrock.endpoints[arn].update(status="InService", wanted=OLD)
    ended = flow.run(**again)

    assert "the swap did not last" in ended["reason"]
    assert len(aws.bedrock.asked("UpdateProvisionedModelThroughput")) == 1


def test_a_swap_goes_back_to_what_the_endpoint_serves_where_nothing_was_published(
    aws: Aws, flow: Flow
) -> None:
    aws.bedrock.models[model_arn(3)] = BASE
    aws.bedrock.have(model=model_arn(3))
    aws.bedrock_runtime.reply = b"{}"

    assert flow.run()["step"] == "failed"
    aws.bedrock.settle()

    assert aws.bedrock.only["model"] == model_arn(3)


def test_an_update_that_failed_does_not_count_as_done(aws: Aws) -> None:
    """Bedrock goes on serving the old model, and goes on saying what was desired."""
    arn = aws.bedrock.have(model=OLD, wanted=model_arn(2))

    found = _endpoints.describe(arn)

    assert found is not None
    assert (found.status, found.model_arn) == ("ready", OLD)


def test_a_run_that_is_overtaken_while_it_is_proved_leaves_everything_to_the_newer_one(
    aws: Aws, flow: Flow
) -> None:
    newer = {**STATE, "run": "20261122-093000-bbbbbb", "model_arn": OLD}

    def overtaken() -> None:
        serve.handler({"action": "serve", "serving": newer, "settings": settings()}, None)

    flow.at["Smoke test"] = overtaken

    ended = flow.run()

    assert ended["step"] == "unserved"
    assert ended["reason"] == f"run 20261122-093000-bbbbbb is newer and took over; {NEW} is kept"
    assert aws.bedrock.only["wanted"] == OLD
    assert aws.pointer("endpoint") is None


def test_an_endpoint_bought_while_its_stack_was_being_deleted_is_deleted(
    aws: Aws, flow: Flow
) -> None:
    """The stack's deletion looked for endpoints before this one was there."""
    flow.at["Wait for endpoint"] = lambda: aws.ssm.values.pop(f"/bedrock-tuning/dev/{NAME}/serving")

    ended = flow.run()

    assert ended["step"] == "failed"
    assert "its serving stack was deleted meanwhile" in ended["reason"]
    assert aws.bedrock.endpoints == {}
    assert aws.pointer("endpoint") is None


def test_an_update_to_another_model_is_not_taken_for_our_swap(aws: Aws) -> None:
    """Somebody changes the endpoint by hand just then; our own swap comes after that."""
    arn = aws.bedrock.have(model=OLD)
    event = {"action": "serve", "serving": STATE, "settings": settings()}
    aws.bedrock.refuse("UpdateProvisionedModelThroughput", "ConflictException", times=5)
    with pytest.raises(ClientError):
        serve.handler(event, None)
    aws.bedrock.orders.clear()
    aws.bedrock.models[model_arn(3)] = BASE
    aws.bedrock.endpoints[arn].update(status="Updating", wanted=model_arn(3))

    assert serve.handler(event, None)["step"] == "wait"
    aws.bedrock.settle()
    serve.handler(event, None)

    assert aws.bedrock.endpoints[arn]["wanted"] == NEW


def _bought(aws: Aws, *, minutes_ago: float, sent: bool) -> dict[str, Any]:
    """A purchase that was written down, and whose answer was lost; returns the next call's event.

    sent: whether Bedrock got the call.
    """
    event = {"action": "serve", "serving": STATE, "settings": settings()}
    serve.handler(event, None)
    if not sent:
        aws.bedrock.endpoints.popitem()
        aws.bedrock.tokens.clear()
    _begin(created_arn="", requested=_ago(minutes_ago))
    return event


def _ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _begin(**changes: Any) -> None:
    intent = _intent.stored("a-table", NAME)
    assert intent is not None
    assert _intent.write("a-table", replace(intent, begun=replace(intent.begun, **changes)))


def _begun() -> Begun:
    intent = _intent.stored("a-table", NAME)
    assert intent is not None
    return intent.begun


@pytest.mark.parametrize(("minutes", "calls"), [(14.5, 2), (15.5, 1)])
def test_an_old_purchase_is_looked_for_and_a_new_one_is_sent_again(
    minutes: float, calls: int, aws: Aws
) -> None:
    """Bedrock knows a request for a while only; later it would buy a second endpoint."""
    other = aws.bedrock.have(model=OLD, units=2, tags={**TAGS, "bedrock-tuning:run": "another"})
    event = _bought(aws, minutes_ago=minutes, sent=True)

    serve.handler(event, None)

    asked = aws.bedrock.asked("CreateProvisionedModelThroughput")
    assert asked == asked[:1] * calls
    assert [other, _begun().created_arn] == list(aws.bedrock.endpoints)


def test_an_old_purchase_that_was_never_sent_is_made_anew(aws: Aws) -> None:
    event = _bought(aws, minutes_ago=15.5, sent=False)

    serve.handler(event, None)

    assert [_begun().created_arn] == list(aws.bedrock.endpoints)
    assert _begun().requested > _ago(1)


def _meanwhile(service: Fake, operation: str, act: Callable[[], Any], *, after: int = 0) -> None:
    """Somebody acts while a call is under way, the first or a later one, once it is carried out."""
    calls = iter(range(after + 1))

    def around(name: str, carry_out: Callable[[], Any]) -> Any:
        found = carry_out()
        if name == operation and next(calls, None) == after:
            act()
        return found

    service.around = around


def test_a_run_that_is_overtaken_while_it_buys_leaves_what_it_bought_to_the_newer_one(
    aws: Aws, flow: Flow
) -> None:
    newer = {**STATE, "run": "20261122-093000-bbbbbb", "model_arn": OLD}
    event = {"action": "serve", "serving": newer, "settings": settings()}
    _meanwhile(aws.bedrock, "CreateProvisionedModelThroughput", lambda: serve.handler(event, None))

    ended = flow.run()

    assert ended["step"] == "unserved"
    assert ended["reason"] == f"run 20261122-093000-bbbbbb is newer and took over; {NEW} is kept"
    assert ended["created_arn"] in aws.bedrock.endpoints
    assert "Roll back" not in flow.steps


def test_a_run_that_is_overtaken_while_it_is_undone_leaves_the_rest_to_the_newer_one(
    aws: Aws, flow: Flow
) -> None:
    newer = {**STATE, "run": "20261122-093000-bbbbbb", "model_arn": OLD}
    event = {"action": "serve", "serving": newer, "settings": settings()}
    aws.bedrock_runtime.reply = b"{}"
    _meanwhile(aws.bedrock, "DeleteProvisionedModelThroughput", lambda: serve.handler(event, None))

    ended = flow.run()

    assert ended["step"] == "unserved"
    assert ended["reason"].endswith("; run 20261122-093000-bbbbbb is newer and took over")
    assert "no embedding" in ended["reason"]


def test_what_was_published_just_when_a_person_ended_it_is_deleted(aws: Aws, flow: Flow) -> None:
    """The end did not see it yet, so only its run can delete it."""

    def end() -> None:
        aws.bedrock.unlisted = set(aws.bedrock.endpoints)
        assert Flow(aws).run(**PERSON, end=True)["step"] == "removed"

    # The pointers to the endpoint, its model and its run are set.
    _meanwhile(aws.ssm, "PutParameter", end, after=2)

    ended = flow.run()

    assert ended["step"] == "unserved"
    assert "a person ended it" in ended["reason"]
    assert aws.bedrock.endpoints == {}
    assert aws.pointer("endpoint") is None


def test_the_newest_upload_wins_whatever_its_runs_are_called(aws: Aws, flow: Flow) -> None:
    """A run that goes on after a redrive, or that waited for a slot, keeps its place."""
    flow.run(order="20261125-093000-aaaaaa")

    late = flow.run(run="20261126-093000-cccccc", order="20261124-093000-cccccc", model_arn=OLD)
    newest = flow.run(run="20261120-093000-dddddd", order="20261126-093000-dddddd", model_arn=OLD)

    assert (late["step"], newest["step"]) == ("unserved", "served")
    assert aws.pointer("model") == OLD


@pytest.mark.parametrize(("others", "served"), [(1, True), (4, True), (5, False)])
def test_a_run_tries_five_times_to_write_down_what_it_begins_and_buys_nothing_before(
    others: int, served: bool, aws: Aws, flow: Flow
) -> None:
    """The first item is its claim."""
    refused = "ConditionalCheckFailedException"
    aws.dynamodb.refuse("PutItem", refused, times=others, after=1)

    ended = flow.run()

    assert (ended["step"] == "served") is served
    assert served or "the intent of pets-search keeps changing" in ended["reason"]
    assert len(aws.bedrock.asked("CreateProvisionedModelThroughput")) == served


@pytest.mark.usefixtures("aws")
def test_an_intent_whose_answer_was_lost_is_written_and_one_that_others_wrote_is_not() -> None:
    """botocore writes again after a lost answer, and is refused for what it wrote itself."""
    first = Intent(customization=NAME, on=True, why="asked for")
    written = _intent.write("a-table", first)
    assert written is not None
    assert _intent.write("a-table", first) == written == _intent.stored("a-table", NAME)
    assert _intent.write("a-table", replace(first, on=False)) is None
    assert _intent.stored("a-table", NAME) == written
