"""The order of a run: what comes after each answer and each failure, whoever starts jobs."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from operator import eq, gt
from typing import Any, Final

import pytest

from bedrock_tuning.contracts import FunctionSpec
from bedrock_tuning.contracts.contract import NO_SETTINGS, NO_SLOT
from bedrock_tuning.contracts.functions import (
    ADMIT,
    CHECK_IMAGES,
    FUNCTIONS,
    MERGE,
    START_JOB,
    TAKE_TURN,
    VERIFY_IMAGES,
)
from bedrock_tuning.contracts.serving import EVALUATE, SERVE
from bedrock_tuning.contracts.states import workflow

CLOSED: Final = "Close run"
UNDONE: Final = "Roll back"
TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "StringEquals": eq,
    "BooleanEquals": eq,
    "NumericGreaterThan": gt,
}
# By the state that calls a function: the function, what comes after its answers, and after others.
# What follows a pause stands after a hyphen.
AFTER: Mapping[str, tuple[FunctionSpec, Mapping[Any, str], str]] = {
    "Admit": (ADMIT, {"run": "Check manifest"}, CLOSED),
    "Merge report": (MERGE, {True: "Prepare job"}, CLOSED),
    "Prepare job": (
        START_JOB,
        {"start": "Take a turn", "approve": "Ask for approval"},
        CLOSED,
    ),
    "Take a turn": (TAKE_TURN, {"train": "Verify images", "wait": "- Take a turn"}, CLOSED),
    "Queue for a slot": (TAKE_TURN, {"wait": "- Take a turn"}, CLOSED),
    "Verify images": (VERIFY_IMAGES, {"same": "Train"}, CLOSED),
    "Serve": (
        SERVE,
        {
            "wait": "- Serve",
            "approve": "Ask to serve",
            "smoke": "Smoke test",
            "roll-back": UNDONE,
        },
        CLOSED,
    ),
    "Smoke test": (SERVE, {"publish": "Evaluate"}, UNDONE),
    "Evaluate": (EVALUATE, {"publish": "Publish endpoint"}, UNDONE),
    "Publish endpoint": (SERVE, {"wait": "- Serve", "roll-back": UNDONE}, CLOSED),
    UNDONE: (SERVE, {"roll-back-wait": f"- {UNDONE}"}, CLOSED),
}
# What an error leads to; all others close the run.
CAUGHT: Mapping[str, str] = {
    **dict.fromkeys(("Serve", "Smoke test", "Evaluate", "Publish endpoint"), UNDONE),
    CLOSED: "Say that closing failed",
    "Draw page": "Notify",
    **dict.fromkeys(("Notify", "Say that closing failed"), "Failed to notify"),
}


@pytest.fixture(params=[True, False], ids=["by starters", "by the workflow"], scope="module")
def run(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """The definition, whoever starts jobs."""
    return workflow.definition(environment="dev", approval_days=7, starters=request.param)


def _after(run: Mapping[str, Any], name: str, known: Mapping[str, Any]) -> str:
    """What comes after a state, "" for the start, behind choices and, with a hyphen, pauses.

    known: the run's data by path. Raises KeyError where a choice asks for something else.
    """
    states, pause = run["States"], ""
    head = states[name]["Next"] if name else run["StartAt"]
    while states[head]["Type"] in ("Choice", "Wait"):
        state = states[head]
        pause = "- " if state["Type"] == "Wait" else pause
        rules = state.get("Choices", ())
        holding = (rule["Next"] for rule in rules if _holds(rule, known))
        head = next(holding, state["Default"] if rules else state.get("Next"))
    return f"{pause}{head}"


def _holds(rule: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    ((test, wanted),) = ((k, v) for k, v in rule.items() if k not in ("Variable", "Next"))
    if test == "IsPresent":
        return (rule["Variable"] in known) is wanted
    return TESTS[test](known[rule["Variable"]], wanted)


def _answers() -> Iterator[tuple[str, Any, str]]:
    for name, (function, expected, otherwise) in AFTER.items():
        assert function.answer is not None
        for value in function.answer.values or (True, False):
            yield name, value, expected.get(value, otherwise)


@pytest.mark.parametrize(("name", "value", "expected"), [*_answers()])
def test_a_run_goes_on_with_the_answers_that_it_needs_and_any_other_one_ends_it(
    run: Mapping[str, Any], name: str, value: object, expected: str
) -> None:
    function, _, _ = AFTER[name]
    assert run["States"][name]["Resource"] == f"${{{function.name}}}"
    assert function.answer is not None
    plain = {"$.start.with_configuration": False, "$.start.with_validation": False}
    assert _after(run, name, {**plain, function.answer.decision: value}) == expected


def test_every_answer_that_decides_something_is_asked_for(run: Mapping[str, Any]) -> None:
    deciding = {f"${{{f.name}}}" for f in FUNCTIONS if f.answer and f.answer.field}
    asked = {n for n, state in run["States"].items() if state.get("Resource") in deciding}
    assert asked == set(AFTER)


def test_after_every_failure_the_run_is_closed_or_what_it_started_is_rolled_back(
    run: Mapping[str, Any],
) -> None:
    led = {
        (name, catch["Next"])
        for name, state in run["States"].items()
        for catch in state.get("Catch", ())
        if catch["ErrorEquals"] not in ([NO_SETTINGS], [NO_SLOT])
    }
    assert led == {
        (name, CAUGHT.get(name, CLOSED))
        for name, state in run["States"].items()
        if state["Type"] in ("Task", "Map")
    }


@pytest.mark.parametrize(
    ("images", "asked", "validated", "configured"), [*product((True, False), repeat=4)]
)
def test_a_good_run_asks_only_if_it_must_and_trains_once(
    run: Mapping[str, Any], *, images: bool, asked: bool, validated: bool, configured: bool
) -> None:
    parts = [
        name for name, has in (("configuration", configured), ("validation", validated)) if has
    ]
    wanted = [
        *("Load settings", "Admit", "Check manifest"),
        *(("Check images",) if images else ("No images",)),
        *("Merge report", "Prepare job"),
        *(("Ask for approval", "Await approval", "Note the approval") if asked else ()),
        *(
            "Take a turn",
            "Verify images",
            " with ".join(["Train", " and ".join(parts)][: 1 + bool(parts)]),
        ),
        *("Read job", "Record job", "Serve", "Smoke test", "Evaluate", "Publish endpoint"),
        *(CLOSED, "Draw page", "Notify", "Run ended"),
    ]
    known: dict[str, Any] = {
        "$.admission.decision": "run",
        "$.check.shards": int(images),
        "$.report.valid": True,
        "$.start.decision": "approve" if asked else "start",
        "$.turn.decision": "train",
        "$.images.decision": "same",
        "$.start.with_validation": validated,
        "$.start.with_configuration": configured,
        "$.outcome.notify": True,
        "$.outcome.failed": False,
    }
    answers = {"Serve": "smoke", "Smoke test": "publish", "Publish endpoint": "served"}
    passed, here = list[str](), ""
    while not here or run["States"][here]["Type"] != "Succeed":
        if here in answers:
            known["$.serving.step"] = answers[here]
        here = _after(run, here, known)
        passed.append(here)

    assert passed == wanted
    called = {run["States"][name].get("Resource") for name in passed}
    needed = {f"${{{each.name}}}" for each in FUNCTIONS if each.payload and each != CHECK_IMAGES}
    assert needed <= called


def test_what_a_deployment_or_a_person_asks_for_is_served_once_its_settings_are_read(
    run: Mapping[str, Any],
) -> None:
    asked = {"$.serving": {}}
    assert _after(run, "", asked) == "Load settings to serve"
    assert _after(run, "Load settings to serve", asked) == "Serve"


def test_what_was_approved_is_served(run: Mapping[str, Any]) -> None:
    ways = {"Note the approval": "Take a turn", "Note the approval to serve": "Serve"}
    assert {name: _after(run, name, {}) for name in ways} == ways
