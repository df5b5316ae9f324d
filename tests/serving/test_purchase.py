"""No purchase without a recorded price and approval: every way to one, in every situation."""

from dataclasses import replace
from typing import Any

import pytest

from bedrock_tuning.serving.intent import Intent, Published, ServingRequest, Terms, claim
from bedrock_tuning.serving.purchase import may_buy, may_renew

TERMS = Terms(
    mode="provisioned", units=1, commitment=None, lease_hours=8, base_model="titan-text-lite"
)
NOW, UNTIL = "2026-11-22T09:30:00Z", "2026-11-22T13:30:00Z"
ENDPOINT = "arn:an-endpoint"
NEVER = Intent(customization="pets")
SERVED = Intent(
    customization="pets",
    generation=3,
    version=7,
    on=True,
    owner="20261121-093000-aaaaaa",
    order="20261121-093000-aaaaaa",
    model_arn="arn:a-model",
    terms=TERMS,
    price="1.00 USD per hour",
    approval="approved before",
    published=Published(endpoint_arn=ENDPOINT, model_arn="arn:a-model", terms=TERMS),
)
LEASE_ENDED = SERVED.ended(why="its lease ended", by="KeepLeases", now=NOW)
PERSON_ENDED = SERVED.ended(why="a person ended it", by="somebody", now=NOW)
RETIRED = SERVED.ended(why="its stack was deleted", by="the deletion", now=NOW)
SITUATIONS = {
    "never served": NEVER,
    "served": SERVED,
    "lease ended": LEASE_ENDED,
    "a person ended it": PERSON_ENDED,
    "stack deleted and made again": RETIRED,
}
PRICED = {"price": "2.00 USD per hour", "approval": "within the budget"}


def _request(started_by: Any, *, terms: Terms = TERMS, **more: str) -> ServingRequest:
    names = {"run": "cccccc", "person": "serve-cccccc", "deployment": "deploy-cccccc"}
    run = f"20261122-093000-{names[started_by]}"
    model = {"model_arn": "arn:another", "model_run": run}
    return ServingRequest(run=run, order=run, started_by=started_by, terms=terms, **model, **more)


RUN, PERSON = _request("run", **PRICED), _request("person", **PRICED)
UNPRICED = [
    _request(who, **{name: value for name, value in PRICED.items() if name != missing})
    for who in ("run", "person")
    for missing in PRICED
]
# An upgrade deploys the same terms again.
UPGRADE = _request("deployment")
CHEAPER = _request("deployment", terms=replace(TERMS, lease_hours=4))
DEARER = _request("deployment", terms=replace(TERMS, units=2), price="4.00 USD per hour")
APPROVED = replace(DEARER, approval="approved by somebody")
OFF = {"never served", "lease ended", "a person ended it", "stack deleted and made again"}


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("asked", [RUN, PERSON], ids=["run", "serve"])
def test_a_run_and_a_person_buy_at_a_price_that_was_approved(
    asked: ServingRequest, situation: str
) -> None:
    verdict = may_buy(asked, SITUATIONS[situation], replaces=situation not in OFF)

    assert (verdict.answer, verdict.reason) == ("yes", PRICED["approval"])


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("asked", UNPRICED)
def test_without_a_price_or_an_approval_nothing_is_bought(
    asked: ServingRequest, situation: str
) -> None:
    verdict = may_buy(asked, SITUATIONS[situation], replaces=True)

    assert verdict.answer == "no"
    assert verdict.reason in ("no price is recorded", "no approval is recorded")


@pytest.mark.parametrize("situation", sorted(OFF))
@pytest.mark.parametrize("asked", [UPGRADE, CHEAPER, DEARER, APPROVED])
def test_what_is_off_stays_off_whatever_is_deployed(asked: ServingRequest, situation: str) -> None:
    verdict = may_buy(asked, SITUATIONS[situation], replaces=True)
    claimed = claim(SITUATIONS[situation], asked, now=NOW, until=UNTIL)

    assert (verdict.answer, claimed.intent) == ("no", None)
    assert "is not being served" in verdict.reason
    assert claimed.reason == verdict.reason


@pytest.mark.parametrize(
    ("asked", "answer"),
    [(UPGRADE, "yes"), (CHEAPER, "yes"), (DEARER, "ask"), (APPROVED, "yes")],
    ids=["upgrade", "cheaper", "dearer", "dearer and approved"],
)
def test_a_deployment_replaces_what_is_served_and_asks_if_that_is_dearer(
    asked: ServingRequest, answer: str
) -> None:
    assert may_buy(asked, SERVED, replaces=True).answer == answer
    # What somebody deleted by hand is not bought again.
    assert may_buy(asked, SERVED, replaces=False).answer == "no"


@pytest.mark.parametrize(
    "change",
    [
        {"units": 2},
        {"lease_hours": 9},
        {"commitment": "OneMonth", "lease_hours": None},
        {"base_model": "nova-micro"},
    ],
    ids=str,
)
def test_more_units_longer_leases_commitments_and_other_models_are_dearer(
    change: dict[str, Any],
) -> None:
    assert replace(TERMS, **change).dearer_than(TERMS)
    assert not TERMS.dearer_than(TERMS)


def test_by_request_is_never_dearer_and_by_the_hour_always_is() -> None:
    on_demand = replace(TERMS, mode="on-demand", lease_hours=None)

    assert not on_demand.dearer_than(TERMS)
    assert TERMS.dearer_than(on_demand)


@pytest.mark.parametrize("lost", [{"terms": None}, {"price": ""}, {"approval": ""}], ids=str)
def test_what_nobody_wrote_down_about_what_is_served_is_asked_for(lost: dict[str, Any]) -> None:
    assert may_buy(UPGRADE, replace(SERVED, **lost), replaces=True).answer == "ask"
    assert may_buy(APPROVED, replace(SERVED, **lost), replaces=True).answer == "yes"


def test_what_is_billed_by_request_needs_no_price_by_the_hour() -> None:
    asked = _request("deployment", terms=replace(TERMS, mode="on-demand", lease_hours=None))

    assert may_buy(asked, replace(SERVED, price="", approval=""), replaces=True).answer == "yes"


@pytest.mark.parametrize(
    ("asked", "anew"),
    [(RUN, True), (PERSON, True), (APPROVED, True), (UPGRADE, False), (CHEAPER, False)],
    ids=["run", "serve", "dearer and approved", "upgrade", "cheaper"],
)
def test_a_lease_begins_anew_only_at_a_price_that_was_approved_for_it(
    asked: ServingRequest, anew: bool
) -> None:
    assert may_renew(asked) == anew


def test_where_nothing_should_be_served_nothing_is_bought() -> None:
    nothing = _request("run", terms=replace(TERMS, mode="none"), **PRICED)

    assert may_buy(nothing, SERVED, replaces=True).answer == "no"
