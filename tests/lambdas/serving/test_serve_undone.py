"""Serving that goes wrong: undone, told in the words of what went wrong, and never for ever."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.serving.intent import Begun
from lambdas import serve
from lambdas._records import _intent
from lambdas._serving import _endpoints
from tests.lambdas.aws import Aws, settings
from tests.lambdas.bedrock import BASE, TAGS, model_arn
from tests.lambdas.flow import NAME, OLD, PERSON, RUN, STATE, Flow

pytestmark = pytest.mark.usefixtures("trained")


def _begun() -> Begun:
    """What the next owner takes over to undo."""
    intent = _intent.stored("a-table", NAME)
    assert intent is not None
    return intent.begun


@pytest.mark.parametrize(
    "reply", [b'{"embedding": []}', b'{"message": "no"}', b"[]", b"<html>", b""]
)
def test_an_endpoint_that_fails_its_smoke_test_is_deleted_and_nothing_is_published(
    reply: bytes, aws: Aws, flow: Flow
) -> None:
    aws.bedrock_runtime.reply = reply

    ended = flow.run()

    assert ended["step"] == "failed"
    assert aws.bedrock.endpoints == {}
    assert aws.pointer("endpoint") is None
    assert aws.pointer("model") is None
    assert "was deleted, billing stopped" in ended["reason"]


@pytest.mark.parametrize(
    ("lifecycle", "served"),
    [
        ({"status": "LEGACY"}, True),
        ({"status": "LEGACY", "endOfLifeTime": datetime.now(UTC) + timedelta(days=1)}, True),
        ({"status": "LEGACY", "endOfLifeTime": datetime.now(UTC) - timedelta(days=1)}, False),
    ],
)
def test_nothing_is_bought_for_a_base_model_that_ended_while_it_was_trained(
    lifecycle: dict[str, Any], served: bool, aws: Aws, flow: Flow
) -> None:
    aws.bedrock.lifecycle = lifecycle

    ended = flow.run()

    assert (ended["step"] == "served") == served, ended
    assert bool(aws.bedrock.endpoints) == served
    assert served or "nothing was bought: Titan Multimodal Embeddings G1 is past" in ended["reason"]


def test_nothing_is_bought_for_a_base_model_that_is_no_longer_offered(aws: Aws, flow: Flow) -> None:
    aws.bedrock.refuse("GetFoundationModel", "ResourceNotFoundException")

    ended = flow.run()

    assert aws.bedrock.asked("CreateProvisionedModelThroughput") == []
    assert "us-east-1 no longer offers Titan Multimodal Embeddings G1" in ended["reason"]


def test_a_swapped_endpoint_that_fails_its_smoke_test_gets_its_model_back(
    aws: Aws, flow: Flow
) -> None:
    arn = aws.bedrock.have(model=OLD)
    aws.ssm.values[f"/bedrock-tuning/dev/{NAME}/endpoint"] = arn
    aws.ssm.values[f"/bedrock-tuning/dev/{NAME}/model"] = OLD
    aws.bedrock_runtime.reply = b'{"embedding": [0.5]}'

    ended = flow.run()
    aws.bedrock.settle()

    assert ended["step"] == "failed"
    assert "1 numbers, 1024 were asked for" in ended["reason"]
    assert f"serves {OLD} again" in ended["reason"]
    assert aws.bedrock.only["model"] == OLD
    assert (aws.pointer("endpoint"), aws.pointer("model")) == (arn, OLD)


def test_a_commitment_that_fails_its_smoke_test_stays_and_the_reason_says_until_when(
    aws: Aws, flow: Flow, customize: Callable[..., CustomizationSettings]
) -> None:
    customize(serving={"commitment": "OneMonth", "lease_hours": None})
    aws.bedrock_runtime.reply = b"{}"

    ended = flow.run()

    assert ended["step"] == "failed"
    assert len(aws.bedrock.endpoints) == 1
    assert "has a commitment (OneMonth) until " in ended["reason"]


@pytest.mark.parametrize("done", [0, 1, 2])
def test_an_error_between_two_pointers_leaves_none_to_an_endpoint_or_model_that_is_gone(
    done: int, aws: Aws, flow: Flow
) -> None:
    aws.ssm.refuse("PutParameter", "AccessDeniedException", after=done)

    assert flow.run()["step"] == "failed"
    assert aws.bedrock.endpoints == {}
    assert [aws.pointer(name) for name in ("endpoint", "model", "run")] == [None] * 3


@pytest.mark.parametrize("done", [0, 1, 2])
def test_an_error_between_two_pointers_leaves_those_that_there_were(
    done: int, aws: Aws, flow: Flow
) -> None:
    first = flow.run(model_arn=OLD, run="20261120-093000-cccccc")
    aws.ssm.refuse("PutParameter", "AccessDeniedException", after=done)

    assert flow.run()["step"] == "failed"
    aws.bedrock.settle()

    pointers = [aws.pointer(name) for name in ("endpoint", "model", "run")]
    assert pointers == [first["endpoint_arn"], OLD, "20261120-093000-cccccc"]
    assert aws.bedrock.only["model"] == OLD


def test_a_run_that_bought_nothing_has_nothing_to_undo_after_an_end(aws: Aws) -> None:
    """It waited for a change of somebody else's when a person ended what was served."""
    arn = aws.bedrock.have(model=OLD, status="Updating")
    begun = serve.handler({"action": "serve", "serving": STATE, "settings": settings()}, None)
    Flow(aws).run(**PERSON, end=True)
    failed = {**begun, "error": {"Error": "TimeoutError", "Cause": "no answer"}}
    undo = {"action": "roll-back", "serving": failed, "settings": settings()}

    ended = serve.handler(undo, None)

    assert ended["step"] == "unserved"
    assert ended["reason"].startswith("it is not served any more: a person ended it")
    assert arn not in aws.bedrock.endpoints


def test_an_invocation_that_is_refused_rolls_back_and_says_why(aws: Aws, flow: Flow) -> None:
    aws.bedrock_runtime.refuse("InvokeModel", "ValidationException", "Malformed input request")

    ended = flow.run()

    assert ended["step"] == "failed"
    assert "Malformed input request" in ended["reason"]
    assert aws.bedrock.endpoints == {}


def test_an_error_at_the_very_first_step_is_told_in_its_own_words(aws: Aws, flow: Flow) -> None:
    aws.bedrock.refuse("ListProvisionedModelThroughputs", "AccessDeniedException", "not you")

    ended = flow.run()

    assert ended["step"] == "failed"
    assert "not you" in ended["reason"]


def test_an_endpoint_whose_create_call_got_no_answer_is_found_and_deleted(
    aws: Aws, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in the state names it; its tag does. Deployments of one second share their run."""
    other = {**TAGS, "bedrock-tuning:customization": "pets-style", "bedrock-tuning:run": RUN}
    neighbour = aws.bedrock.have(model=OLD, tags=other)
    create = _endpoints.create

    def lost(*arguments: Any, **more: Any) -> str:
        create(*arguments, **more)
        raise TimeoutError("no answer")

    monkeypatch.setattr(_endpoints, "create", lost)

    ended = flow.run()

    assert ended["step"] == "failed"
    assert "no answer" in ended["reason"]
    assert list(aws.bedrock.endpoints) == [neighbour]


def test_a_refused_purchase_ends_with_the_reason_and_nothing_to_undo(aws: Aws, flow: Flow) -> None:
    aws.bedrock.refuse(
        "CreateProvisionedModelThroughput", "ServiceQuotaExceededException", "0 model units"
    )

    ended = flow.run()

    assert ended["step"] == "failed"
    assert "0 model units" in ended["reason"]
    assert len(aws.bedrock.asked("CreateProvisionedModelThroughput")) == 1


def test_a_created_endpoint_that_fails_is_deleted_and_not_bought_a_second_time(
    aws: Aws, flow: Flow
) -> None:
    aws.bedrock.fails = [True]

    ended = flow.run()

    assert ended["step"] == "failed"
    assert "The capacity is not available." in ended["reason"]
    assert aws.bedrock.endpoints == {}
    assert len(aws.bedrock.asked("CreateProvisionedModelThroughput")) == 1


def test_an_endpoint_that_failed_before_does_not_stop_a_new_model(aws: Aws, flow: Flow) -> None:
    failed = aws.bedrock.have(model=OLD, status="Failed")
    aws.ssm.values[f"/bedrock-tuning/dev/{NAME}/endpoint"] = failed

    ended = flow.run()

    assert ended["step"] == "served"
    assert failed not in aws.bedrock.endpoints
    assert aws.pointer("endpoint") == ended["endpoint_arn"]


def test_a_pointer_never_names_an_endpoint_that_was_deleted(aws: Aws, flow: Flow) -> None:
    failed = aws.bedrock.have(model=OLD, status="Failed")
    aws.ssm.values[f"/bedrock-tuning/dev/{NAME}/endpoint"] = failed
    aws.bedrock.refuse("CreateProvisionedModelThroughput", "ServiceQuotaExceededException")

    assert flow.run()["step"] == "failed"
    assert aws.pointer("endpoint") is None


def test_a_committed_endpoint_that_failed_stops_with_the_reason(aws: Aws, flow: Flow) -> None:
    arn = aws.bedrock.have(
        model=OLD,
        status="Failed",
        commitment="OneMonth",
        until=datetime.now(UTC) + timedelta(days=9),
    )

    ended = flow.run()

    assert ended["step"] == "failed"
    assert "has a commitment" in ended["reason"]
    assert list(aws.bedrock.endpoints) == [arn]


@pytest.mark.slow
def test_an_endpoint_that_never_becomes_ready_is_given_up_and_told_as_still_billed(
    aws: Aws, flow: Flow
) -> None:
    """Bedrock refuses to delete what is being created, so giving up ends by time as well."""
    flow.settles = False

    ended = flow.run()

    assert ended["step"] == "failed"
    assert ended["reason"].startswith("not ready in time: ")
    (arn,) = aws.bedrock.endpoints
    assert f"{arn} is still creating and billed until its lease ends" in ended["reason"]
    # Twice the time-out of 7,200 s in steps of 60 s, and not for ever.
    assert flow.steps.count("Wait for endpoint") <= 122
    assert flow.steps.count("Wait to roll back") <= 122
    assert _begun().created_arn == arn, "the next owner deletes it"


@pytest.mark.slow
def test_an_endpoint_that_becomes_ready_while_it_is_given_up_is_deleted(
    aws: Aws, flow: Flow
) -> None:
    flow.settles = False

    def at_last() -> None:
        flow.settles = True

    flow.at["Wait to roll back"] = at_last

    ended = flow.run()

    assert ended["step"] == "failed"
    assert aws.bedrock.endpoints == {}
    assert _begun() == Begun()


def test_a_swap_that_does_not_last_is_not_tried_for_ever(aws: Aws, flow: Flow) -> None:
    """Another run wants another model there: the later one has its way."""
    arn = aws.bedrock.have(model=OLD)
    aws.bedrock.models[model_arn(3)] = BASE

    def another_run() -> None:
        aws.bedrock.endpoints[arn]["wanted"] = model_arn(3)

    flow.at["Wait for endpoint"] = another_run

    ended = flow.run()

    assert ended["step"] == "failed"
    assert "the swap did not last" in ended["reason"]
    assert aws.bedrock.endpoints[arn]["model"] == model_arn(3)
    assert len(aws.bedrock.asked("UpdateProvisionedModelThroughput")) == 1


@pytest.mark.slow
def test_a_swap_that_never_ends_is_swapped_back_as_soon_as_that_is_possible(
    aws: Aws, flow: Flow
) -> None:
    arn = aws.bedrock.have(model=OLD)
    flow.settles = False

    def at_last() -> None:
        flow.settles = True

    flow.at["Wait to roll back"] = at_last

    ended = flow.run()
    aws.bedrock.settle()

    assert ended["step"] == "failed"
    assert "not ready in time" in ended["reason"]
    assert aws.bedrock.endpoints[arn]["model"] == OLD


def test_an_endpoint_that_serves_its_earlier_model_already_is_left_alone(
    aws: Aws, flow: Flow
) -> None:
    arn = aws.bedrock.have(model=OLD)
    aws.bedrock_runtime.reply = b"{}"

    def swapped_back() -> None:
        aws.bedrock.endpoints[arn].update(model=OLD, wanted=OLD)

    flow.at["Roll back"] = swapped_back

    ended = flow.run()

    assert ended["step"] == "failed"
    assert arn not in ended["reason"]
    assert len(aws.bedrock.asked("UpdateProvisionedModelThroughput")) == 1


@pytest.mark.parametrize("status", ["Failed", None])
def test_a_swapped_endpoint_that_is_lost_is_told(status: str | None, aws: Aws, flow: Flow) -> None:
    arn = aws.bedrock.have(model=OLD)
    aws.bedrock_runtime.reply = b"{}"

    def lost() -> None:
        if status is None:
            del aws.bedrock.endpoints[arn]
        else:
            aws.bedrock.endpoints[arn]["status"] = status

    flow.at["Roll back"] = lost

    ended = flow.run()

    assert ended["step"] == "failed"
    assert f"{arn} is {'failed' if status else 'gone'}" in ended["reason"]


def test_an_endpoint_that_is_gone_when_it_is_to_be_deleted_is_what_was_wanted(
    aws: Aws, flow: Flow
) -> None:
    aws.bedrock.have(model=OLD, units=2)
    aws.bedrock.refuse("DeleteProvisionedModelThroughput", "ResourceNotFoundException")

    assert flow.run()["step"] == "served"


def test_an_endpoint_that_goes_while_we_look_does_not_disturb(aws: Aws, flow: Flow) -> None:
    """Listed, then deleted by somebody before we ask for its tags or its state."""
    aws.bedrock.have(model=OLD, units=2)
    aws.bedrock.refuse("ListTagsForResource", "ResourceNotFoundException")
    assert flow.run()["step"] == "served"

    aws.bedrock.refuse("GetProvisionedModelThroughput", "ResourceNotFoundException")
    assert flow.run(run="20261122-093000-bbbbbb")["step"] == "served"


def test_a_roll_back_does_not_take_away_what_another_run_put_there(aws: Aws, flow: Flow) -> None:
    arn = aws.bedrock.have(model=OLD)
    aws.bedrock_runtime.reply = b"{}"

    def another_run() -> None:
        aws.bedrock.endpoints[arn].update(model=model_arn(3), wanted=model_arn(3))

    flow.at["Roll back"] = another_run

    ended = flow.run()

    assert ended["step"] == "failed"
    assert aws.bedrock.endpoints[arn]["wanted"] == model_arn(3)


def test_an_old_endpoint_that_cannot_be_deleted_yet_is_retired_without_another_smoke_test(
    aws: Aws, flow: Flow
) -> None:
    old = aws.bedrock.have(model=OLD, units=2)
    aws.bedrock.refuse("DeleteProvisionedModelThroughput", "ConflictException", times=3)

    ended = flow.run()

    assert ended["step"] == "served"
    assert old not in aws.bedrock.endpoints
    assert len(aws.bedrock_runtime.asked("InvokeModel")) == 1


@pytest.mark.slow
def test_an_old_endpoint_that_can_never_be_deleted_does_not_undo_what_is_published(
    aws: Aws, flow: Flow
) -> None:
    old = aws.bedrock.have(model=OLD, units=2)
    aws.bedrock.refuse("DeleteProvisionedModelThroughput", "ConflictException", times=999)

    ended = flow.run()

    assert ended["step"] == "served"
    assert aws.pointer("endpoint") == ended["endpoint_arn"]
    assert f"Still billed until its own lease ends: {old}" in ended["lease"]


def test_an_error_after_publishing_undoes_nothing(aws: Aws, flow: Flow) -> None:
    aws.bedrock.have(model=OLD, units=2)
    aws.bedrock.refuse("DeleteProvisionedModelThroughput", "ConflictException")
    flow.at["Wait for endpoint"] = lambda: None

    def denied() -> None:
        aws.bedrock.refuse("DeleteProvisionedModelThroughput", "AccessDeniedException", "not you")

    flow.at["Published?"] = denied

    ended = flow.run()

    assert ended["step"] == "failed"
    assert "not you" in ended["reason"]
    assert aws.pointer("endpoint") in aws.bedrock.endpoints
