"""Prices of the AWS Price List API: used where they are understood, never guessed, never zero."""

import json
from datetime import date

import pytest

from bedrock_tuning.catalogue import Sourced, catalogue
from bedrock_tuning.config.customization import CustomizationSettings, load
from bedrock_tuning.run.cost import estimate, needs_approval
from bedrock_tuning.run.price_list import ListedPrices, price, usage_types
from tests.support.price_list import STORAGE, TRAINING, product

PER_1K, MONTH = "prices.training_per_1k_tokens", "prices.storage_per_month"
NOVA = """\
description = "x"
base_model = "nova-micro"
customization_type = "FINE_TUNING"
[budget]
max_run_usd = 10
"""
# AWS's example: 1.75 million tokens in all epochs, of which the default is 2.
CHARACTERS = 1_750_000 // 2 * 6


def micro(model: str = "nova-micro") -> CustomizationSettings:
    return load(NOVA.replace("nova-micro", model), file="customizations/notes.toml")


def listed(usd: str, unit: str = "1K tokens", day: str = "2026-11-20") -> ListedPrices:
    return ListedPrices(
        prices={PER_1K: price(PER_1K, [product(TRAINING, usd, unit=unit, day=day)])}
    )


def test_a_published_example_of_nova_micro_costs_what_aws_says() -> None:
    training = estimate(customization=micro(), training_characters=CHARACTERS).lines[0]

    assert training.usd == 2.18
    assert training.seen == date(2026, 4, 1)
    assert "BLOG-NOVA" in str(training)


def test_a_listed_price_takes_the_place_of_an_older_one_with_its_date_and_source() -> None:
    prices = listed("0.0020000000")

    training = estimate(customization=micro(), training_characters=CHARACTERS, listed=prices).lines[
        0
    ]

    assert training.usd == 3.5
    assert "source PRICE-API, seen 2026-11-20" in str(training)


def test_a_price_that_only_the_list_knows_makes_a_budget_check_possible() -> None:
    pro = micro("nova-pro")
    found = price(PER_1K, [product("USE1-NovaPro-Customization-Training", "0.008")])
    prices = ListedPrices(prices={PER_1K: found})

    unknown = estimate(customization=pro, training_characters=6_000)
    known = estimate(customization=pro, training_characters=6_000, listed=prices)

    assert unknown.lines[0].usd is None
    assert "no price is known" in str(needs_approval(customization=pro, estimate=unknown))
    assert needs_approval(customization=pro, estimate=known) is None


@pytest.mark.parametrize(
    ("unit", "usd", "per_1k"),
    [
        ("1K tokens", "0.001", 0.001),
        ("1M tokens", "1.25", 0.00125),
        ("Tokens", "0.000001", 0.001),
        ("Token", "0.000001", 0.001),
    ],
)
def test_a_price_is_for_a_thousand_tokens_whatever_its_unit(
    unit: str, usd: str, per_1k: float
) -> None:
    assert listed(usd, unit).prices[PER_1K].value == pytest.approx(per_1k)


def _tiers() -> str:
    document = json.loads(product(TRAINING, "1"))
    (term,) = document["terms"]["OnDemand"].values()
    (first,) = term["priceDimensions"].values()
    term["priceDimensions"]["second"] = {**first, "beginRange": "1000"}
    return json.dumps(document)


@pytest.mark.parametrize(
    ("products", "words"),
    [
        ([], "0 prices are listed, not one"),
        ([product(TRAINING, "1"), product(TRAINING, "2")], "2 prices are listed"),
        ([product(TRAINING, "0.0000000000")], "0 USD are listed"),
        ([product(TRAINING, "-1")], "-1 USD"),
        ([product(TRAINING, "nan")], "nan USD"),
        ([product(TRAINING, "1000000")], r"1e\+06 USD"),
        ([product(TRAINING, "1", unit="hour")], "per hour, a unit that is not known"),
        ([product(TRAINING, "free")], "is not understood"),
        ([product(TRAINING, "1", terms={"Reserved": {}})], "is not understood"),
        ([product(TRAINING, "1", publicationDate="soon")], "is not understood"),
        (["{"], "is not understood"),
        (["[]"], "is not understood"),
        ([_tiers()], "is not understood"),
    ],
)
def test_what_is_not_one_price_above_zero_is_unknown(products: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        price(PER_1K, products)


@pytest.mark.parametrize("unit", ["Month", "Months", "Model-Month"])
def test_storage_is_listed_by_the_month(unit: str) -> None:
    found = price(MONTH, [product(STORAGE, "1.95", unit=unit)])

    assert found == Sourced(value=1.95, source=("PRICE-API",), date=date(2026, 11, 20))


def test_only_a_model_and_a_region_with_known_names_are_asked_for() -> None:
    nova, titan = catalogue()["nova-micro"], catalogue()["titan-multimodal-embeddings-g1"]

    assert usage_types(nova, "us-east-1") == {PER_1K: TRAINING, MONTH: STORAGE}
    assert usage_types(nova, "eu-west-1") == {}
    assert usage_types(titan, "us-east-1") == {}
    llama = usage_types(catalogue()["llama-3-3-70b"], "us-west-2")
    assert llama[PER_1K] == "USW2-Llama3-3-70B-Customization-Training"


def test_why_a_price_is_old_stands_in_the_estimate() -> None:
    problems = ListedPrices(problems=("the AWS Price List API has no usable price",))

    text = str(estimate(customization=micro(), training_characters=CHARACTERS, listed=problems))

    assert "2.18 USD" in text
    assert "the AWS Price List API has no usable price" in text
