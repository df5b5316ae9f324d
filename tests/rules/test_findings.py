"""Findings: exact counts, a bounded list, and words that say what is wrong where."""

import io
import json
from collections import Counter

import pytest

from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.manifest import ManifestCheck
from bedrock_tuning.config.customization_fields import RuleOverride
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.dataset.json_lines import Line
from bedrock_tuning.dataset.record_formats import shape_for
from bedrock_tuning.rules import RULES, Rule, find_rule
from bedrock_tuning.rules.finding import (
    KEPT_PER_RULE,
    Finding,
    Findings,
    FindingsFile,
    Heard,
    effective,
    finding,
    order,
    overridden,
    shorten,
)
from bedrock_tuning.rules.media import _FORMATS
from bedrock_tuning.rules.rule import Fault, Severity
from tests.support.examples import check, dataset_of, item_of, scope_of

BAD = [pytest.param(rule, id=rule.name) for rule in RULES]
# What is wrong is the whole line, or that something is absent: there is no value to show.
WITHOUT_VALUE = {"not-utf8", "blank-line", "nested-too-deep", "nul-character", "lone-surrogate"}
# Their message says it all: nothing else would be right.
WITHOUT_LIMIT = {rule.name for rule in RULES if rule.id[0] in "LIX"} | {
    *("missing-field", "duplicate-record", "duplicate-image", "image-in-both-manifests"),
    "record-in-both-manifests",
}


@pytest.mark.parametrize("rule", BAD)
def test_the_words_of_a_finding_are_in_their_places(rule: Rule) -> None:
    scope = scope_of(rule.model)
    for fault in rule.check(item_of(rule, rule.bad), scope):
        words = (fault.message, fault.field, fault.value, fault.limit)
        assert not any("None" in each for each in words)
        assert fault.message not in words[1:]
        assert " " in fault.message
        assert " " not in fault.field or rule.item is Line
        assert fault.value or rule.name in WITHOUT_VALUE | {"missing-field"}
        assert fault.limit or rule.name in WITHOUT_LIMIT


@pytest.mark.parametrize("rule", [r for r in RULES if r.id[0] == "R"], ids=lambda r: r.name)
def test_a_finding_names_a_field_of_the_record_or_of_its_format(rule: Rule) -> None:
    scope = scope_of(rule.model)
    shape = shape_for(scope.contract)
    record = item_of(rule, rule.bad)
    for fault in rule.check(record, scope):
        root = fault.field.partition(".")[0].partition("[")[0]
        assert root in {"", *shape.required, *shape.optional, *record.value}


def test_findings_are_listed_up_to_the_bound_and_counted_exactly() -> None:
    heard: list[Finding] = []
    running = ManifestCheck(scope_of(), Heard(heard.append, per_rule=300))
    running.feed(b"{}\n" * 5_000 + b"\n" * 200)
    _, result = running.finish()
    assert result.counts == {"L103": 200, "R102": 10_000}
    assert Counter(finding.rule for finding in heard) == {"L103": 200, "R102": 300}
    assert [len(kept) for kept in result.findings.values()] == [KEPT_PER_RULE] * 2
    scope = scope_of()
    requirements = ModelRequirements(base_model=scope.model, dataset=scope.contract)
    report = conclude(result, requirements, Heard(per_rule=300))
    others = sum(report.counts.values()) - 10_200
    assert report.listed == 500 + others


def test_a_file_of_findings_takes_the_first_of_each_rule_from_any_check() -> None:
    _, result = check(b"{}\n" * 30 + b"\n" * 30)
    first, second = io.BytesIO(), io.BytesIO()
    file = FindingsFile(first, per_rule=40)
    for each in [*result.findings["L103"], *result.findings["R102"]]:
        file.add(each)
    first.seek(0)
    whole = FindingsFile(second, per_rule=35)
    whole.copy(first)
    first.seek(0)
    whole.copy(first)
    rules = [json.loads(line)["rule"] for line in second.getvalue().splitlines()]
    assert Counter(rules) == {"L103": 35, "R102": 35}


@pytest.mark.parametrize("ending", _FORMATS)
def test_every_file_name_extension_is_compared_with_the_stated_format(ending: str) -> None:
    format = _FORMATS[ending]
    kind = "image" if format in ("png", "jpeg", "gif", "webp") else "video"

    def counts(stated: str) -> dict[str, int]:
        source = {"s3Location": {"uri": f"s3://bucket/folder/1.{ending}"}}
        content = [{"text": "what is this"}, {kind: {"format": stated, "source": source}}]
        turns = [
            {"role": "user", "content": content},
            {"role": "assistant", "content": [{"text": "a dog"}]},
        ]
        record = {"schemaVersion": "bedrock-conversation-2024", "messages": turns}
        return check(json.dumps(record).encode(), scope=scope_of("nova-lite"))[1].counts

    other = {"image": ("png", "jpeg"), "video": ("mp4", "mov")}[kind]
    assert "R507" not in counts(format)
    assert counts(next(each for each in other if each != format))["R507"] == 1


BLANK, CRLF, COPY = (find_rule(name) for name in ("blank-line", "windows-line-end", "D201"))


def test_a_finding_is_one_readable_line_of_each_part() -> None:
    long, key = "0123456789" * 60, "k" * 1_025
    made = finding(BLANK, Fault(long, long, "a\tb\nc", long), kind="training", line=3, key=key)

    assert (made.rule, made.name, made.severity) == ("L103", "blank-line", "error")
    assert (made.kind, made.line, made.fix) == ("training", 3, BLANK.fix)
    assert made.message == f"{long[:200]}…{long[-134:]}"
    assert made.field == made.limit == f"{long[:60]}…{long[-40:]}"
    assert made.value == "a\\tb\\nc"
    assert made.key == f"{'k' * 60}…{'k' * 40}"
    assert finding(BLANK, Fault("x"), kind="training", line=3, key=key[1:]).key == key[1:]
    assert shorten("x" * 120) == "x" * 120
    assert shorten("x" * 121) == f"{'x' * 60}…{'x' * 40}"


def test_a_fault_of_the_whole_dataset_says_its_own_place() -> None:
    made = finding(COPY, Fault("x", line=0, kind="validation"), kind="dataset", line=7)

    assert (made.kind, made.line) == ("validation", 0)


SILENT, LOWER = (RuleOverride(severity=each, reason="-") for each in ("silent", "warning"))


@pytest.mark.parametrize(
    ("severity", "override", "expected"),
    [
        (Severity.ERROR, None, Severity.ERROR),
        (Severity.ERROR, LOWER, Severity.WARNING),
        (Severity.ERROR, SILENT, Severity.WARNING),
        (Severity.WARNING, LOWER, Severity.WARNING),
        (Severity.WARNING, SILENT, None),
        (Severity.INFO, LOWER, Severity.INFO),
        (Severity.INFO, SILENT, None),
    ],
)
def test_an_exception_lowers_and_never_raises_and_no_error_is_silenced(
    severity: Severity, override: RuleOverride | None, expected: Severity | None
) -> None:
    assert effective(severity, override) == expected
    rules = {Severity.ERROR: BLANK, Severity.WARNING: COPY, Severity.INFO: CRLF}
    made = finding(rules[severity], Fault("x"), kind="training", line=1)
    overrides = {made.name: override} if override is not None else {}
    shown = overridden(made, overrides)
    assert (None if shown is None else shown.severity) == expected
    assert shown is None or shown.message == "x"


def test_findings_are_ordered_by_kind_line_field_and_words() -> None:
    def made(kind: str = "training", line: int | None = 1, **words: str) -> Finding:
        fault = Fault(**{"message": "m", **words})
        return finding(BLANK, fault, kind=kind, line=line)

    expected = [
        made(line=None),
        made(),
        made(value="a"),
        made(message="n"),
        made(field="f"),
        made(line=2),
        made(kind="validation", line=None),
    ]
    backwards = [*reversed(expected)]
    assert sorted(backwards, key=order) == expected


def collected(
    lines: list[int], *, heard: Heard | None = None, **overrides: RuleOverride
) -> Findings:
    found = Findings(overrides, heard or Heard())
    for line in lines:
        found.add(BLANK, Fault("x"), kind="training", line=line)
    return found


def test_the_first_hundred_findings_are_kept_in_whatever_order_they_come() -> None:
    lines = [*range(1, 1_001)]
    for order_of_lines in (lines, lines[::-1], lines[500:] + lines[:500]):
        found = collected(order_of_lines)
        assert found.counts == {"L103": 1_000}
        assert [each.line for each in found.kept()["L103"]] == lines[:100]
        # No more than twice as many are ever held.
        assert len(found._kept["L103"]) < 2 * KEPT_PER_RULE


def test_a_rule_is_settled_when_later_findings_are_neither_kept_nor_listed() -> None:
    for count, per_rule, settled in (
        *((199, 1, False), (200, 1, True), (200, 200, True), (200, 201, False), (0, 1, False)),
    ):
        found = collected([*range(1, count + 1)], heard=Heard(per_rule=per_rule))
        assert found.is_settled("L103") == settled, (count, per_rule)
    settled_one = collected([*range(200)], heard=Heard(per_rule=1))
    settled_one.count("L103", 5)
    assert settled_one.counts == {"L103": 205}


def test_who_listens_hears_the_first_of_each_rule_and_every_line_with_an_error() -> None:
    told: list[tuple[str, str, int | None]] = []
    marked: list[tuple[str, int]] = []
    heard = Heard(
        lambda each: told.append((each.name, each.severity, each.line)),
        lambda kind, line: marked.append((kind, line)),
        per_rule=2,
    )
    found = Findings({"duplicate-record": SILENT, "not-utf8": LOWER}, heard)
    for rule in (BLANK, CRLF, COPY, find_rule("not-utf8")):
        for line in (3, 4, None, 5):
            found.add(rule, Fault("x"), kind="training", line=line)
    found.add(BLANK, Fault("x", line=9, kind="validation"), kind="training", line=1)

    assert told == [
        ("blank-line", "error", 3),
        ("blank-line", "error", 4),
        ("windows-line-end", "info", 3),
        ("windows-line-end", "info", 4),
        ("not-utf8", "warning", 3),
        ("not-utf8", "warning", 4),
    ]
    assert marked == [("training", 3), ("training", 4), ("training", 5), ("validation", 9)]
    assert found.counts == {"L103": 5, "L111": 4, "D201": 4, "L102": 4}


@pytest.mark.parametrize(
    ("model", "records", "limit"),
    [
        ("claude-3-haiku", 10_001, "at most 10,000"),
        ("llama-3-1-8b", 10_001, "100 to 10,000"),
    ],
)
def test_a_limit_without_a_minimum_is_told_as_a_maximum(
    model: str, records: int, limit: str
) -> None:
    found = find_rule("too-many-records-in-total")
    dataset = dataset_of(model, {"training": {"records": records}})
    assert [fault.limit for fault in found.check(dataset, None)] == [limit]
