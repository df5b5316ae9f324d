"""Prices of today: what is asked of the AWS Price List API, and what becomes of its answers."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.sources.price_list import listed_prices
from tests.support.price_list import STORAGE, TRAINING, product

NOVA = catalogue()["nova-micro"]
DENIED = ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetProducts")


class Pricing:
    """The API. answers: by usage type, a price in USD or what is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[dict[str, Any]] = []

    def get_products(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        usage = asked["Filters"][0]["Value"]
        answer = self.answers["training" if usage == TRAINING else "storage"]
        if isinstance(answer, Exception):
            raise answer
        unit = "1K tokens" if usage == TRAINING else "Month"
        return {"PriceList": [product(usage, answer, unit=unit)]}


def test_each_price_is_asked_for_by_its_usage_type() -> None:
    pricing = Pricing(training="0.002", storage="1.95")
    found = listed_prices(pricing, NOVA, "us-east-1")
    assert {path: each.value for path, each in found.prices.items()} == {
        "prices.training_per_1k_tokens": 0.002,
        "prices.storage_per_month": 1.95,
    }
    assert found.problems == ()
    assert pricing.asked == [
        {
            "ServiceCode": "AmazonBedrock",
            "Filters": [{"Type": "TERM_MATCH", "Field": "usagetype", "Value": usage}],
        }
        for usage in (TRAINING, STORAGE)
    ]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (DENIED, "AccessDeniedException"),
        (ConnectTimeoutError(endpoint_url="https://api"), "Connect timeout"),
        ("0", "0 USD are listed"),
    ],
    ids=["denied", "no answer", "not understood"],
)
def test_a_price_that_is_not_to_be_had_is_told_and_keeps_no_other(answer: Any, why: str) -> None:
    found = listed_prices(Pricing(training=answer, storage="1.95"), NOVA, "us-east-1")
    assert [*found.prices] == ["prices.storage_per_month"]
    (problem,) = found.problems
    assert problem.startswith(f"the AWS Price List API has no usable price of {TRAINING}: ")
    assert why in problem


def test_a_model_without_known_names_is_not_asked_about() -> None:
    pricing = Pricing()
    assert listed_prices(pricing, NOVA, "eu-west-1").prices == {}
    assert pricing.asked == []
