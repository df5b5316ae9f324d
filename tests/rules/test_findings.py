"""Findings: exact counts, a bounded list, and words that say what is wrong where."""

import io
import json
from collections import Counter

import pytest

from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.manifest import ManifestCheck
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.dataset.json_lines import Line
from bedrock_tuning.dataset.record_formats import shape_for
from bedrock_tuning.rules import RULES, Rule
from bedrock_tuning.rules.finding import KEPT_PER_RULE, Finding, FindingsFile, Heard
from bedrock_tuning.rules.media import _FORMATS
from tests.support.examples import check, item_of, scope_of

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
    for finding in [*result.findings["L103"], *result.findings["R102"]]:
        file.add(finding)
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
