"""Serving after a deployment changed the desired state, and serving on demand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.config.customization import CustomizationSettings
from lambdas._serving import _endpoints
from tests.lambdas.aws import Aws
from tests.lambdas.flow import DEPLOYMENT, NAME, NEW, OLD, PERSON, RUN, Flow

pytestmark = pytest.mark.usefixtures("trained")


def test_when_nothing_is_to_be_served_the_model_is_published_alone(
    aws: Aws, flow: Flow, customize: Callable[..., CustomizationSettings]
) -> None:
    customize(serving={"mode": "none", "lease_hours": None})

    ended = flow.run()

    assert ended["step"] == "unserved"
    assert aws.pointer("model") == NEW
    assert aws.bedrock.asked("CreateProvisionedModelThroughput") == []


def test_a_person_goes_back_to_an_earlier_model_and_deployments_keep_it(
    aws: Aws, flow: Flow
) -> None:
    first = flow.run(model_arn=OLD)["endpoint_arn"]
    flow.run(run="20261122-093000-bbbbbb")
    assert aws.pointer("model") == NEW

    ended = flow.run(**PERSON | {"model_arn": OLD, "model_run": RUN})

    assert (ended["step"], ended["endpoint_arn"]) == ("served", first)
    assert aws.bedrock.only["model"] == OLD
    assert (aws.pointer("model"), aws.pointer("run")) == (OLD, RUN)
    again = flow.run(**DEPLOYMENT)
    assert (again["step"], aws.bedrock.only["model"]) == ("served", OLD)
    # The next run's model takes its turn as ever.
    assert flow.run(run="20261123-093000-cccccc")["step"] == "served"
    assert aws.pointer("model") == NEW


def test_a_model_that_a_person_chose_and_that_fails_its_test_is_taken_back(
    aws: Aws, flow: Flow
) -> None:
    flow.run()
    aws.bedrock_runtime.reply = b"{}"

    ended = flow.run(**PERSON | {"model_arn": OLD})

    assert ended["step"] == "failed"
    assert aws.bedrock.only["wanted"] == NEW
    assert (aws.pointer("model"), aws.pointer("run")) == (NEW, RUN)


def test_when_a_deployment_asks_for_nothing_any_more_everything_goes_but_commitments(
    aws: Aws, flow: Flow, customize: Callable[..., CustomizationSettings]
) -> None:
    customize(serving={"mode": "none", "lease_hours": None})
    aws.bedrock.have(model=OLD)
    kept = aws.bedrock.have(
        model=OLD, commitment="OneMonth", until=datetime.now(UTC) + timedelta(days=9)
    )
    aws.ssm.values[f"/bedrock-tuning/dev/{NAME}/endpoint"] = kept

    ended = flow.run(**DEPLOYMENT)

    assert ended["step"] == "removed"
    assert list(aws.bedrock.endpoints) == [kept]
    assert "has a commitment" in ended["reason"]
    assert aws.pointer("endpoint") is None


@pytest.mark.slow
def test_an_endpoint_that_refuses_its_deletion_for_ever_ends_the_flow(
    aws: Aws, flow: Flow, customize: Callable[..., CustomizationSettings]
) -> None:
    customize(serving={"mode": "none", "lease_hours": None})
    aws.bedrock.have(model=OLD)
    aws.bedrock.refuse("DeleteProvisionedModelThroughput", "ConflictException", times=999)

    ended = flow.run(**DEPLOYMENT)

    assert ended["step"] == "failed"
    assert "not ready in time" in ended["reason"]


def test_a_deployment_begins_nothing_that_is_not_served(aws: Aws, flow: Flow) -> None:
    aws.ssm.values[f"/bedrock-tuning/dev/{NAME}/model"] = OLD

    ended = flow.run(**DEPLOYMENT)

    assert (ended["step"], ended["reason"]) == ("pending", f"{NAME} is not being served")
    assert aws.bedrock.endpoints == {}


def test_a_deployment_that_takes_over_from_a_run_serves_the_runs_model(
    aws: Aws, flow: Flow
) -> None:
    """Nobody else would: the run ends, and its model was not published yet."""
    ended: list[Any] = []
    flow.at["Wait for endpoint"] = lambda: ended.append(Flow(aws).run(**DEPLOYMENT))

    run = flow.run()

    assert (run["step"], ended[0]["step"]) == ("unserved", "served")
    assert "deploy-abcdef took over, with the terms that it deployed" in run["reason"]
    assert (aws.pointer("model"), aws.pointer("run")) == (NEW, RUN)
    assert aws.bedrock.only["model"] == NEW


def test_a_deployment_without_any_model_is_pending(aws: Aws, flow: Flow) -> None:
    ended = flow.run(**DEPLOYMENT)

    assert ended["step"] == "pending"
    assert aws.bedrock.endpoints == {}


def test_what_is_served_stays_while_no_model_is_published(aws: Aws, flow: Flow) -> None:
    arn = aws.bedrock.have(model=OLD)
    aws.ssm.values[f"/bedrock-tuning/dev/{NAME}/endpoint"] = arn

    ended = flow.run(**DEPLOYMENT)

    assert ended["step"] == "pending"
    assert aws.pointer("endpoint") == arn


@pytest.mark.parametrize(
    ("kind", "before"),
    [("provisioned-model", "InService"), ("custom-model-deployment", "Active")],
)
def test_an_endpoint_that_changes_is_described_by_what_it_will_serve(
    kind: str, before: str, aws: Aws
) -> None:
    arn = aws.bedrock.have(model=OLD, kind=kind, status=before)
    found = _endpoints.describe(arn)
    assert found is not None
    assert (found.status, found.model_arn) == ("ready", OLD)

    _endpoints.swap(found, NEW)

    found = _endpoints.describe(arn)
    assert found is not None
    assert (found.status, found.model_arn) == ("updating", NEW)


@pytest.fixture
def nova(
    aws: Aws, customize: Callable[..., CustomizationSettings]
) -> Callable[..., CustomizationSettings]:
    """A customization of a model that is served on demand."""

    def change(**serving: Any) -> CustomizationSettings:
        desired = {"mode": "on-demand", "lease_hours": None, "embedding_length": None, **serving}
        return customize(base_model=catalogue()["nova-micro"], serving=desired)

    change()
    return change


def test_an_on_demand_model_is_deployed_without_a_lease(
    aws: Aws, flow: Flow, nova: Callable[..., CustomizationSettings]
) -> None:
    ended = flow.run()

    assert ended["step"] == "served"
    assert ":custom-model-deployment/" in ended["endpoint_arn"]
    assert (ended["lease"], ended["expires"]) == ("", None)
    assert aws.bedrock.asked("CreateProvisionedModelThroughput") == []
    (made,) = aws.bedrock.asked("CreateCustomModelDeployment")
    assert made["modelDeploymentName"].startswith("dev-pets-search-")


def test_an_on_demand_deployment_is_swapped_in_place(
    aws: Aws, flow: Flow, nova: Callable[..., CustomizationSettings]
) -> None:
    arn = aws.bedrock.have(model=OLD, kind="custom-model-deployment", status="Active")

    ended = flow.run()

    assert (ended["step"], ended["endpoint_arn"]) == ("served", arn)
    assert aws.bedrock.endpoints[arn]["model"] == NEW


def test_a_failed_smoke_test_of_an_on_demand_deployment_deletes_it(
    aws: Aws, flow: Flow, nova: Callable[..., CustomizationSettings]
) -> None:
    aws.bedrock_runtime.said = ""

    assert flow.run()["step"] == "failed"
    assert aws.bedrock.endpoints == {}


def test_a_model_of_text_is_asked_by_converse(
    aws: Aws, flow: Flow, nova: Callable[..., CustomizationSettings]
) -> None:
    ended = flow.run()

    (asked,) = aws.bedrock_runtime.asked("Converse")
    assert asked["modelId"] == ended["endpoint_arn"]
    assert asked["messages"] == [{"role": "user", "content": [{"text": "a dog"}]}]
    assert ended["smoke"] == "a text of 4 characters"


def test_a_commitment_serves_even_where_on_demand_is_desired(
    aws: Aws, flow: Flow, nova: Callable[..., CustomizationSettings]
) -> None:
    """It is paid for anyway; it is an endpoint of another kind, asked for by its own calls."""
    arn = aws.bedrock.have(
        model=OLD, commitment="OneMonth", until=datetime.now(UTC) + timedelta(days=9)
    )

    ended = flow.run()

    assert (ended["step"], ended["endpoint_arn"]) == ("served", arn)
    assert aws.pointer("endpoint") == arn


def test_a_change_from_on_demand_to_nothing_removes_the_deployment(
    aws: Aws, flow: Flow, nova: Callable[..., CustomizationSettings]
) -> None:
    aws.bedrock.have(model=OLD, kind="custom-model-deployment", status="Active")
    nova(mode="none")

    ended = flow.run(**DEPLOYMENT)

    assert ended["step"] == "removed"
    assert aws.bedrock.endpoints == {}


def test_a_change_from_on_demand_to_provisioned_retires_the_deployment(
    aws: Aws, flow: Flow, nova: Callable[..., CustomizationSettings]
) -> None:
    aws.bedrock.have(model=OLD, kind="custom-model-deployment", status="Active")
    nova(mode="provisioned", lease_hours=1)

    ended = flow.run()

    assert ended["step"] == "served"
    assert list(aws.bedrock.endpoints) == [ended["endpoint_arn"]]
    assert ":provisioned-model/" in ended["endpoint_arn"]


def test_as_many_model_units_are_bought_as_the_customization_says(
    aws: Aws, flow: Flow, customize: Callable[..., CustomizationSettings]
) -> None:
    customize(serving={"model_units": 2})
    small = aws.bedrock.have(model=OLD, units=1)

    ended = flow.run()

    assert ended["step"] == "served"
    assert small not in aws.bedrock.endpoints
    assert aws.bedrock.only["units"] == 2


def test_an_endpoint_with_as_many_units_as_the_customization_says_is_used(
    aws: Aws, flow: Flow, customize: Callable[..., CustomizationSettings]
) -> None:
    customize(serving={"model_units": 2})
    arn = aws.bedrock.have(model=OLD, units=2)

    assert flow.run()["endpoint_arn"] == arn
    assert aws.bedrock.only["model"] == NEW
