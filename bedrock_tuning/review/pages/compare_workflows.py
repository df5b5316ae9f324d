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
    before, after = (
        {
            (
                f"{level.name}{transition.tail}",
                condition(transition.rule, whole=True) if transition.rule else transition.label,
            ): transition.head
            for level in graph.graphs(definition)
            for transition in reversed(level.transitions())
        }
        for definition in (then, now)
    )
    for tail, when in sorted({*before, *after}):
        heads = [side.get((tail, when), "nothing") for side in (before, after)]
        if heads[0] != heads[1]:
            what = f"after {tail}{f', {when}' if when else ''}: {heads[0]} → {heads[1]}"
            yield Change(kind=WORKFLOW, where=key, what=what)


def _states(key: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """What a state does differently; what comes after it is told elsewhere."""
    by_state: dict[str, list[ValueDifference]] = {}
    for difference in differences(then, now):
        if difference.field.partition(".")[0] not in ("Choices", "Default", "Next"):
            by_state.setdefault(difference.state, []).append(difference)
    for name, diffs in by_state.items():
        fields = ", ".join(
            f"{diff.field} {in_a_line(diff.then)} → {in_a_line(diff.now)}" for diff in diffs
        )
        what = f"{name or 'the definition'}: {fields}"
        if not diffs[0].field:
            is_removed = diffs[0].now is ABSENT
            what = f"the state {name} was removed" if is_removed else f"a new state {name}"
        yield Change(kind=WORKFLOW, where=key, what=what)
