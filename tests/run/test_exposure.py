"""What a customization may spend: exact in a template, never zero for what is not known."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.config.customization import CustomizationSettings, load
from bedrock_tuning.run.exposure import (
    Exposure,
    Total,
    cap_problem,
    exposure,
    from_properties,
    gate_in_words,
    hourly,
    most_per_lease,
    run_in_words,
    serving_in_words,
    to_properties,
    total,
)

PRICED = """
description = "x"
base_model = "titan-image-generator-v2"
allow_closed_model = true
[hyperparameters]
stepCount = 5000
batchSize = 8
"""
UNPRICED = """
description = "x"
base_model = "titan-multimodal-embeddings-g1"
"""


def _file(head: str, rest: str = "") -> CustomizationSettings:
    return load(head + rest, file="customizations/pets.toml")


def test_a_lease_costs_its_hours_for_every_unit() -> None:
    two = '[serving]\nmode = "provisioned"\nmodel_units = 2\nlease_hours = 4\n'
    found = exposure(_file(PRICED, two))
    assert found.hourly_usd is not None
    assert found.most_usd_per_lease == pytest.approx(4 * found.hourly_usd)
    assert found.hourly_usd == 2 * (
        exposure(_file(PRICED, two.replace("= 2", "= 1"))).hourly_usd or 0
    )
    assert found.price_date is not None


def test_a_model_that_is_proved_beside_another_costs_twice_as_much_by_the_hour_and_no_longer() -> (
    None
):
    swap = '[serving]\nmode = "provisioned"\nlease_hours = 4\n'
    beside = f'{swap}strategy = "blue-green"\n'
    one, two = exposure(_file(PRICED, swap)), exposure(_file(PRICED, beside))
    assert one.hourly_usd is not None
    assert two.hourly_usd == 2 * one.hourly_usd
    units = exposure(_file(PRICED, f"{beside}model_units = 3\n"))
    assert units.hourly_usd == 6 * one.hourly_usd
    assert two.most_usd_per_lease == one.most_usd_per_lease


def test_an_unknown_price_is_unknown_and_not_nothing() -> None:
    found = exposure(_file(UNPRICED, '[serving]\nmode = "provisioned"\nlease_hours = 4\n'))
    said = to_properties(found)
    assert (said["HourlyUsd"], said["MostUsdPerLease"]) == ("unknown", "unknown")
    assert str(hourly({"a": found})) == "unknown for a"


def test_a_committed_price_that_is_not_known_is_not_the_one_by_the_hour() -> None:
    found = exposure(_file(PRICED, '[serving]\nmode = "provisioned"\ncommitment = "OneMonth"\n'))
    assert found.most_usd_per_lease is None


def test_what_is_not_served_costs_nothing_by_the_hour() -> None:
    found = exposure(_file(UNPRICED))
    assert (found.hourly_usd, found.most_usd_per_lease) == (0.0, 0.0)
    assert serving_in_words(found) == "not served"


def test_totals_add_what_is_known_and_name_what_is_not() -> None:
    served = '[serving]\nmode = "provisioned"\nlease_hours = 4\n'
    known, unknown = exposure(_file(PRICED, served)), exposure(_file(UNPRICED, served))
    most = most_per_lease({"known": known, "unknown": unknown})
    assert most.usd == known.most_usd_per_lease
    assert str(most) == f"at least {most.usd:,.2f} USD, and unknown for unknown"


def test_a_total_is_rounded_to_cents_once() -> None:
    assert total([("a", 0.111), ("b", 0.222), ("c", None)]) == Total(usd=0.33, unknown=("c",))
    assert total([]) == Total(usd=0.0, unknown=())


SERVED = '[serving]\nmode = "provisioned"\nlease_hours = 4\n'


def test_without_a_limit_anything_may_be_deployed_together() -> None:
    every = {"known": exposure(_file(PRICED, SERVED)), "unknown": exposure(_file(UNPRICED, SERVED))}
    assert cap_problem(every, max_hourly_usd=None) == ""


def test_what_costs_no_more_than_the_limit_may_be_deployed_together() -> None:
    every = {name: exposure(_file(PRICED, SERVED)) for name in ("a", "b")}
    limit = hourly(every).usd
    assert cap_problem(every, max_hourly_usd=limit) == ""
    problem = cap_problem(every, max_hourly_usd=limit - 0.01)
    assert f"{limit - 0.01:,.2f} USD an hour, and all" in problem
    assert f"may cost {limit:,.2f} USD (a {limit / 2:,.2f}, b {limit / 2:,.2f}): " in problem


def test_no_limit_can_be_kept_with_a_price_that_nobody_knows() -> None:
    every = {"known": exposure(_file(PRICED, SERVED)), "free": exposure(_file(UNPRICED, SERVED))}
    problem = cap_problem(every, max_hourly_usd=9_999)
    assert problem.startswith("no hourly price is known for free, so the limit of 9,999.00 USD")
    at_the_limit = cap_problem(every, max_hourly_usd=hourly(every).usd)
    assert at_the_limit.startswith("no hourly price is known for free")
    assert "may cost at least" in cap_problem(every, max_hourly_usd=0.01)


def test_those_that_cost_most_are_named_first_and_not_more_than_five() -> None:
    two = SERVED + "model_units = 2\n"
    every = {f"c{number}": exposure(_file(PRICED, SERVED)) for number in range(6)}
    problem = cap_problem(every | {"dear": exposure(_file(PRICED, two))}, max_hourly_usd=0.01)
    named = problem[problem.index(" USD (") :]
    assert named.startswith(" USD (dear ")
    assert "c3 " in named
    assert "c4 " not in named


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ("", "every run waits for approval"),
        (
            "[budget]\nmax_run_usd = 50\n",
            "a run above 50.00 USD, or without a known price, waits for approval",
        ),
        ('[budget]\napproval = "never"\n', "no run waits for approval because of its price"),
    ],
)
def test_the_gate_of_runs_in_words(budget: str, words: str) -> None:
    assert gate_in_words(exposure(_file(UNPRICED, budget))) == words


_MONEY = st.none() | st.floats(min_value=0.01, max_value=999_999_999)


@given(
    st.builds(
        Exposure,
        mode=st.sampled_from(["none", "on-demand", "provisioned"]),
        model_units=st.integers(1, 100),
        commitment=st.sampled_from([None, "OneMonth", "SixMonths"]),
        lease_hours=st.none() | st.integers(1, 720),
        on_delete=st.sampled_from(["delete", "retain"]),
        approval=st.sampled_from(["always", "over-budget", "never"]),
        max_run_usd=_MONEY,
        hourly_usd=_MONEY,
        most_usd_per_lease=_MONEY,
        price_date=st.none() | st.dates(min_value=date(2023, 1, 1)),
    )
)
def test_properties_hold_all_of_it_exactly(exposed: Exposure) -> None:
    assert from_properties(to_properties(exposed)) == exposed


def _exposed(**changes: Any) -> Exposure:
    return replace(exposure(_file(UNPRICED)), **changes)


@pytest.mark.parametrize(
    ("approval", "limit", "gate", "run"),
    [
        ("always", None, "every run waits for approval", "what is approved"),
        ("always", 5.0, "every run waits for approval", "what is approved"),
        (
            "over-budget",
            1250.0,
            "a run above 1,250.00 USD, or without a known price, waits for approval",
            "1,250.00; more if it is approved",
        ),
        *(
            (approval, limit, "no run waits for approval because of its price", "unknown: no limit")
            for approval, limit in (("over-budget", None), ("never", None), ("never", 5.0))
        ),
    ],
)
def test_what_a_run_may_cost_is_said_as_its_gate_is(
    approval: str, limit: float | None, gate: str, run: str
) -> None:
    exposed = _exposed(approval=approval, max_run_usd=limit)
    assert (gate_in_words(exposed), run_in_words(exposed)) == (gate, run)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": "none"}, "not served"),
        ({"mode": "on-demand", "on_delete": "retain"}, "on demand, billed by call"),
        ({"lease_hours": 8}, "1 model unit, lease of 8 h"),
        ({"lease_hours": None, "model_units": 2}, "2 model units, without an end"),
        (
            {"lease_hours": None, "commitment": "OneMonth", "on_delete": "retain"},
            "1 model unit, commitment OneMonth, kept when its stack is deleted",
        ),
    ],
)
def test_how_a_model_is_served_and_what_ends_its_billing_is_said(
    changes: dict[str, Any], words: str
) -> None:
    assert serving_in_words(_exposed(**{"mode": "provisioned", **changes})) == words
