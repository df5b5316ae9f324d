"""What a state machine does next when some of a run's data is known."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.review.workflow.graph import Flow

# The value of a path that is not in the data.
ABSENT: Final = object()
Facts = Mapping[str, object]


def next_states(flow: Flow, after: str | None, facts: Facts) -> set[tuple[str, bool]]:
    """The states that can come next, each with whether a pause lies before it.

    after: a state that did what it is for, None for the start. facts: values by path; a choice that
    asks for anything else can go either way. Choices and waits are passed.
    """
    if after is None:
        return set(_behind(flow, flow.start, facts, paused=False, passed=frozenset()))
    state = flow.states.get(after, {})
    if "Next" not in state:
        return set()
    return set(_behind(flow, str(state["Next"]), facts, paused=False, passed=frozenset()))


def _behind(
    flow: Flow, name: str, facts: Facts, *, paused: bool, passed: frozenset[str]
) -> Iterator[tuple[str, bool]]:
    state = flow.states.get(name, {})
    kind = state.get("Type")
    if kind not in ("Choice", "Wait") or name in passed:
        yield name, paused
        return
    heads = [str(state.get("Next"))] if kind == "Wait" else list(_chosen(state, facts))
    for head in heads:
        yield from _behind(
            flow, head, facts, paused=paused or kind == "Wait", passed=passed | {name}
        )


def _chosen(choice: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    for rule in choice.get("Choices", ()):
        holds = _holds(rule, facts)
        if holds is not False:
            yield str(rule.get("Next"))
        if holds:
            return
    yield str(choice.get("Default"))


def _holds(rule: Mapping[str, Any], facts: Facts) -> bool | None:
    """Whether a rule is true; None if the facts do not say."""
    tests = {key: value for key, value in rule.items() if key not in ("Variable", "Next")}
    path = str(rule.get("Variable"))
    if path not in facts or len(tests) != 1:
        return None
    ((test, wanted),) = tests.items()
    value = facts[path]
    if test == "IsPresent":
        return (value is not ABSENT) == bool(wanted)
    if test in ("StringEquals", "BooleanEquals"):
        return bool(value == wanted)
    if test == "NumericGreaterThan" and isinstance(value, int):
        return value > wanted if isinstance(wanted, int) else None
    return None
