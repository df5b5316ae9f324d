"""What an environment may spend, read from its templates, and what another synthesis changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Assembly
from bedrock_tuning.run.exposure import (
    Exposure,
    Total,
    from_properties,
    gate_in_words,
    hourly,
    most_per_lease,
    price_in_words,
    run_in_words,
    serving_in_words,
)

RESOURCE: Final = "Custom::ProvisionedThroughput"
_BUDGET: Final = "AWS::Budgets::Budget"
HEAD: Final = (
    "customization",
    "runs",
    "USD/run",
    "served",
    "USD/hour",
    "USD/lease",
    "monthly budget",
    "prices as of",
)
_TOTALS: Final = (("an hour, if all are served", hourly), ("one lease of each", most_per_lease))
_APPROVALS: Final = ("always", "over-budget", "never")
_COMMITMENTS: Final = (None, "OneMonth", "SixMonths")
_MODES: Final = ("none", "on-demand", "provisioned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What an environment may spend, by customization. unreadable: whose templates do not say.

    budgets: of a month, in USD, where there is one; None if it is not known.
    """

    exposed: Mapping[str, Exposure]
    unreadable: tuple[str, ...] = ()
    budgets: Mapping[str, float | None] = field(default_factory=dict)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """A table of it under HEAD, its totals last."""
        for name, each in self.exposed.items():
            yield (
                name,
                gate_in_words(each),
                run_in_words(each),
                serving_in_words(each),
                price_in_words(each.hourly_usd),
                price_in_words(each.most_usd_per_lease),
                self.budget(name),
                str(each.price_date or "none"),
            )
        for name in self.unreadable:
            yield name, *["unknown"] * 5, self.budget(name), "none"

    def budget(self, name: str) -> str:
        """The monthly budget of a customization in words."""
        return price_in_words(self.budgets[name]) if name in self.budgets else "none"

    def totals(self) -> list[tuple[str, Total]]:
        """What all of them may cost together."""
        return [(label, self._total(total(self.exposed))) for label, total in _TOTALS]

    def _total(self, known: Total) -> Total:
        return Total(usd=known.usd, unknown=(*known.unknown, *self.unreadable))


def money(assembly: Assembly) -> Money:
    """What the resources of an assembly's customizations say."""
    exposed: dict[str, Exposure] = {}
    unreadable = []
    budgets: dict[str, float | None] = {}
    of_stack = {r.stack: r for r in assembly.of_type(_BUDGET)}
    for resource in assembly.of_type(RESOURCE):
        properties = {name: str(value) for name, value in resource.properties.items()}
        name = properties.get("Customization", resource.stack)
        try:
            exposed[name] = from_properties(properties)
        except (KeyError, ValueError):
            unreadable.append(name)
        if resource.stack in of_stack:
            limit = get(of_stack[resource.stack].properties, "Budget", "BudgetLimit", "Amount")
            budgets[name] = _amount(limit)
    return Money(exposed=exposed, unreadable=tuple(unreadable), budgets=budgets)


def _amount(limit: Any) -> float | None:
    """A budget's limit, which CloudFormation takes as a number or as text; None for any other."""
    try:
        return float(limit)
    except (TypeError, ValueError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyChange:
    """One difference. loosened: more may be spent, or spent with fewer questions."""

    customization: str
    what: str
    loosened: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalChange:
    """A total before and after. change: the difference in words."""

    what: str
    before: str
    after: str
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyChanges:
    """What changes about money. Empty lists where nothing does."""

    changes: list[MoneyChange]
    totals: list[TotalChange]

    @property
    def loosened(self) -> int:
        """How many of them loosen a gate."""
        return sum(change.loosened for change in self.changes)


def money_changes(before: Money, after: Money) -> MoneyChanges:
    """What another synthesis changes, what is loosened first."""
    found = [
        change
        for name in sorted({*before.exposed, *after.exposed, *before.unreadable, *after.unreadable})
        for change in _changes(name, before, after)
    ]
    return MoneyChanges(
        changes=sorted(found, key=lambda change: not change.loosened),
        totals=[
            TotalChange(what=label, before=str(was), after=str(now), change=_difference(was, now))
            for (label, was), (_, now) in zip(before.totals(), after.totals(), strict=True)
            if was != now
        ],
    )


def _changes(name: str, before: Money, after: Money) -> Iterator[MoneyChange]:
    was, now = before.exposed.get(name), after.exposed.get(name)
    if now is None:
        gone = name not in after.unreadable
        what = "removed: its stack and endpoint stay until it is retired" if gone else "now unknown"
        if was is not None or gone:
            yield MoneyChange(customization=name, what=what, loosened=not gone)
    elif was is None:
        known = "the other templates do not say what it could spend; now"
        what = known if name in before.unreadable else "a new customization:"
        text = f"{what} {gate_in_words(now)}; {serving_in_words(now)}"
        yield MoneyChange(
            customization=name,
            what=f"{text}; {price_in_words(now.hourly_usd)} USD/hour, "
            f"{price_in_words(now.most_usd_per_lease)} USD/lease at most; "
            f"monthly budget: {after.budget(name)}",
            loosened=now.approval == "never" or now.commitment is not None,
        )
    else:
        budgets = (before.budgets.get(name), after.budgets.get(name))
        for what, loosened in _fields(was, now, budgets):
            yield MoneyChange(customization=name, what=what, loosened=loosened)


def _fields(
    was: Exposure, now: Exposure, budgets: tuple[float | None, float | None]
) -> Iterator[tuple[str, bool]]:
    """Every value that differs: what it becomes, and whether that loosens a gate."""
    gated = now.approval != "always"
    for name, then, new, loosened in (
        ("approval", was.approval, now.approval, _later(_APPROVALS, was.approval, now.approval)),
        (
            "max_run_usd",
            was.max_run_usd,
            now.max_run_usd,
            # Where every run waits for a person, the limit is no gate.
            gated and _more(was.max_run_usd, now.max_run_usd),
        ),
        ("mode", was.mode, now.mode, _later(_MODES, was.mode, now.mode)),
        ("model_units", was.model_units, now.model_units, now.model_units > was.model_units),
        (
            "lease_hours",
            was.lease_hours,
            now.lease_hours,
            now.mode == "provisioned" and _more(was.lease_hours, now.lease_hours),
        ),
        (
            "commitment",
            was.commitment,
            now.commitment,
            _later(_COMMITMENTS, was.commitment, now.commitment),
        ),
        ("on_delete", was.on_delete, now.on_delete, now.on_delete == "retain"),
        # A price that is not known any more is no better than a higher one.
        ("USD/hour", was.hourly_usd, now.hourly_usd, _more(was.hourly_usd, now.hourly_usd)),
        (
            "USD/lease at most",
            was.most_usd_per_lease,
            now.most_usd_per_lease,
            _more(was.most_usd_per_lease, now.most_usd_per_lease),
        ),
        ("monthly_usd", *budgets, _more(*budgets)),
    ):
        if then != new:
            nothing = "unknown" if name.startswith("USD") else "none"
            shown = " → ".join(
                nothing if value is None else f"{value:,.2f}" if isinstance(value, float)
                else str(value)
                for value in (then, new)
            )  # fmt: skip
            yield f"{name}: {shown}", loosened


def _later(order: tuple[str | None, ...], was: str | None, now: str | None) -> bool:
    """Whether a value is further from the safe end; one that is not known is the furthest."""
    places = [order.index(each) if each in order else len(order) for each in (was, now)]
    return places[1] > places[0]


def _more(was: float | None, now: float | None) -> bool:
    """Whether a limit is higher, or gone."""
    return was is not None and (now is None or now > was)


def _difference(was: Total, now: Total) -> str:
    """An amount with its sign; "unknown" if a price that is not known is on one side only."""
    if was.unknown != now.unknown:
        return "unknown"
    besides = " besides what is unknown" if now.unknown else ""
    return f"{now.usd - was.usd:+,.2f} USD{besides}"
