"""Time and price of a run: in the estimate, in every form of the report, never invented."""

import json
from pathlib import Path

import pytest

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.config.customization import load, load_all
from bedrock_tuning.report.html import to_html
from bedrock_tuning.report.report import Report
from bedrock_tuning.run.cost import estimate, training_time
from tests.report.test_report import good_partial, good_report
from tests.support.examples import check, scope_of

SHIPPED = load_all(Path(__file__).parents[2] / "customizations")
COHERE = """
description = "x"
base_model = "cohere-command"
allow_closed_model = true
[hyperparameters]
epochCount = 2
[serving]
mode = "none"
"""


def test_a_sample_that_somebody_published_is_named_as_such() -> None:
    told = training_time(catalogue()["titan-image-generator-v1"])
    assert told == (
        "unknown for this dataset; 5 h in an AWS sample (about; one sample of 60 images and "
        "8,000 steps; source SMP-TIG). More data or more steps take longer"
    )


@pytest.mark.parametrize("key", catalogue())
def test_a_time_that_nobody_published_is_unknown(key: str) -> None:
    model = catalogue()[key]
    assert training_time(model).startswith("unknown")
    assert ("no published" in training_time(model)) == (model.training_time.hours is None)


def test_the_estimate_that_a_person_approves_tells_the_time_before_the_total() -> None:
    lines = str(estimate(customization=SHIPPED["pets-search"])).splitlines()
    assert lines[-2].startswith("training time: unknown: no published training time")
    assert lines[-1].startswith("at least, without training")


def priced_report() -> Report:
    """A report on a dataset for a customization."""
    return conclude(good_partial(), SHIPPED["pets-search"])


def test_every_form_of_the_report_tells_time_and_price() -> None:
    report = priced_report()
    assert json.loads(report.to_json())["price"]["total_usd"] == 1.95
    page = to_html(report)
    assert "no published training time for Titan Multimodal Embeddings G1" in page
    assert "At least 1.95 USD" in page


def test_a_model_alone_has_no_price() -> None:
    report = good_report()
    assert report.price is None
    assert "<dt>Price" not in to_html(report)


def test_tokens_are_counted_for_models_that_charge_by_them() -> None:
    row = json.dumps({"prompt": "p" * 600, "completion": "c" * 5_400}).encode() + b"\n"
    _, partial = check(row * 100, scope=scope_of("cohere-command"))
    assert partial.text_stats["training"].characters == 600_000
    report = conclude(partial, load(COHERE, file="customizations/a.toml"))
    assert report.price is not None
    # 2 epochs × 600,000 characters / 6 per token × 0.004 USD per 1,000 tokens.
    assert report.price.lines[0].startswith("training: 0.80 USD: 2 epochs × about 100,000 tokens")
