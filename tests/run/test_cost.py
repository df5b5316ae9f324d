"""The price of a run: what is known adds up, what is unknown is never zero."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.config.customization import CustomizationSettings, load, load_all
from bedrock_tuning.config.customization_fields import Budget
from bedrock_tuning.run.cost import (
    CostLine,
    Estimate,
    approval_in_words,
    estimate,
    may_wait,
    needs_approval,
)

SHIPPED = load_all(Path(__file__).parents[2] / "customizations")
STYLE = """
description = "x"
base_model = "titan-image-generator-v2"
allow_closed_model = true
[hyperparameters]
"""
COHERE = """
description = "x"
base_model = "cohere-command"
allow_closed_model = true
[hyperparameters]
epochCount = 2
"""


def _load(text: str) -> CustomizationSettings:
    return load(text, file="customizations/pets.toml")


def test_the_60_pictures_of_source_document_002_cost_200_dollars_to_train() -> None:
    run = estimate(customization=SHIPPED["pets-style"], training_records=60)

    assert [(line.label, line.usd) for line in run.lines] == [
        ("training", 200.0),
        ("storage for a month", 1.95),
        ("Provisioned Throughput for a lease of 4 h", 84.0),
    ]
    assert run.known
    assert run.total_usd == 285.95
    assert run.price_date == date(2025, 2, 28)
    assert "5,000 steps × batch 8 × 0.005" in str(run)
    assert str(run).splitlines()[-1].startswith("total: 285.95 USD, prices of 2025-02-28")


def test_an_estimate_says_each_price_with_its_calculation_and_its_source() -> None:
    run = estimate(customization=SHIPPED["pets-style"], training_records=3)

    seen = "seen 2025-02-28"
    assert str(run).splitlines() == [
        "training: 200.00 USD (or 75.00 USD): 5,000 steps × batch 8 × 0.005, or × 3 images in "
        f"place of the batch; sources PRICE-KO, UG-img, {seen}",
        f"storage for a month: 1.95 USD: for one custom model; sources PRICE-KO, SMP-TIG, {seen}",
        "Provisioned Throughput for a lease of 4 h: 84.00 USD: 1 model unit × 4 h × 21.0; source "
        f"PRICE-KO, {seen}",
        f"training time: {run.training_time}",
        "total: 285.95 USD, prices of 2025-02-28 or later",
    ]
    assert [str(rate).partition(" USD: ")[2].partition(";")[0] for rate in run.rates] == [
        "1 model unit × 1 h × 21.0",
        "1 model unit × 24 h × 21.0",
        "1 model unit × 720 h × 21.0",
    ]
    assert [rate.label.rpartition(" ")[2] for rate in run.rates] == ["hour", "day", "month"]


def test_the_date_of_an_estimate_is_that_of_its_oldest_price() -> None:
    dates = (date(2026, 1, 1), None, date(2025, 1, 1), date(2026, 2, 1))
    lines = tuple(CostLine(label="x", usd=1.0, how="y", seen=seen) for seen in dates)

    run = Estimate(lines=lines, rates=(), training_time="")

    assert run.price_date == date(2025, 1, 1)
    assert run.total_usd == 4.0
    assert Estimate(lines=lines[1:2], rates=(), training_time="").price_date is None


def test_several_units_of_a_commitment_are_worded_and_counted() -> None:
    serving = '[serving]\nmode = "provisioned"\nmodel_units = 2\ncommitment = "SixMonths"\n'

    run = estimate(customization=_load(COHERE + serving), training_characters=6_000_000)

    assert "2 epochs × about 1,000,000 tokens × 0.004 per 1,000" in run.lines[0].how
    assert run.lines[-1].label == "Provisioned Throughput for a commitment of 6 months"
    assert run.lines[-1].how == "2 model units × 4,320 h × 23.77"
    assert [rate.how for rate in run.rates][1] == "2 model units × 24 h × 23.77"


def test_a_price_that_nobody_published_is_unknown_and_not_zero() -> None:
    run = estimate(customization=SHIPPED["pets-search"], training_records=1_000)

    assert not run.known
    assert run.unknown == ("training", "Provisioned Throughput for a lease of 8 h")
    assert [line.usd for line in run.lines] == [None, 1.95, None]
    assert "training: unknown" in str(run)
    assert "at least, without training and Provisioned Throughput for a lease of 8 h" in str(run)
    assert all(rate.usd is None for rate in run.rates)


def test_the_worked_example_of_the_price_list_comes_out() -> None:
    leased = STYLE + 'stepCount = 500\nbatchSize = 64\n[serving]\nmode = "provisioned"\n'

    run = estimate(customization=_load(leased + "lease_hours = 1"), training_records=1_000)

    assert run.total_usd == 182.95


def test_fewer_images_than_a_batch_show_both_published_formulas_and_count_the_upper() -> None:
    style = _load(STYLE + "stepCount = 1000\nbatchSize = 64")

    few = estimate(customization=style, training_records=20).lines[0]
    enough = estimate(customization=style, training_records=64).lines[0]

    assert (few.usd, few.low_usd) == (320.0, 100.0)
    assert "320.00 USD (or 100.00 USD)" in str(few)
    assert (enough.usd, enough.low_usd) == (320.0, None)


def test_steps_that_bedrock_chooses_have_a_range_but_no_price() -> None:
    run = estimate(customization=_load(STYLE + 'stepCount = "auto"'), training_records=100)

    assert run.lines[0].usd is None
    assert "usually 1,000 to 8,000: 40.00 to 320.00 USD" in run.lines[0].how


def test_a_model_that_charges_by_token_needs_the_characters() -> None:
    known = estimate(customization=_load(COHERE), training_characters=6_000_000)
    unknown = estimate(customization=_load(COHERE))

    # 2 epochs × 1,000,000 tokens at 6 characters × 0.004 per 1,000
    assert known.lines[0].usd == 8.0
    assert unknown.lines[0].usd is None


def test_throughput_left_on_is_shown_per_hour_day_and_month() -> None:
    rates = estimate(customization=SHIPPED["pets-style"]).rates

    assert [rate.usd for rate in rates] == [21.0, 504.0, 15_120.0]


@pytest.mark.parametrize(
    ("term", "usd"), [("OneMonth", 2 * 39.6 * 720), ("SixMonths", 2 * 23.77 * 6 * 720)]
)
def test_a_commitment_is_counted_for_its_whole_term(term: str, usd: float) -> None:
    serving = f'[serving]\nmode = "provisioned"\nmodel_units = 2\ncommitment = "{term}"\n'

    line = estimate(customization=_load(COHERE + serving), training_characters=1).lines[-1]

    assert line.usd == round(usd, 2)


def test_a_base_models_commitment_price_is_not_taken_for_a_custom_models() -> None:
    serving = 'stepCount = 500\n[serving]\nmode = "provisioned"\ncommitment = "OneMonth"\n'

    assert estimate(customization=_load(STYLE + serving)).lines[-1].usd is None


def _with_budget(customization: CustomizationSettings, budget: str) -> CustomizationSettings:
    return replace(customization, budget=_load(COHERE + f"[budget]\n{budget}").budget)


def test_a_run_within_its_budget_needs_nobody() -> None:
    style = SHIPPED["pets-style"]
    run = estimate(customization=style)

    assert needs_approval(customization=style, estimate=run) is None
    assert approval_in_words(style, run) == "not needed: the price is within the budget"


def test_a_run_over_its_budget_waits_and_says_both_amounts() -> None:
    style = _with_budget(SHIPPED["pets-style"], "max_run_usd = 285.94")

    reason = needs_approval(customization=style, estimate=estimate(customization=style))

    assert reason == "the run costs 285.95 USD, the budget is 285.94 USD: 0.01 USD too much"


def test_without_an_amount_every_price_is_over_the_budget() -> None:
    style = SHIPPED["pets-style"]
    without = replace(style, budget=Budget(approval="over-budget", max_run_usd=None))
    reason = needs_approval(customization=without, estimate=estimate(customization=without))
    assert reason == "the run costs 285.95 USD, the budget is 0.00 USD: 285.95 USD too much"


def test_a_run_of_unknown_price_waits_whatever_the_budget() -> None:
    search = _with_budget(SHIPPED["pets-search"], "max_run_usd = 1000000")

    reason = needs_approval(customization=search, estimate=estimate(customization=search))

    assert reason is not None
    assert "no price is known for training" in reason


def test_the_known_part_alone_can_exceed_the_budget() -> None:
    search = _with_budget(SHIPPED["pets-search"], "max_run_usd = 1.0")

    reason = needs_approval(customization=search, estimate=estimate(customization=search))

    assert reason == "the run costs at least 1.95 USD, the budget is 1.00 USD: 0.95 USD too much"


def test_approval_is_asked_always_or_never_when_the_file_says_so() -> None:
    search = SHIPPED["pets-search"]
    run = estimate(customization=search)
    always = _with_budget(search, 'approval = "always"')
    never = _with_budget(search, 'approval = "never"')

    reason = needs_approval(customization=always, estimate=run)
    assert reason == "pets-search requires approval of every run"
    assert needs_approval(customization=never, estimate=run) is None
    assert approval_in_words(always, run) == reason
    assert approval_in_words(never, run) == 'not needed at any price: [budget] approval is "never"'


@given(st.integers(10, 40_000), st.integers(1, 24), st.integers(1, 10_000))
def test_training_never_costs_more_than_steps_times_batch_and_never_nothing(
    steps: int, batches: int, images: int
) -> None:
    style = _load(STYLE + f"stepCount = {steps}\nbatchSize = {8 * batches}")

    line = estimate(customization=style, training_records=images).lines[0]

    assert line.usd == round(steps * 8 * batches * 0.005, 2)
    assert line.low_usd is None or 0 < line.low_usd < line.usd


@pytest.mark.parametrize(
    ("model", "job"),
    [
        ("nova-micro", 'customization_type = "DISTILLATION"\nteacher = "amazon.nova-pro-v1:0"'),
        (
            "nova-2-lite",
            'customization_type = "REINFORCEMENT_FINE_TUNING"\n'
            'grader = "arn:aws:lambda:us-east-1:444455556666:function:reward"',
        ),
    ],
)
def test_what_a_teacher_or_a_grader_costs_is_unknown_and_a_person_is_asked(
    model: str, job: str
) -> None:
    tuned = _load(f'description = "x"\nbase_model = "{model}"\n{job}\n[budget]\nmax_run_usd = 1e6')
    run = estimate(customization=tuned, training_records=200, training_characters=10_000)

    training = run.lines[0]
    assert training.usd is None
    assert "no published price for" in training.how
    reason = needs_approval(customization=tuned, estimate=run)
    assert reason is not None
    assert "no price is known for training" in reason


def test_another_round_costs_what_its_base_model_does() -> None:
    head = 'description = "x"\nbase_model = "nova-micro"\n'
    models = "arn:aws:bedrock:us-east-1:444455556666:custom-model"
    arn = f"{models}/amazon.nova-micro-v1:0:128k/abcdefghijkl"
    first, again = _load(head), _load(f'{head}custom_model = "{arn}"\n')

    def price(each: CustomizationSettings) -> tuple[CostLine, ...]:
        return estimate(customization=each, training_characters=10_000).lines

    assert price(again) == price(first)


def test_a_run_may_wait_for_a_person_unless_its_budget_asks_nobody() -> None:
    style = SHIPPED["pets-style"]
    asks = {
        name: replace(style, budget=replace(style.budget, approval=approval))
        for name, approval in (("c", "always"), ("a", "over-budget"), ("b", "never"))
    }
    assert may_wait(asks) == ["a", "c"]
