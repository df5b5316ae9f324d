"""Serving, driven as the workflow drives it, against a Bedrock whose changes take time."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas import serve
from stacks import workflow
from tests.lambdas.bedrock import BASE, OTHER_BASE, TAGS, model_arn
from tests.lambdas.conftest import Aws
from tuning.customization import Customization
from tuning.models import catalogue

RUN = "20261121-093000-aaaaaa"
OLD, NEW = model_arn(1), model_arn(2)
VECTOR = json.dumps({"embedding": [0.5] * 1024}).encode()
NAME = "pets-search"


@pytest.fixture(autouse=True)
def _trained(aws: Aws, customize: Callable[..., Customization]) -> None:
    """Two models exist, the new one is to be served; endpoints answer well."""
    aws.bedrock.models = {OLD: BASE, NEW: BASE}
    aws.bedrock_runtime.reply = VECTOR


@dataclass
class Flow:
    """Follows the states of the workflow's serving part; time goes by at every wait."""

    aws: Aws
    settles: bool = True
    steps: list[str] = field(default_factory=list)
    at: dict[str, Callable[[], None]] = field(default_factory=dict)
    seconds: float = 60

    def run(self, **serving: Any) -> dict[str, Any]:
        """The last serving state."""
        state = {"customization": NAME, "run": RUN, "model_arn": NEW, "base_arn": BASE, **serving}
        states = workflow.definition(approval_days=1)["States"]
        here = "Serve"
        while here != "Close run":
            self.steps.append(here)
            self.at.pop(here, lambda: None)()
            described = states[here]
            if described["Type"] == "Task":
                state, here = self._task(described, state)
            elif described["Type"] == "Choice":
                here = next(
                    (
                        rule["Next"]
                        for rule in described["Choices"]
                        if state["step"] == rule["StringEquals"]
                    ),
                    described["Default"],
                )
            else:
                assert state["seconds"] == 60
                state = self._wait(state)
                here = described["Next"]
            assert len(self.steps) < 2000, "no end in sight"
        return state

    def _task(self, described: dict[str, Any], state: Any) -> tuple[dict[str, Any], str]:
        event = {"action": described["Parameters"]["action"], "serving": state}
        try:
            return json.loads(json.dumps(serve.handler(event, None))), described["Next"]
        except Exception as error:  # the workflow catches everything
            (catch,) = described["Catch"]
            cause = json.dumps({"errorMessage": str(error)})
            caught = {"Error": type(error).__name__, "Cause": cause}
            assert catch["ResultPath"] in ("$.serving.error", "$.error")
            return {**state, "error": caught}, catch["Next"]

    def _wait(self, state: dict[str, Any]) -> dict[str, Any]:
        """Nothing waits really: the times in the state become older instead."""
        if self.settles:
            self.aws.bedrock.settle()
        times = {
            name: (datetime.fromisoformat(state[name]) - timedelta(seconds=self.seconds)).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            )
            for name in ("started", "undoing", "published")
            if name in state
        }
        return {**state, **times}


@pytest.fixture
def flow(aws: Aws) -> Flow:
    return Flow(aws)


def _endpoint(aws: Aws) -> dict[str, Any]:
    (found,) = aws.bedrock.endpoints.values()
    return found


def test_a_first_model_gets_an_endpoint_that_is_proved_before_it_is_published(
    aws: Aws, flow: Flow
) -> None:
    ended = flow.run()

    assert ended["step"] == "served"
    assert flow.steps == [
        "Serve",
        "Next step?",
        "Wait for endpoint",
        "Serve",
        "Next step?",
        "Smoke test",
        "Proved?",
        "Publish endpoint",
        "Published?",
    ]
    assert aws.pointer("model") == NEW
    assert aws.pointer("endpoint") == ended["endpoint_arn"]
    assert ended["embedding_length"] == 1024


def test_an_endpoint_is_bought_under_a_name_a_token_and_tags_of_its_own(
    aws: Aws, flow: Flow
) -> None:
    flow.run()

    (bought,) = aws.bedrock.asked("CreateProvisionedModelThroughput")
    assert bought["modelId"] == NEW
    assert bought["modelUnits"] == 1
    assert "commitmentDuration" not in bought
    assert bought["provisionedModelName"].startswith("dev-pets-search-")
    tags = {tag["key"]: tag["value"] for tag in bought["tags"]}
    assert tags.pop("bedrock-tuning:expires") > datetime.now(UTC).isoformat()
    assert tags == {**TAGS, "bedrock-tuning:run": RUN, "team": "pets"}


def test_the_lease_begins_anew_when_the_endpoint_is_published(aws: Aws, flow: Flow) -> None:
    ended = flow.run()

    end = datetime.fromisoformat(ended["expires"])
    assert timedelta(hours=7.9) < end - datetime.now(UTC) <= timedelta(hours=8)
    assert _endpoint(aws)["tags"]["bedrock-tuning:expires"] == ended["expires"]
    assert ended["expires"] in ended["lease"]


def test_the_smoke_test_asks_the_new_endpoint_in_the_customizations_words(
    aws: Aws, flow: Flow
) -> None:
    ended = flow.run()

    (asked,) = aws.bedrock_runtime.asked("InvokeModel")
    assert asked["modelId"] == ended["endpoint_arn"]
    assert json.loads(asked["body"])["inputText"] == "a dog"


def test_a_repeated_create_buys_no_second_endpoint(aws: Aws) -> None:
    """The answer to the first call was lost, and Step Functions calls again."""
    state = {"customization": NAME, "run": RUN, "model_arn": NEW, "base_arn": BASE}
    event = {"action": "serve", "serving": state}
    first = serve.handler(event, None)
    aws.bedrock.endpoints[first["created_arn"]]["tags"] = {}

    assert serve.handler(event, None)["created_arn"] == first["created_arn"]
    assert len(aws.bedrock.endpoints) == 1


def test_another_model_is_swapped_into_the_endpoint_that_there_is(aws: Aws, flow: Flow) -> None:
    arn = aws.bedrock.have(model=OLD)

    ended = flow.run()

    assert ended["step"] == "served"
    assert aws.bedrock.endpoints[arn]["model"] == NEW
    assert list(aws.bedrock.endpoints) == [arn]
    assert (ended["swapped_from"], ended["endpoint_arn"]) == (OLD, arn)
    assert len(aws.bedrock.asked("UpdateProvisionedModelThroughput")) == 1


def test_an_endpoint_with_other_units_is_replaced_and_goes_only_after_the_new_one_is_published(
    aws: Aws, flow: Flow
) -> None:
    old = aws.bedrock.have(model=OLD, units=2)
    published: list[Any] = []
    flow.at["Publish endpoint"] = lambda: published.append(list(aws.bedrock.endpoints))

    ended = flow.run()

    assert ended["step"] == "served"
    assert published == [[old, ended["endpoint_arn"]]]
    assert list(aws.bedrock.endpoints) == [ended["endpoint_arn"]]


def test_a_commitment_of_other_units_is_kept_and_used(aws: Aws, flow: Flow) -> None:
    arn = aws.bedrock.have(
        model=OLD, units=2, commitment="OneMonth", until=datetime.now(UTC) + timedelta(days=9)
    )

    ended = flow.run()

    assert (ended["step"], ended["endpoint_arn"]) == ("served", arn)
    assert aws.bedrock.endpoints[arn]["model"] == NEW
    assert aws.bedrock.asked("CreateProvisionedModelThroughput") == []
    # A commitment has an end of its own, so it gets no lease.
    assert ended["expires"] is None


def test_a_commitment_on_another_base_is_kept_beside_the_new_endpoint(aws: Aws, flow: Flow) -> None:
    aws.bedrock.models[model_arn(3)] = OTHER_BASE
    arn = aws.bedrock.have(
        model=model_arn(3),
        commitment="SixMonths",
        until=datetime.now(UTC) + timedelta(days=9),
    )

    ended = flow.run()

    assert ended["step"] == "served"
    assert ended["endpoint_arn"] != arn
    assert arn in aws.bedrock.endpoints


def test_a_commitment_that_is_over_is_replaced_and_deleted(aws: Aws, flow: Flow) -> None:
    """It is billed by the hour from then on, and nothing else would end that."""
    arn = aws.bedrock.have(
        model=OLD, commitment="OneMonth", until=datetime.now(UTC) - timedelta(days=1)
    )

    ended = flow.run()

    assert ended["step"] == "served"
    assert arn not in aws.bedrock.endpoints


def test_endpoints_of_others_are_left_alone(aws: Aws, flow: Flow) -> None:
    others = [
        aws.bedrock.have(model=OLD, tags={}),
        aws.bedrock.have(model=OLD, tags={**TAGS, "bedrock-tuning:environment": "prod"}),
        aws.bedrock.have(model=OLD, tags={**TAGS, "bedrock-tuning:customization": "pets-style"}),
    ]
    before = {arn: dict(aws.bedrock.endpoints[arn]) for arn in others}
    aws.bedrock.page = 1

    ended = flow.run()

    assert ended["step"] == "served"
    assert {arn: aws.bedrock.endpoints[arn] for arn in others} == before


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
    assert _endpoint(aws)["model"] == OLD
    assert (aws.pointer("endpoint"), aws.pointer("model")) == (arn, OLD)


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
    """Nothing in the state names it; its tag does."""
    create = serve._endpoints.create

    def lost(*arguments: Any, **more: Any) -> str:
        create(*arguments, **more)
        raise TimeoutError("no answer")

    monkeypatch.setattr(serve._endpoints, "create", lost)

    ended = flow.run()

    assert ended["step"] == "failed"
    assert "no answer" in ended["reason"]
    assert aws.bedrock.endpoints == {}


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


def test_when_nothing_is_to_be_served_the_model_is_published_alone(
    aws: Aws, flow: Flow, customize: Callable[..., Customization]
) -> None:
    customize(serving={"mode": "none", "lease_hours": None})

    ended = flow.run()

    assert ended["step"] == "unserved"
    assert aws.pointer("model") == NEW
    assert aws.bedrock.asked("CreateProvisionedModelThroughput") == []


def test_when_a_deployment_wishes_nothing_any_more_everything_goes_but_commitments(
    aws: Aws, flow: Flow, customize: Callable[..., Customization]
) -> None:
    customize(serving={"mode": "none", "lease_hours": None})
    aws.ssm.values[f"/bedrock-tuning/dev/{NAME}/endpoint"] = aws.bedrock.have(model=OLD)
    kept = aws.bedrock.have(
        model=OLD, commitment="OneMonth", until=datetime.now(UTC) + timedelta(days=9)
    )

    ended = flow.run(model_arn=None, base_arn=None, started_by="deployment")

    assert ended["step"] == "removed"
    assert list(aws.bedrock.endpoints) == [kept]
    assert "has a commitment" in ended["reason"]
    assert aws.pointer("endpoint") is None


def test_an_endpoint_that_refuses_its_deletion_for_ever_ends_the_flow(
    aws: Aws, flow: Flow, customize: Callable[..., Customization]
) -> None:
    customize(serving={"mode": "none", "lease_hours": None})
    aws.bedrock.have(model=OLD)
    aws.bedrock.refuse("DeleteProvisionedModelThroughput", "ConflictException", times=999)

    ended = flow.run(model_arn=None, base_arn=None, started_by="deployment")

    assert ended["step"] == "failed"
    assert "not ready in time" in ended["reason"]


def test_a_deployment_serves_the_model_that_was_published(aws: Aws, flow: Flow) -> None:
    aws.ssm.values[f"/bedrock-tuning/dev/{NAME}/model"] = OLD

    ended = flow.run(model_arn=None, base_arn=None, started_by="deployment")

    assert ended["step"] == "served"
    assert ended["model_arn"] == OLD
    assert _endpoint(aws)["model"] == OLD


def test_a_deployment_never_goes_back_behind_a_model_that_a_run_published_meanwhile(
    aws: Aws, flow: Flow
) -> None:
    aws.ssm.values[f"/bedrock-tuning/dev/{NAME}/model"] = OLD
    arn = aws.bedrock.have(model=OLD, status="Updating", wanted=NEW)

    def published() -> None:
        aws.ssm.values[f"/bedrock-tuning/dev/{NAME}/model"] = NEW

    flow.at["Wait for endpoint"] = published

    ended = flow.run(model_arn=None, base_arn=None, started_by="deployment")

    assert ended["step"] == "served"
    assert aws.bedrock.endpoints[arn]["model"] == NEW
    assert aws.pointer("model") == NEW


def test_a_deployment_without_any_model_is_pending(aws: Aws, flow: Flow) -> None:
    ended = flow.run(model_arn=None, base_arn=None, started_by="deployment")

    assert ended["step"] == "pending"
    assert aws.bedrock.endpoints == {}


@pytest.fixture
def nova(aws: Aws, customize: Callable[..., Customization]) -> Callable[..., Customization]:
    """A customization of a model that is served on demand."""

    def change(**serving: Any) -> Customization:
        wish = {"mode": "on-demand", "lease_hours": None, "embedding_length": None, **serving}
        return customize(base_model=catalogue()["nova-micro"], serving=wish)

    change()
    content = [{"text": "woof"}]
    aws.bedrock_runtime.reply = json.dumps({"output": {"message": {"content": content}}}).encode()
    return change


def test_an_on_demand_model_is_deployed_without_a_lease(
    aws: Aws, flow: Flow, nova: Callable[..., Customization]
) -> None:
    ended = flow.run()

    assert ended["step"] == "served"
    assert ":custom-model-deployment/" in ended["endpoint_arn"]
    assert (ended["lease"], ended["expires"]) == ("", None)
    assert aws.bedrock.asked("CreateProvisionedModelThroughput") == []
    (made,) = aws.bedrock.asked("CreateCustomModelDeployment")
    assert made["modelDeploymentName"].startswith("dev-pets-search-")


def test_an_on_demand_deployment_is_swapped_in_place(
    aws: Aws, flow: Flow, nova: Callable[..., Customization]
) -> None:
    arn = aws.bedrock.have(model=OLD, kind="custom-model-deployment", status="Active")

    ended = flow.run()

    assert (ended["step"], ended["endpoint_arn"]) == ("served", arn)
    assert aws.bedrock.endpoints[arn]["model"] == NEW


def test_a_failed_smoke_test_of_an_on_demand_deployment_deletes_it(
    aws: Aws, flow: Flow, nova: Callable[..., Customization]
) -> None:
    aws.bedrock_runtime.reply = b"{}"

    assert flow.run()["step"] == "failed"
    assert aws.bedrock.endpoints == {}


def test_a_commitment_serves_even_where_on_demand_is_wished(
    aws: Aws, flow: Flow, nova: Callable[..., Customization]
) -> None:
    """It is paid for anyway; it is an endpoint of another kind, asked for by its own calls."""
    arn = aws.bedrock.have(
        model=OLD, commitment="OneMonth", until=datetime.now(UTC) + timedelta(days=9)
    )

    ended = flow.run()

    assert (ended["step"], ended["endpoint_arn"]) == ("served", arn)
    assert aws.pointer("endpoint") == arn


def test_a_change_from_on_demand_to_nothing_removes_the_deployment(
    aws: Aws, flow: Flow, nova: Callable[..., Customization]
) -> None:
    aws.bedrock.have(model=OLD, kind="custom-model-deployment", status="Active")
    nova(mode="none")

    ended = flow.run(model_arn=None, base_arn=None, started_by="deployment")

    assert ended["step"] == "removed"
    assert aws.bedrock.endpoints == {}


def test_a_change_from_on_demand_to_provisioned_retires_the_deployment(
    aws: Aws, flow: Flow, nova: Callable[..., Customization]
) -> None:
    aws.bedrock.have(model=OLD, kind="custom-model-deployment", status="Active")
    nova(mode="provisioned", lease_hours=1)

    ended = flow.run()

    assert ended["step"] == "served"
    assert list(aws.bedrock.endpoints) == [ended["endpoint_arn"]]
    assert ":provisioned-model/" in ended["endpoint_arn"]
