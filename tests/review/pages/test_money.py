"""Money in a review: what may be spent, what another synthesis changes, gates that open in red."""

import json
from collections.abc import Callable, Mapping

import pytest

from bedrock_tuning.review.assembly import template
from bedrock_tuning.review.iam import access
from bedrock_tuning.review.pages.change import Change
from bedrock_tuning.review.pages.compare import changes_between
from bedrock_tuning.review.pages.money import HEAD, Money, MoneyChanges, money, money_changes
from tests.review.broken import Copy, Raw, Synthesized

STYLE = "pets-style/Throughput"


def _money(source: Synthesized, copy: Copy) -> Money:
    return money(template.resolve(copy.templates, regions=source.regions))


def _changed(dev: Synthesized, before: Mapping[str, str], after: Mapping[str, str]) -> MoneyChanges:
    """What a comparison says of pets-style with these properties before and after."""
    sides = []
    for values in (before, after):
        copy = dev.copy()
        if "budget" in values:
            budget = {"BudgetLimit": {"Amount": values["budget"], "Unit": "USD"}}
            copy.add("pets-style", "Budget", "AWS::Budgets::Budget", Budget=budget)
        copy.properties(STYLE).update({k: v for k, v in values.items() if k != "budget"})
        sides.append(_money(dev, copy))
    return money_changes(*sides)


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ({}, {"MaxRunUsd": "90000.00"}, "max_run_usd: 300.00 → 90,000.00"),
        ({}, {"MaxRunUsd": "none"}, "max_run_usd: 300.00 → none"),
        ({}, {"Approval": "never", "MaxRunUsd": "none"}, "approval: over-budget → never"),
        ({"Approval": "always"}, {}, "approval: always → over-budget"),
        ({}, {"LeaseHours": "720"}, "lease_hours: 4 → 720"),
        ({}, {"ModelUnits": "50"}, "model_units: 1 → 50"),
        ({}, {"Commitment": "SixMonths"}, "commitment: none → SixMonths"),
        (
            {"Commitment": "OneMonth"},
            {"Commitment": "SixMonths"},
            "commitment: OneMonth → SixMonths",
        ),
        ({}, {"OnDelete": "retain"}, "on_delete: delete → retain"),
        ({"Mode": "none"}, {}, "mode: none → provisioned"),
        ({"HourlyUsd": "21.00"}, {"HourlyUsd": "22.00"}, "USD/hour: 21.00 → 22.00"),
        ({"HourlyUsd": "21.00"}, {"HourlyUsd": "unknown"}, "USD/hour: 21.00 → unknown"),
        ({"budget": "400"}, {"budget": "4000"}, "monthly_usd: 400.00 → 4,000.00"),
        ({"budget": "400"}, {}, "monthly_usd: 400.00 → none"),
    ],
)
def test_a_gate_that_opens_is_loosened_and_one_that_closes_is_not(
    dev: Synthesized, before: Mapping[str, str], after: Mapping[str, str], what: str
) -> None:
    found = _changed(dev, before, after)
    assert what in [change.what for change in found.changes if change.loosened]
    back = _changed(dev, after, before)
    assert not [change for change in back.changes if change.loosened]


def test_a_limit_that_goes_because_every_run_now_waits_is_not_loosened(dev: Synthesized) -> None:
    found = _changed(dev, {}, {"Approval": "always", "MaxRunUsd": "none"})
    assert found.changes
    assert found.loosened == 0


def test_the_total_shows_its_change_and_an_unknown_price_is_never_nothing(dev: Synthesized) -> None:
    known = {"HourlyUsd": "21.00", "MostUsdPerLease": "84.00"}
    dearer = {"HourlyUsd": "1050.00", "MostUsdPerLease": "756000.00"}
    hour, lease = _changed(dev, known, dearer).totals
    # The price of pets-search is not known.
    assert hour.after == "at least 1,050.00 USD, and unknown for pets-search"
    assert hour.change == "+1,029.00 USD besides what is unknown"
    assert lease.change == "+755,916.00 USD besides what is unknown"
    unknown = _changed(dev, known, {"HourlyUsd": "unknown"}).totals[0]
    assert unknown.after == "unknown for pets-search, pets-style"
    assert unknown.change == "unknown"


def _row(source: Synthesized, **values: str) -> dict[str, str]:
    """What the table of money says of pets-style with these properties."""
    copy = source.copy()
    copy.properties(STYLE).update(values)
    (row,) = [row for row in _money(source, copy).rows() if row[0] == "pets-style"]
    return dict(zip(HEAD, row, strict=True))


@pytest.mark.parametrize(
    ("values", "run"),
    [
        ({}, "300.00; more if it is approved"),
        ({"Approval": "always"}, "what is approved"),
        ({"Approval": "never"}, "unknown: no limit"),
        ({"MaxRunUsd": "none"}, "unknown: no limit"),
    ],
)
def test_the_table_says_what_one_run_may_cost(
    dev: Synthesized, values: dict[str, str], run: str
) -> None:
    assert _row(dev, **values)["USD/run"] == run


def test_the_table_shows_the_monthly_budget_or_that_there_is_none(
    dev: Synthesized, synthesized: Callable[[str], Synthesized]
) -> None:
    assert _row(dev)["monthly budget"] == "none"
    assert _row(synthesized("yours"))["monthly budget"] == "400.00"


def test_templates_that_say_nothing_of_money_are_unknown(dev: Synthesized) -> None:
    copy = dev.copy()
    del copy.properties(STYLE)["MaxRunUsd"]
    found = _money(dev, copy)
    assert found.unreadable == ("pets-style",)
    (line,) = money_changes(_money(dev, dev.copy()), found).changes
    assert (line.customization, line.what, line.loosened) == ("pets-style", "now unknown", True)
    (line,) = money_changes(found, _money(dev, dev.copy())).changes
    assert "do not say" in line.what
    assert "pets-style" in str(found.totals()[0][1])


def _both(dev: Synthesized, before: Copy, after: Copy) -> list[Change]:
    sides = (
        access.build(template.resolve(each.templates, regions=dev.regions))
        for each in (before, after)
    )
    return changes_between(*sides)


@pytest.fixture
def fewer(dev: Synthesized) -> Synthesized:
    """The same environment before pets-style was added."""
    return Synthesized.of(
        dev, {name: raw for name, raw in dev.unchanged.items() if not name.endswith("-style")}
    )


def test_a_new_customization_is_one_line_of_changes_and_one_of_money(
    dev: Synthesized, fewer: Synthesized
) -> None:
    (change,) = _both(dev, fewer.copy(), dev.copy())
    assert (change.kind, change.where, change.grave) == ("added", "pets-style", False)
    (line,) = money_changes(_money(dev, fewer.copy()), _money(dev, dev.copy())).changes
    assert line.what.startswith(
        "a new customization: a run above 300.00 USD, or without a known price, waits for "
        "approval; "
    )
    assert not line.loosened


def _wider(copy: Copy) -> None:
    copy.policy("pets-style/BedrockRole")[0]["Resource"] = "*"


def _another_trust(copy: Copy) -> None:
    copy.trust("pets-style/BedrockRole")["Principal"] = {"Service": "ec2.amazonaws.com"}


def _a_bucket(copy: Copy) -> None:
    copy.add("pets-style", "Extra", "AWS::S3::Bucket")


def _another_provider(copy: Copy) -> None:
    copy.properties(STYLE)["ServiceToken"] = "arn:aws:lambda:us-east-1:999999999999:function:x"


def _every_model(copy: Copy) -> None:
    text = json.dumps(copy.resource("pets-style/Starter"))
    found: Raw = json.loads(text.replace("foundation-model/amazon", "foundation-model/*"))
    copy.resource("pets-style/Starter").update(found)


@pytest.mark.parametrize(
    "change", [_wider, _another_trust, _a_bucket, _another_provider, _every_model]
)
def test_a_new_customization_that_is_not_like_the_others_is_told_in_full(
    dev: Synthesized, fewer: Synthesized, change: Callable[[Copy], None]
) -> None:
    copy = dev.copy()
    change(copy)
    assert len(_both(dev, fewer.copy(), copy)) > 10


def test_a_customization_that_goes_is_one_line(dev: Synthesized, fewer: Synthesized) -> None:
    (change,) = _both(dev, dev.copy(), fewer.copy())
    assert (change.kind, change.where, change.grave) == ("removed", "pets-style", False)
    assert "stays until it is retired" in change.what
    (line,) = money_changes(_money(dev, dev.copy()), _money(dev, fewer.copy())).changes
    assert line.what.startswith("removed")


def test_settings_are_compared_one_by_one_and_money_is_not_told_twice(dev: Synthesized) -> None:
    copy = dev.copy()
    value = copy.properties("pets-style/Settings")["Value"]["Fn::Sub"]
    value[0] = value[0].replace('"8"', '"16"').replace("300.0", "9000.0")
    copy.properties(STYLE)["MaxRunUsd"] = "9000.00"
    (change,) = _both(dev, dev.copy(), copy)
    assert (change.kind, change.what) == ("changed", "Value.hyperparameters.batchSize: 8 → 16")
