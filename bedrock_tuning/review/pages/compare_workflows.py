"""What changed in a workflow, state by state."""

from collections.abc import Iterator, Mapping
from typing import Any

from bedrock_tuning.review.pages.change import WORKFLOW, Change, shown
from bedrock_tuning.review.workflow import graph
from bedrock_tuning.review.workflow.choices import condition


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


def _field(name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """How a field of a state changed: its value, if one fits into a line."""
    values = [side.get(name) for side in (then, now)]
    if any(isinstance(value, dict | list) for value in values):
        return f"{name} changed"
    return f"{name} {shown(values[0])} → {shown(values[1])}"


def _states(key: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    was, is_ = (dict(graph.all_states(definition)) for definition in (then, now))
    for name in sorted({*was, *is_}):
        if name not in is_:
            yield Change(kind=WORKFLOW, where=key, what=f"the state {name} was removed")
        elif name not in was:
            yield Change(kind=WORKFLOW, where=key, what=f"a new state {name}")
        else:
            fields = {*was[name], *is_[name]} - {"ItemProcessor", "Branches"}
            fields -= {"Choices", "Default", "Next"}
            differ = sorted(f for f in fields if was[name].get(f) != is_[name].get(f))
            if differ:
                what = f"{name}: {', '.join(_field(f, was[name], is_[name]) for f in differ)}"
                yield Change(kind=WORKFLOW, where=key, what=what)
    for field in sorted({*then, *now} - {"States"}):
        if then.get(field) != now.get(field):
            what = f"{field}: {then.get(field)} → {now.get(field)}"
            yield Change(kind=WORKFLOW, where=key, what=what)
