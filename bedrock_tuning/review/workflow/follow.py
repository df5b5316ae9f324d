"""What a state machine does next when some of a run's data is known."""

from collections.abc import Iterator

from bedrock_tuning.review.workflow.choices import Known, holds
from bedrock_tuning.review.workflow.graph import StateDefinition, StateGraph


def next_states(graph: StateGraph, after: str | None, known: Known) -> set[tuple[str, bool]]:
    """The states that can come next, each with whether a pause lies before it.

    after: a state that did what it is for, None for the start. known: values by path; a choice that
    asks for anything else can go either way. Choices and waits are passed.
    """
    head = graph.start if after is None else graph.states.get(after, {}).get("Next")
    return set() if head is None else set(_behind(graph, str(head), known, frozenset()))


def _behind(
    graph: StateGraph, name: str, known: Known, passed: frozenset[str]
) -> Iterator[tuple[str, bool]]:
    state = graph.states.get(name, {})
    kind = state.get("Type")
    if kind not in ("Choice", "Wait") or name in passed:
        yield name, any(graph.states[each]["Type"] == "Wait" for each in passed)
        return
    for head in [str(state.get("Next"))] if kind == "Wait" else _chosen(state, known):
        yield from _behind(graph, head, known, passed | {name})


def _chosen(choice: StateDefinition, known: Known) -> Iterator[str]:
    for rule in choice.get("Choices", ()):
        true = holds(rule, known)
        if true is not False:
            yield str(rule.get("Next"))
        if true:
            return
    yield str(choice.get("Default"))
