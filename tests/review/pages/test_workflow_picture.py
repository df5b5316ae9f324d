"""The picture of a state machine shows every state and transition; without Node there is none."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.contracts.states import workflow
from bedrock_tuning.review.pages.workflow_picture import draw_workflow
from bedrock_tuning.review.workflow.choices import condition

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    return workflow.definition(environment="dev", approval_days=7)


@pytest.fixture(scope="module")
def picture(definition: dict[str, Any]) -> ET.Element:
    text = draw_workflow(definition, title="The workflow of a run")
    assert text is not None, "run `make install`"
    return ET.fromstring(text)  # noqa: S314


def _texts(picture: ET.Element) -> list[str]:
    return [node.text or "" for node in picture.iter(f"{SVG}text")]


def test_every_state_of_the_workflow_is_in_the_picture(
    definition: dict[str, Any], picture: ET.Element
) -> None:
    inner = definition["States"]["Check images"]["ItemProcessor"]["States"]
    assert {*definition["States"], *inner} <= set(_texts(picture))


def test_every_transition_has_an_arrow_or_is_said_in_its_state(
    definition: dict[str, Any], picture: ET.Element
) -> None:
    said = sum(text.startswith("on error: ") for text in _texts(picture))
    arrows = sum("edge" in group.get("class", "").split() for group in picture.iter(f"{SVG}g"))
    flows = [definition["States"], definition["States"]["Check images"]["ItemProcessor"]["States"]]
    transitions = sum(
        len(state.get("Choices", ()))
        + len(state.get("Catch", ()))
        + ("Next" in state)
        + ("Default" in state)
        for states in flows
        for state in states.values()
    )
    # One arrow more: into the states of the map.
    assert arrows + said == transitions + 1


def test_the_picture_carries_its_style_for_light_and_dark_and_loads_nothing(
    definition: dict[str, Any],
) -> None:
    text = draw_workflow(definition, title="A & B")
    assert text is not None
    assert "prefers-color-scheme:dark" in text
    assert "<title>A &amp; B</title>" in text
    assert re.findall(r"(?:\bhref|src|url)\W", text) == []


def test_a_name_that_is_markup_is_shown_as_it_is() -> None:
    name = 'A "quoted" <b>&'
    text = draw_workflow({"StartAt": name, "States": {name: {"Type": "Succeed"}}}, title="x")
    assert text is not None
    assert name in _texts(ET.fromstring(text))  # noqa: S314


def test_without_node_or_the_package_there_is_no_picture(
    definition: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert draw_workflow(definition, title="x", folder=tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert draw_workflow(definition, title="x") is None


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"Variable": "$.a.step", "StringEquals": "wait"}, "step = wait"),
        ({"Variable": "$.check.shards", "NumericGreaterThan": 0}, "shards > 0"),
        ({"Variable": "$.report.valid", "BooleanEquals": True}, "valid"),
        ({"Variable": "$.report.valid", "BooleanEquals": False}, "not valid"),
        ({"Variable": "$.serving", "IsPresent": True}, "has serving"),
        (
            {
                "And": [
                    {"Variable": "$.a", "IsPresent": False},
                    {"Not": {"Variable": "$.b", "NumericLessThanEquals": 3}},
                ]
            },
            "has no a and not (b ≤ 3)",
        ),
    ],
)
def test_conditions_are_worded(rule: dict[str, Any], words: str) -> None:
    assert condition(rule) == words
