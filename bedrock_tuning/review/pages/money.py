"""What an environment may spend, read from its templates, and what another synthesis changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bedrock_tuning.contracts.written.customization import SERVING
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
        for name, exposure in self.exposed.items():
            yield (
                name,
                gate_in_words(exposure),
                run_in_words(exposure),
                serving_in_words(exposure),
                price_in_words(exposure.hourly_usd),
                price_in_words(exposure.most_usd_per_lease),
                self.budget(name),
                str(exposure.price_date or "none"),
            )
        for name in self.unreadable:
            yield name, *["unknown"] * 5, self.budget(name), "none"

    def budget(self, name: str) -> str:
        """The monthly budget of a customization in words."""
        return price_in_words(self.budgets[name]) if name in self.budgets else "none"

    def totals(self) -> list[tuple[str, Total]]:
        """What all of them may cost together."""
        return [(label, self._total(total(self.exposed))) for label, total in _TOTALS]

    def _total(self, total: Total) -> Total:
        return Total(usd=total.usd, unknown=(*total.unknown, *self.unreadable))


def money(assembly: Assembly) -> Money:
    """What the resources of an assembly's customizations say."""
    exposures: dict[str, Exposure] = {}
    unreadable = []
    budgets: dict[str, float | None] = {}
    budget_by_stack = {resource.stack: resource for resource in assembly.of_type(_BUDGET)}
    for resource in assembly.of_type(SERVING):
        properties = {name: str(value) for name, value in resource.properties.items()}
        name = properties.get("Customization", resource.stack)
        try:
            exposures[name] = from_properties(properties)
        except (KeyError, ValueError):
            unreadable.append(name)
        if resource.stack in budget_by_stack:
            limit = get(
                budget_by_stack[resource.stack].properties, "Budget", "BudgetLimit", "Amount"
            )
            budgets[name] = _amount(limit)
    return Money(exposed=exposures, unreadable=tuple(unreadable), budgets=budgets)


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
    changes = [
        change
        for name in sorted({*before.exposed, *after.exposed, *before.unreadable, *after.unreadable})
        for change in _changes(name, before, after)
    ]
    return MoneyChanges(
        changes=sorted(changes, key=lambda change: not change.loosened),
        totals=[
            TotalChange(what=label, before=str(old), after=str(new), change=_difference(old, new))
            for (label, old), (_, new) in zip(before.totals(), after.totals(), strict=True)
            if old != new
        ],
    )


def _changes(name: str, before: Money, after: Money) -> Iterator[MoneyChange]:
    old, new = before.exposed.get(name), after.exposed.get(name)
    if new is None:
        is_removed = name not in after.unreadable
        what = (
            "removed: its stack and endpoint stay until it is retired"
            if is_removed
            else "now unknown"
        )
        if old is not None or is_removed:
            yield MoneyChange(customization=name, what=what, loosened=not is_removed)
    elif old is None:
        prefix = "the other templates do not say what it could spend; now"
        what = prefix if name in before.unreadable else "a new customization:"
        text = f"{what} {gate_in_words(new)}; {serving_in_words(new)}"
        yield MoneyChange(
            customization=name,
            what=f"{text}; {price_in_words(new.hourly_usd)} USD/hour, "
            f"{price_in_words(new.most_usd_per_lease)} USD/lease at most; "
            f"monthly budget: {after.budget(name)}",
            loosened=new.approval == "never" or new.commitment is not None,
        )
    else:
        budgets = (before.budgets.get(name), after.budgets.get(name))
        for what, loosened in _fields(old, new, budgets):
            yield MoneyChange(customization=name, what=what, loosened=loosened)


def _fields(
    old: Exposure, new: Exposure, budgets: tuple[float | None, float | None]
) -> Iterator[tuple[str, bool]]:
    """Every value that differs: what it becomes, and whether that loosens a gate."""
    is_gated = new.approval != "always"
    for name, old_value, new_value, loosened in (
        ("approval", old.approval, new.approval, _is_later(_APPROVALS, old.approval, new.approval)),
        (
            "max_run_usd",
            old.max_run_usd,
            new.max_run_usd,
            # Where every run waits for a person, the limit is no gate.
            is_gated and _is_raised(old.max_run_usd, new.max_run_usd),
        ),
        ("mode", old.mode, new.mode, _is_later(_MODES, old.mode, new.mode)),
        ("model_units", old.model_units, new.model_units, new.model_units > old.model_units),
        (
            "lease_hours",
            old.lease_hours,
            new.lease_hours,
            new.mode == "provisioned" and _is_raised(old.lease_hours, new.lease_hours),
        ),
        (
            "commitment",
            old.commitment,
            new.commitment,
            _is_later(_COMMITMENTS, old.commitment, new.commitment),
        ),
        ("on_delete", old.on_delete, new.on_delete, new.on_delete == "retain"),
        # A price that is not known any more is no better than a higher one.
        ("USD/hour", old.hourly_usd, new.hourly_usd, _is_raised(old.hourly_usd, new.hourly_usd)),
        (
            "USD/lease at most",
            old.most_usd_per_lease,
            new.most_usd_per_lease,
            _is_raised(old.most_usd_per_lease, new.most_usd_per_lease),
        ),
        ("monthly_usd", *budgets, _is_raised(*budgets)),
    ):
        if old_value != new_value:
            placeholder = "unknown" if name.startswith("USD") else "none"
            text = " → ".join(
                placeholder if value is None else f"{value:,.2f}" if isinstance(value, float)
                else str(value)
                for value in (old_value, new_value)
            )  # fmt: skip
            yield f"{name}: {text}", loosened


def _is_later(order: tuple[str | None, ...], old: str | None, new: str | None) -> bool:
    """Whether a value is further from the safe end; one that is not known is the furthest."""
    places = [order.index(value) if value in order else len(order) for value in (old, new)]
    return places[1] > places[0]


def _is_raised(old: float | None, new: float | None) -> bool:
    """Whether a limit is higher, or gone."""
    return old is not None and (new is None or new > old)


def _difference(old: Total, new: Total) -> str:
    """An amount with its sign; "unknown" if a price that is not known is on one side only."""
    if old.unknown != new.unknown:
        return "unknown"
    suffix = " besides what is unknown" if new.unknown else ""
    return f"{new.usd - old.usd:+,.2f} USD{suffix}"
