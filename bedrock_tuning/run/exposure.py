"""What a customization may spend, as its stack's template says it: gates, and prices by the hour.

The template holds it in properties of its own, so that a reviewer of a change sees money as money;
an unknown price is never zero.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.messages import plain_number
from bedrock_tuning.run import cost
from bedrock_tuning.wording import counted, first_of

_UNKNOWN: Final = "unknown"
NONE: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What one customization may spend.

    max_run_usd: of one run without approval; None where no limit is set. hourly_usd: while the
    model is served, None if the price is not known. most_usd_per_lease: of a whole lease, or of a
    commitment's term; None if it is not known. price_date: when the price was seen.
    """

    mode: str
    model_units: int
    commitment: str | None
    lease_hours: int | None
    on_delete: str
    approval: str
    max_run_usd: float | None
    hourly_usd: float | None
    most_usd_per_lease: float | None
    price_date: date | None


def exposure(customization: CustomizationSettings) -> Exposure:
    """What a customization may spend, with the catalogue's prices."""
    serving, budget = customization.serving, customization.budget
    by_the_hour = serving.mode == "provisioned"
    hour, lease = cost.serving_prices(customization) if by_the_hour else (None, None)
    return Exposure(
        mode=serving.mode,
        model_units=serving.model_units,
        commitment=serving.commitment,
        lease_hours=serving.lease_hours,
        on_delete=serving.on_delete,
        approval=budget.approval,
        max_run_usd=budget.max_run_usd,
        hourly_usd=hour.usd if hour is not None else 0.0,
        most_usd_per_lease=lease.usd if lease is not None else 0.0,
        # Both have one price.
        price_date=lease.seen if lease is not None else None,
    )


# By field of Exposure: what reads its property's text, and which word stands there for None.
_FIELDS: Final[Mapping[str, tuple[Callable[[str], Any], str | None]]] = {
    "mode": (str, None),
    "model_units": (int, None),
    "commitment": (str, NONE),
    "lease_hours": (int, NONE),
    "on_delete": (str, None),
    "approval": (str, None),
    "max_run_usd": (float, NONE),
    "hourly_usd": (float, _UNKNOWN),
    "most_usd_per_lease": (float, _UNKNOWN),
    "price_date": (date.fromisoformat, NONE),
}
_NAMES: Final = {field: field.title().replace("_", "") for field in _FIELDS}
# What a customization's resource says about money.
MONEY: Final = tuple(_NAMES.values())


def to_properties(spending: Exposure) -> dict[str, str]:
    """The properties of the customization's resource, all of them text as CloudFormation's are.

    Amounts are exact, with two decimals or more and no separators.
    """
    properties = {}
    for field, (parse, word) in _FIELDS.items():
        value = getattr(spending, field)
        text = str(value)
        if value is None:
            text = str(word)
        elif parse is float:
            text = f"{value:.2f}" if round(value, 2) == value else plain_number(value)
        properties[_NAMES[field]] = text
    return properties


def from_properties(properties: Mapping[str, str]) -> Exposure:
    """The other way round; raises KeyError or ValueError for properties of another making."""
    texts = {field: properties[name] for field, name in _NAMES.items()}
    fields: dict[str, Any] = {
        field: None if texts[field] == word else parse(texts[field])
        for field, (parse, word) in _FIELDS.items()
    }
    return Exposure(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A sum of prices. usd: of those that are known; unknown: whose are not, by name."""

    usd: float
    unknown: tuple[str, ...]

    def __str__(self) -> str:
        """The sum in words: a lower bound where a price is not known."""
        if not self.unknown:
            return f"{self.usd:,.2f} USD"
        amount = f"at least {self.usd:,.2f} USD, and " if self.usd else ""
        return f"{amount}unknown for {first_of(self.unknown)}"


def hourly(exposures: Mapping[str, Exposure]) -> Total:
    """What it costs by the hour while all of them are served."""
    return total((name, spending.hourly_usd) for name, spending in exposures.items())


def most_per_lease(exposures: Mapping[str, Exposure]) -> Total:
    """What all leases and commitments cost that may begin at one time."""
    return total((name, spending.most_usd_per_lease) for name, spending in exposures.items())


def total(prices: Iterable[tuple[str, float | None]]) -> Total:
    """The sum of prices by what they are for; None where one is not known."""
    entries = list(prices)
    return Total(
        usd=round(sum(price for _, price in entries if price is not None), 2),
        unknown=tuple(name for name, price in entries if price is None),
    )


def cap_problem(exposures: Mapping[str, Exposure], *, max_hourly_usd: float | None) -> str:
    """Why customizations may not be deployed together under a limit; "" if they may."""
    if max_hourly_usd is None:
        return ""
    total = hourly(exposures)
    if total.usd <= max_hourly_usd and not total.unknown:
        return ""
    if total.usd > max_hourly_usd:
        costliest = sorted(exposures.items(), key=lambda entry: -(entry[1].hourly_usd or 0.0))
        top = ", ".join(
            f"{name} {price_in_words(spending.hourly_usd)}" for name, spending in costliest[:5]
        )
        return (
            f"{max_hourly_usd:,.2f} USD an hour, and all customizations together may cost {total} "
            f"({top}): serve fewer or smaller ones here, or raise the limit"
        )
    return (
        f"no hourly price is known for {first_of(total.unknown)}, so the limit of "
        f"{max_hourly_usd:,.2f} USD cannot be kept: leave them out here with only, do not serve "
        "them, or add the price with its source to their models in bedrock_tuning/catalogue"
    )


def gate_in_words(spending: Exposure) -> str:
    """When a run waits for a person."""
    match spending.approval:
        case "always":
            return "every run waits for approval"
        case "over-budget" if spending.max_run_usd is not None:
            limit = f"{spending.max_run_usd:,.2f} USD"
            return f"a run above {limit}, or without a known price, waits for approval"
    return "no run waits for approval because of its price"


def run_in_words(spending: Exposure) -> str:
    """What one run may cost in US dollars before a person is asked."""
    if spending.approval == "over-budget" and spending.max_run_usd is not None:
        return f"{spending.max_run_usd:,.2f}; more if it is approved"
    return "what is approved" if spending.approval == "always" else f"{_UNKNOWN}: no limit"


def serving_in_words(spending: Exposure) -> str:
    """How the model is served, and what ends its billing."""
    if spending.mode != "provisioned":
        return {"on-demand": "on demand, billed by call"}.get(spending.mode, "not served")
    ends = "without an end"
    if spending.commitment is not None:
        ends = f"commitment {spending.commitment}"
    elif spending.lease_hours is not None:
        ends = f"lease of {spending.lease_hours} h"
    retention = ", kept when its stack is deleted" if spending.on_delete == "retain" else ""
    return f"{counted(spending.model_units, 'model unit')}, {ends}{retention}"


def price_in_words(amount: float | None) -> str:
    """An amount of US dollars for a table."""
    return _UNKNOWN if amount is None else f"{amount:,.2f}"
