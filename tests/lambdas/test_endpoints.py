"""What is asked of Bedrock for an endpoint, to the letter."""

import hashlib
from collections.abc import Callable

import pytest

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.errors import RequestError
from lambdas._serving import _endpoints
from tests.lambdas.aws import Aws
from tests.lambdas.bedrock import BASE, model_arn

RUN, NEW = "20261121-093000-aaaaaa", model_arn(2)


def test_a_purchase_names_what_is_desired_and_whose_it_is(
    aws: Aws, customize: Callable[..., CustomizationSettings]
) -> None:
    aws.bedrock.models[NEW] = BASE
    customization = customize(
        serving={"model_units": 3, "commitment": "OneMonth"}, tags={"team": "pets"}
    )

    _endpoints.create(
        _endpoints.purchase(
            "dev", customization, model_arn=NEW, run=RUN, expires="2026-12-01T00:00:00Z"
        )
    )

    (asked,) = aws.bedrock.asked("CreateProvisionedModelThroughput")
    # Another token for the same request, in a later version, would buy a second endpoint.
    token = hashlib.sha256(f"{NEW}|provisioned|3|OneMonth|{RUN}".encode()).hexdigest()[:32]
    assert asked == {
        "clientRequestToken": token,
        "provisionedModelName": f"dev-pets-search-{token[:8]}",
        "modelId": NEW,
        "modelUnits": 3,
        "commitmentDuration": "OneMonth",
        "tags": [
            {"key": "team", "value": "pets"},
            {"key": "bedrock-tuning:environment", "value": "dev"},
            {"key": "bedrock-tuning:customization", "value": "pets-search"},
            {"key": "bedrock-tuning:run", "value": RUN},
            {"key": "bedrock-tuning:expires", "value": "2026-12-01T00:00:00Z"},
        ],
    }


def test_a_name_that_bedrock_would_refuse_is_not_sent(
    aws: Aws, customize: Callable[..., CustomizationSettings]
) -> None:
    with pytest.raises(RequestError, match=r"provisionedModelName: .*at most 63"):
        _endpoints.purchase("d" * 63, customize(), model_arn=NEW, run=RUN, expires=None)

    assert aws.bedrock.calls == []


@pytest.mark.parametrize("kind", ["provisioned-model", "custom-model-deployment"])
def test_what_a_failed_endpoint_says_is_kept(kind: str, aws: Aws) -> None:
    arn = aws.bedrock.have(model=NEW, kind=kind, status="Failed", failure="no capacity")

    found = _endpoints.describe(arn)

    assert found is not None
    assert (found.status, found.failure) == ("failed", "no capacity")
