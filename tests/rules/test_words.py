"""What every rule says: to the letter, of examples of each branch; and that no model breaks it."""

import json
from typing import Any

import pytest

from bedrock_tuning.dataset.dataset import Dataset
from bedrock_tuning.dataset.images.image import Image
from bedrock_tuning.dataset.json_lines import parse
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.rules import RULES, Rule
from tests.checking.test_boundaries import EVERY
from tests.rules.words import WORDS, declared, written
from tests.support.accepted import lines_of, on_one_python
from tests.support.examples import dataset_of, item_of, scope_of


@pytest.mark.slow
@on_one_python
def test_what_the_rules_say_is_what_was_read_and_accepted() -> None:
    """After a change: `python -m tests.rules.words`, then read the diff."""
    accepted = lines_of(WORDS)
    assert written(declared(accepted)).splitlines() == accepted


def _made(rule: Rule, example: str | bytes, model: str) -> Any:
    """What a rule checks, made of an example, as an item of another model's dataset."""
    if rule.item is Record:
        value = parse(example.encode() if isinstance(example, str) else example).value
        return Record(line=1, value=value, scope=scope_of(model))
    if rule.item is Dataset:
        return dataset_of(model, json.loads(example))
    return item_of(rule, example)


@pytest.mark.slow
@pytest.mark.parametrize("model", EVERY)
def test_no_limit_that_a_model_lacks_breaks_a_rule(model: str) -> None:
    scope = scope_of(model)
    for rule in RULES:
        if rule.item in (Record, Image, Dataset) and len(rule.bad) < 10_000:
            for example in (rule.bad, rule.good):
                assert all(
                    fault.message for fault in rule.check(_made(rule, example, model), scope)
                )
