"""The picture of a state machine shows every state and transition, without boxes on each other."""

import re
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.constructs import workflow
from bedrock_tuning.review.pages.layered_layout import Arrow, Box, place
from bedrock_tuning.review.pages.state_diagram import condition, state_machine

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    return workflow.definition(environment="dev", approval_days=7)


@pytest.fixture(scope="module")
def picture(definition: dict[str, Any]) -> ET.Element:
    return ET.fromstring(state_machine(definition, title="The workflow of a run"))  # noqa: S314


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
    tips = len(list(picture.iter(f"{SVG}polygon")))
    flows = [
        definition["States"],
        definition["States"]["Check images"]["ItemProcessor"]["States"],
    ]
    transitions = sum(
        len(state.get("Choices", ()))
        + len(state.get("Catch", ()))
        + ("Next" in state)
        + ("Default" in state)
        for states in flows
        for state in states.values()
    )
    assert tips + said == transitions


def test_the_picture_carries_its_style_for_light_and_dark_and_loads_nothing(
    definition: dict[str, Any],
) -> None:
    text = state_machine(definition, title="A & B")
    assert "prefers-color-scheme:dark" in text
    assert "<title>A &amp; B</title>" in text
    assert re.findall(r"(?:href|src|url)\W", text) == []


def test_the_same_definition_gives_the_same_picture(definition: dict[str, Any]) -> None:
    assert state_machine(definition, title="x") == state_machine(definition, title="x")


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


@st.composite
def _graphs(draw: st.DrawFn) -> tuple[list[Box], list[Arrow]]:
    names = [f"n{i}" for i in range(draw(st.integers(1, 9)))]
    boxes = [Box(name=n, width=draw(st.sampled_from([20, 60, 150])), height=20) for n in names]
    ends = st.sampled_from(names)
    arrows = draw(st.lists(st.builds(Arrow, tail=ends, head=ends), max_size=16, unique=True))
    return boxes, arrows


@given(_graphs())
def test_no_two_boxes_overlap_and_all_lie_in_the_picture(
    graph: tuple[list[Box], list[Arrow]],
) -> None:
    boxes, arrows = graph
    placed = place(boxes, arrows)
    for a, b in combinations(boxes, 2):
        (ax, ay), (bx, by) = placed.centres[a.name], placed.centres[b.name]
        apart_x = abs(ax - bx) >= (a.width + b.width) / 2
        assert apart_x or abs(ay - by) >= (a.height + b.height) / 2
    for box in boxes:
        x, y = placed.centres[box.name]
        assert box.width / 2 - 1e-6 <= x <= placed.width - box.width / 2 + 1e-6
        assert box.height / 2 - 1e-6 <= y <= placed.height - box.height / 2 + 1e-6


@given(_graphs())
def test_every_arrow_runs_from_its_tail_to_its_head_in_one_direction(
    graph: tuple[list[Box], list[Arrow]],
) -> None:
    boxes, arrows = graph
    placed = place(boxes, arrows)
    assert set(placed.routes) == {arrow for arrow in arrows if arrow.tail != arrow.head}
    for arrow, points in placed.routes.items():
        assert points[0][0] == pytest.approx(placed.centres[arrow.tail][0])
        assert points[-1][0] == pytest.approx(placed.centres[arrow.head][0])
        steps = {below > above for (_, above), (_, below) in pairwise(points) if above != below}
        assert len(steps) == 1
