"""What a call of serve asks for, and at which price."""

from collections.abc import Callable
from typing import Any

import pytest

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.serving.intent import ServingRequest, Terms
from lambdas._serving.work import priced, terms_of

# The terms of a Provisioned Throughput whose price is published.
STYLE = "pets-style"


@pytest.fixture
def asked() -> Callable[..., ServingRequest]:
    def ask(customization: CustomizationSettings, **changes: Any) -> ServingRequest:
        given = {"run": "r", "order": "r", "model_arn": "", "model_run": ""}
        return ServingRequest(
            **{"started_by": "deployment", "terms": terms_of(customization), **given, **changes}
        )

    return ask


def test_a_deployments_request_has_the_price_of_serving_alone(
    asked: Callable[..., ServingRequest], customize: Callable[..., CustomizationSettings]
) -> None:
    style = customize(STYLE, budget={"approval": "over-budget", "max_run_usd": 100})

    request = priced(asked(style), style)

    lines = request.price.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "Provisioned Throughput for a lease of 4 h",
        *(f"Provisioned Throughput per {time}" for time in ("hour", "day", "month")),
    ]
    assert request.approval == "the price is within the budget"


def test_a_price_above_the_budget_is_nobodys_approval_but_a_persons(
    asked: Callable[..., ServingRequest], customize: Callable[..., CustomizationSettings]
) -> None:
    style = customize(STYLE, budget={"approval": "over-budget", "max_run_usd": 10})

    assert priced(asked(style), style).approval == ""
    assert priced(asked(style, approval="approved by Ron"), style).approval == "approved by Ron"


@pytest.mark.parametrize("started_by", ["run", "person"])
def test_runs_and_people_bring_their_price_along(
    started_by: str,
    asked: Callable[..., ServingRequest],
    customize: Callable[..., CustomizationSettings],
) -> None:
    style = customize(STYLE)
    request = asked(style, started_by=started_by, price="84.00 USD", approval="by Ron")

    assert priced(request, style) == request


def test_what_is_not_billed_by_the_hour_has_no_price(
    asked: Callable[..., ServingRequest], customize: Callable[..., CustomizationSettings]
) -> None:
    style = customize(STYLE, serving={"mode": "none", "lease_hours": None})

    assert priced(asked(style), style).price == ""


def test_the_terms_are_what_the_customization_says(
    customize: Callable[..., CustomizationSettings],
) -> None:
    style = customize(STYLE, serving={"model_units": 2, "commitment": "OneMonth"})

    assert terms_of(style) == Terms(
        mode="provisioned",
        units=2,
        commitment="OneMonth",
        lease_hours=4,
        base_model=style.base_model.key,
    )
