"""What changed in a workflow, state by state."""

from collections.abc import Iterator, Mapping
from typing import Any

from bedrock_tuning.review.check import in_a_line
from bedrock_tuning.review.pages.change import WORKFLOW, Change
from bedrock_tuning.review.workflow import graph
from bedrock_tuning.review.workflow.choices import ABSENT, condition
from bedrock_tuning.review.workflow.differences import ValueDifference, differences


def workflows(key: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """The differences of two definitions; key: which state machine's."""
    yield from _next_states(key, then, now)
    yield from _states(key, then, now)


def _next_states(key: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """What comes after what, and when."""
    was, is_ = (
        {
            (f"{each.name}{t.tail}", condition(t.rule, whole=True) if t.rule else t.label): t.head
            for each in graph.graphs(definition)
            for t in reversed(each.transitions())
        }
        for definition in (then, now)
    )
    for tail, when in sorted({*was, *is_}):
        heads = [side.get((tail, when), "nothing") for side in (was, is_)]
        if heads[0] != heads[1]:
            what = f"after {tail}{f', {when}' if when else ''}: {heads[0]} → {heads[1]}"
            yield Change(kind=WORKFLOW, where=key, what=what)


def _states(key: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """What a state does differently; what comes after it is told elsewhere."""
    by_state: dict[str, list[ValueDifference]] = {}
    for each in differences(then, now):
        if each.field.partition(".")[0] not in ("Choices", "Default", "Next"):
            by_state.setdefault(each.state, []).append(each)
    for name, found in by_state.items():
        fields = ", ".join(f"{d.field} {in_a_line(d.then)} → {in_a_line(d.now)}" for d in found)
        what = f"{name or 'the definition'}: {fields}"
        if not found[0].field:
            gone = found[0].now is ABSENT
            what = f"the state {name} was removed" if gone else f"a new state {name}"
        yield Change(kind=WORKFLOW, where=key, what=what)
