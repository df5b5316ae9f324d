"""The verdict: what is counted, what exceptions change, and what is known of no JSON Lines."""

import msgspec
import pytest

from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.result import CheckResult, merge
from bedrock_tuning.config.customization import load
from bedrock_tuning.config.customization_fields import RuleOverride
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.dataset.statistics import ImageStats, TextStats
from bedrock_tuning.report.report import Exemption, Report
from bedrock_tuning.rules.finding import Heard
from tests.support.examples import check, scope_of

GOOD = b'{"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"}\n'


def verdict(partial: CheckResult, *, job_region: str = "", **changes: RuleOverride) -> Report:
    scope = scope_of()
    overrides = {name.replace("_", "-"): override for name, override in changes.items()}
    requirements = ModelRequirements(
        base_model=scope.model, dataset=scope.contract, overrides=overrides
    )
    return conclude(partial, requirements, Heard(per_rule=7), job_region=job_region)


def two(training: bytes, validation: bytes) -> CheckResult:
    kinds = {"training": training, "validation": validation}
    return merge(check(data, scope=scope_of(kind=kind))[1] for kind, data in kinds.items())


def test_a_verdict_says_of_which_model_how_much_was_found_and_listed() -> None:
    partial = two(GOOD * 1_000 + b"\n[]\n", GOOD * 9 + b"\r\n" * 9)
    report = verdict(partial)

    assert (report.model, report.model_name) == (
        "titan-multimodal-embeddings-g1",
        "Titan Multimodal Embeddings G1",
    )
    assert (report.records, report.valid, report.price) == (1_010, False, None)
    assert (report.errors, report.warnings, report.infos) == (11, 2, 1)
    assert report.counts == {
        "blank-line": 10,
        "not-an-object": 1,
        "one-caption-for-all": 2,
        "windows-line-end": 1,
    }
    assert (report.findings_per_rule, report.listed) == (7, 7 + 1 + 2 + 1)
    assert report.exemptions == []
    assert report.contract == scope_of().contract
    assert report.text_stats == partial.text_stats
    assert report.training_time.startswith("unknown: no published training time")


def test_findings_stand_by_kind_and_line_those_of_the_whole_dataset_first() -> None:
    report = verdict(two(b"[]\n" + GOOD * 2 + b"{}\n", b"\n" + GOOD))
    places = [(each.kind, each.line, each.name) for each in report.findings]

    assert places == [
        ("training", None, "too-few-records"),
        ("training", None, "one-caption-for-all"),
        ("training", 1, "not-an-object"),
        ("training", 4, "missing-field"),
        ("training", 4, "missing-field"),
        ("validation", None, "too-few-records"),
        ("validation", 1, "blank-line"),
    ]


def test_exceptions_lower_errors_and_silence_warnings_and_say_how_often() -> None:
    report = verdict(
        two(GOOD * 1_000 + b"\n\n", GOOD * 8),
        blank_line=RuleOverride(severity="silent", reason="the exporter"),
        one_caption_for_all=RuleOverride(severity="silent", reason="one class"),
        caption_too_long=RuleOverride(severity="warning", reason="none so far"),
        no_such_rule=RuleOverride(severity="silent", reason="an older version"),
    )

    assert (report.valid, report.errors, report.warnings) == (True, 0, 2)
    assert report.counts == {"blank-line": 2}
    assert [(each.name, each.severity) for each in report.findings] == [
        ("blank-line", "warning"),
        ("blank-line", "warning"),
    ]
    assert report.exemptions == [
        Exemption(rule="blank-line", severity="warning", reason="the exporter", findings=2),
        Exemption(rule="caption-too-long", severity="warning", reason="none so far", findings=0),
        Exemption(rule="one-caption-for-all", severity="silent", reason="one class", findings=2),
    ]


def test_of_a_file_that_is_no_json_lines_nothing_else_is_said_of_the_dataset() -> None:
    report = verdict(two(b"[" + GOOD.strip() + b"]\n", GOOD * 2))

    assert report.counts == {"not-json-lines": 1}


def test_the_regions_of_the_buckets_are_compared_with_that_of_the_job() -> None:
    partial = CheckResult(text_stats={"training": TextStats(bucket_region="us-west-2")})

    assert "bucket-in-another-region" in verdict(partial, job_region="us-east-1").counts
    assert "bucket-in-another-region" not in verdict(partial, job_region="us-west-2").counts
    assert "bucket-in-another-region" not in verdict(partial).counts


def test_a_rule_of_the_dataset_adds_to_what_shards_counted_already() -> None:
    images = ImageStats(
        hashes=bytes(8) + b"\0\0\0\1" + bytes(4) + bytes(8) + b"\0\0\0\2" + bytes(4)
    )
    partial = CheckResult(counts={"D202": 3}, image_stats={"training": images})
    partial.text_stats["training"] = TextStats(records=1)

    assert verdict(partial).counts["duplicate-image"] == 4


def test_the_verdict_of_a_result_is_the_same_after_a_way_as_json() -> None:
    partial = two(GOOD * 3 + b"{}\n", GOOD)

    assert verdict(CheckResult.from_json(partial.to_json())) == verdict(partial)
    assert msgspec.json.decode(verdict(partial).to_json(), type=Report).counts


COHERE = """
description = "x"
base_model = "cohere-command"
allow_closed_model = true
[hyperparameters]
epochCount = 2
"""


def test_a_verdict_for_a_customization_has_the_price_of_its_training_manifest() -> None:
    customization = load(COHERE, file="customizations/pets.toml")
    pair = b'{"prompt": "%s", "completion": "y"}\n' % (b"word " * 400)
    kinds = {"training": pair * 90, "validation": pair * 9}
    model = "cohere-command"
    partial = merge(
        check(data, scope=scope_of(model, kind=kind))[1]  # type: ignore[arg-type]
        for kind, data in kinds.items()
    )
    price = conclude(partial, customization).price

    assert partial.text_stats["training"].characters == 90 * 2_001
    assert price is not None
    assert price.lines[0].startswith("training: 0.24 USD: 2 epochs × about 30,015 tokens")
    assert (round(price.total_usd, 2), price.known) == (2.19, True)


def test_a_manifest_that_was_checked_twice_is_refused_and_its_shards_of_images_are_not() -> None:
    images = CheckResult(image_stats={"training": ImageStats(checked=2, fingerprint="ff")})
    whole = merge([images, images])

    assert (whole.images("training"), whole.image_stats["training"].fingerprint) == (4, "1fe")
    with pytest.raises(ValueError, match="the training manifest was checked twice"):
        merge([two(GOOD, GOOD), check(GOOD)[1]])


def test_of_a_kind_that_was_not_checked_there_is_nothing() -> None:
    nothing = CheckResult()

    assert (nothing.records("training"), nothing.images("training")) == (0, 0)
    assert nothing.fingerprint("validation") == ":0"


def test_findings_of_shards_are_joined_in_their_order_up_to_a_hundred() -> None:
    shards = [check(b"[]\n" * 60 + line)[1].findings["L107"] for line in (b"", b"1\n")]
    whole = merge(CheckResult(counts={"L107": 60}, findings={"L107": each}) for each in shards)

    assert whole.counts == {"L107": 120}
    assert [each.line for each in whole.findings["L107"]] == [
        *(line for line in range(1, 51) for _ in range(2))
    ]
