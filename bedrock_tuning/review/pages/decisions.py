"""What a state machine decides: each way out of a Choice, when it is taken, by whose answer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.review.workflow import choices, graph
from bedrock_tuning.review.workflow.graph import StateGraph

_PATH: Final = re.compile(r"\$\.[\w.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One way out of a Choice. by: the states that answered last, none for the input itself."""

    state: str
    when: str
    by: tuple[str, ...]
    then: str


def decisions(definition: Mapping[str, Any]) -> Iterator[Branch]:
    """All of a definition, in its order."""
    for each in graph.graphs(definition):
        for name, state in each.states.items():
            if state.get("Type") != "Choice":
                continue
            ways = [
                (choices.condition(way.rule, whole=True) if way.rule else "otherwise", way.head)
                for way in graph.transitions(name, state)
            ]
            paths = {path for when, _ in ways for path in _PATH.findall(when)}
            by = tuple(_answered(each, name, paths))
            for when, then in ways:
                yield Branch(
                    state=f"{each.name}{name}", when=when.replace("$.", ""), by=by, then=then
                )


def _answered(each: StateGraph, choice: str, paths: set[str]) -> Iterator[str]:
    """The states before a Choice that keep their results where it looks, the nearest on each way.

    One whose error leads here has not answered.
    """
    before: dict[str, list[str]] = {}
    for way in each.transitions():
        if not way.caught:
            before.setdefault(way.head, []).append(way.tail)
    seen, todo = {choice}, [*before.get(choice, ())]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        kept = f"{each.states[name].get('ResultPath')}."
        if any(f"{path}.".startswith(kept) for path in paths):
            yield name
        else:
            todo += before.get(name, ())
