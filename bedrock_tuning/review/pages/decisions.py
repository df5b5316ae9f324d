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


def decisions_of(definition: Mapping[str, Any]) -> Iterator[Branch]:
    """All of a definition, in its order."""
    for level in graph.graphs(definition):
        for name, state in level.states.items():
            if state.get("Type") != "Choice":
                continue
            branches = [
                (
                    choices.condition(transition.rule, whole=True)
                    if transition.rule
                    else "otherwise",
                    transition.head,
                )
                for transition in graph.transitions(name, state)
            ]
            paths = {path for when, _ in branches for path in _PATH.findall(when)}
            by = tuple(_answering_states(level, name, paths))
            for when, then in branches:
                yield Branch(
                    state=f"{level.name}{name}", when=when.replace("$.", ""), by=by, then=then
                )


def _answering_states(level: StateGraph, choice: str, paths: set[str]) -> Iterator[str]:
    """The states before a Choice that keep their results where it looks, the nearest on each way.

    One whose error leads here has not answered.
    """
    predecessors: dict[str, list[str]] = {}
    for transition in level.transitions():
        if not transition.caught:
            predecessors.setdefault(transition.head, []).append(transition.tail)
    seen, todo = {choice}, [*predecessors.get(choice, ())]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        prefix = f"{level.states[name].get('ResultPath')}."
        if any(f"{path}.".startswith(prefix) for path in paths):
            yield name
        else:
            todo += predecessors.get(name, ())
