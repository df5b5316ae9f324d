"""Prices as the AWS Price List API shows them: what to ask for, and what its answer says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from bedrock_tuning.catalogue import BaseModel, Sourced

SERVICE_CODE: Final = "AmazonBedrock"
# Where the API is, whatever the Region of the prices.
API_REGION: Final = "us-east-1"
# The Regions whose usage types are known, as bills spell them.
_REGIONS: Final = {"us-east-1": "USE1", "us-west-2": "USW2"}
# What is asked for, by the price of the catalogue that it can take the place of.
_USAGE: Final = {
    "prices.training_per_1k_tokens": "Customization-Training",
    "prices.storage_per_month": "Customization-Storage",
}
# By unit of the list: what makes it the unit of the catalogue.
_UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "prices.training_per_1k_tokens": {
        "1k tokens": 1.0,
        "1m tokens": 0.001,
        "token": 1000.0,
        "tokens": 1000.0,
    },
    "prices.storage_per_month": {"month": 1.0, "months": 1.0, "model-month": 1.0},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPrices:
    """What the API answered: prices by their path in the catalogue; in words, what it did not."""

    prices: Mapping[str, Sourced] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


NOT_ASKED: Final = ListedPrices()


def usage_types(model: BaseModel, region: str) -> Mapping[str, str]:
    """What to ask for, by path of a price in the catalogue; empty where no name is known."""
    family = model.facts.get("price_list.family")
    if family is None or region not in _REGIONS:
        return {}
    return {path: f"{_REGIONS[region]}-{family.value}-{name}" for path, name in _USAGE.items()}


def price(path: str, products: Sequence[str]) -> Sourced:
    """The price that GetProducts answers with, in the catalogue's unit, with the list's date.

    products: its PriceList, each a document of its own. Raises ValueError, in words, for an answer
    that does not name one price above zero: what is not understood is unknown, never free.
    """
    if len(products) != 1:
        raise ValueError(f"{len(products)} prices are listed, not one")
    try:
        product = json.loads(products[0])
        terms = product["terms"]["OnDemand"].values()
        (dimension,) = (entry for term in terms for entry in term["priceDimensions"].values())
        unit, usd = str(dimension["unit"]), float(dimension["pricePerUnit"]["USD"])
        publication_date = date.fromisoformat(str(product["publicationDate"])[:10])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"its answer is not understood ({type(error).__name__})") from error
    factor = _UNITS[path].get(unit.lower())
    if factor is None:
        raise ValueError(f"it is listed per {unit}, a unit that is not known")
    if not 0 < usd < 1_000_000:
        raise ValueError(f"{usd:g} USD are listed")
    return Sourced(value=usd * factor, source=("PRICE-API",), date=publication_date)
