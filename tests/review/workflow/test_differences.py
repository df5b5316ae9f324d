"""Two definitions are compared exactly, and each difference says where it is."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from bedrock_tuning.contracts.states import workflow
from bedrock_tuning.review.workflow.choices import ABSENT
from bedrock_tuning.review.workflow.differences import ValueDifference, differences

DEFINITION = workflow.definition(environment="dev", approval_days=7)


def _changed(change: Callable[[dict[str, Any]], object]) -> list[ValueDifference]:
    definition = copy.deepcopy(DEFINITION)
    change(definition)
    return list(differences(DEFINITION, definition))


def test_a_definition_does_not_differ_from_itself() -> None:
    assert _changed(lambda _: None) == []


@pytest.mark.parametrize(
    ("change", "state", "field", "then", "now"),
    [
        (
            lambda d: d["States"]["Valid?"]["Choices"][0].update(Next="Close run"),
            *("Valid?", "Choices.0.Next", "Prepare job", "Close run"),
        ),
        (
            lambda d: d["States"]["Valid?"]["Choices"][0].update(BooleanEquals=1),
            *("Valid?", "Choices.0.BooleanEquals", True, 1),
        ),
        (
            lambda d: d["States"]["Notify"].update(Comment=None),
            *("Notify", "Comment", ABSENT, None),
        ),
        (
            lambda d: d["States"]["Check images"]["ItemProcessor"]["States"]["Check shard"].pop(
                "End"
            ),
            *("Check images / Check shard", "End", True, ABSENT),
        ),
        (
            lambda d: d["States"]["Check images"]["ItemProcessor"].update(TimeoutSeconds=1),
            *("Check images", "ItemProcessor.TimeoutSeconds", ABSENT, 1),
        ),
        (
            lambda d: d["States"]["Admit"]["Catch"].append("another"),
            *("Admit", "Catch.1", ABSENT, "another"),
        ),
        (lambda d: d["States"].update(Extra={}), *("Extra", "", ABSENT, {})),
        (lambda d: d.pop("States"), "", "States", DEFINITION["States"], ABSENT),
        (lambda d: d.update(StartAt="Serve"), "", "StartAt", DEFINITION["StartAt"], "Serve"),
    ],
    ids=lambda value: value if isinstance(value, str) and value else "",
)
def test_a_difference_says_in_which_state_and_field_it_is(
    change: Callable[[dict[str, Any]], object], state: str, field: str, then: Any, now: Any
) -> None:
    assert _changed(change) == [ValueDifference(state=state, field=field, then=then, now=now)]
