"""The rule catalogue: examples are tests, ids and names are in order, nothing is undocumented."""

import json
import re
from dataclasses import replace

import pytest

from bedrock_tuning import rules
from bedrock_tuning.rules import BY_ID, BY_NAME, RULES, Rule, _example, find_rule, line
from bedrock_tuning.rules.rule import rule as define
from bedrock_tuning.rules.rule import run_rules
from tests.support.examples import FLAGSHIP, dataset_of, item_of, scope_of

ALL = [pytest.param(rule, id=f"{rule.id}-{rule.name}") for rule in RULES]


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_finds_its_bad_example(rule: Rule) -> None:
    faults = list(rule.check(item_of(rule, rule.bad), scope_of(rule.model)))
    assert faults
    assert all(fault.message for fault in faults)


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_leaves_its_good_example_alone(rule: Rule) -> None:
    assert list(rule.check(item_of(rule, rule.good), scope_of(rule.model))) == []


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_is_documented(rule: Rule) -> None:
    assert rule.summary.endswith(".")
    assert rule.fix.endswith(".")
    assert len(rule.summary) < 120


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_has_a_proper_id_and_name(rule: Rule) -> None:
    assert re.fullmatch(r"[LRIDHX]\d{3}", rule.id)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)


def test_the_examples_of_conversations_are_asked_by_a_user() -> None:
    turns = json.loads(_example.asked("more"))["messages"]
    assert [(turn["role"], turn["content"][0]["text"]) for turn in turns] == [
        ("user", "what is this"),
        ("assistant", "a dog"),
    ]


def test_ids_and_names_are_unique() -> None:
    assert len(BY_ID) == len(BY_NAME) == len(RULES)


def test_two_rules_with_one_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(BY_ID["L101"], name="another")
    monkeypatch.setattr(line, "another", other, raising=False)
    with pytest.raises(ValueError, match="have the same id, L101"):
        rules._discover()


def test_a_rule_is_found_by_id_and_by_name() -> None:
    assert find_rule("r201") is find_rule("caption-too-long")


def test_an_unknown_rule_is_answered_with_the_closest() -> None:
    with pytest.raises(KeyError, match="caption-too-long"):
        find_rule("caption-to-long")


def test_a_crashing_rule_becomes_a_finding_and_the_others_go_on() -> None:
    def broken(item, scope):
        yield from ()
        raise ZeroDivisionError("by design")

    real = find_rule("blank-line")
    crashing = Rule(**{**{f: getattr(real, f) for f in real.__slots__}, "check": broken})
    found = [rule.id for rule, _ in run_rules([crashing, real], item_of(real, ""), scope_of())]
    assert found == ["X001", "L103"]


@pytest.mark.parametrize(
    ("training", "validation", "job", "blamed"),
    [
        ("us-east-1", "us-east-1", "us-east-1", []),
        ("us-west-2", "us-west-2", "us-east-1", ["training", "validation"]),
        ("us-east-1", "us-west-2", "us-east-1", ["validation"]),
        ("us-west-2", "us-west-2", "eu-west-1", []),
        ("us-east-1", "us-west-2", "", ["validation"]),
        ("eu-west-1", "us-west-2", "", ["training"]),
        ("", "us-west-2", "", []),
        ("", "", "us-east-1", []),
    ],
)
def test_both_buckets_must_be_in_one_region_that_takes_jobs(
    training: str, validation: str, job: str, blamed: list[str]
) -> None:
    found = find_rule("bucket-in-another-region")
    dataset = dataset_of(
        FLAGSHIP,
        {
            "training": {"bucket_region": training},
            "validation": {"bucket_region": validation},
            "job_region": job,
        },
    )
    assert [fault.kind for fault in found.check(dataset, None)] == blamed


def test_a_rule_that_checks_what_nothing_gives_is_refused_at_once() -> None:
    def odd(item: str, scope: object) -> None:
        """A text is odd."""

    with pytest.raises(TypeError, match="odd: the first parameter must be one of WholeFile, Line"):
        define("X999", bad="", good="", fix="-")(odd)  # type: ignore[arg-type]
