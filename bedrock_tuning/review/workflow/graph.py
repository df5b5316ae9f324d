"""A state machine's definition as a graph: what follows what, what is reached."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.contracts.contract import MACHINE
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.workflow import choices

StateDefinition = Mapping[str, Any]
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]+)\}")
_ENDS: Final = ("Succeed", "Fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """From one state to another. rule: of a choice, None for all others; errors: that it catches,
    None where nothing is caught.
    """

    tail: str
    head: str
    rule: Mapping[str, Any] | None = None
    default: bool = False
    errors: tuple[str, ...] | None = None

    @property
    def caught(self) -> bool:
        """Whether it is taken on an error."""
        return self.errors is not None

    @property
    def label(self) -> str:
        """When it is taken: "shards > 0", "otherwise", "on error"; "" for always."""
        if self.rule is not None:
            return choices.condition(self.rule)
        if self.errors is not None:
            return "on error" if "States.ALL" in self.errors else f"on {', '.join(self.errors)}"
        return "otherwise" if self.default else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateGraph:
    """One level of a definition: the whole, or what is inside of a Map. name: for messages."""

    name: str
    start: str
    states: Mapping[str, StateDefinition]

    def transitions(self) -> list[Transition]:
        """All transitions, also those that lead nowhere."""
        return [
            transition
            for name, state in self.states.items()
            for transition in transitions(name, state)
        ]

    def reached(self, *, without: Callable[[Transition], bool] = lambda _: False) -> set[str]:
        """States that can be reached from the start; without: transitions that are taken away."""
        names: set[str] = set()
        todo = [self.start]
        while todo:
            name = todo.pop()
            if name not in names and name in self.states:
                names.add(name)
                outgoing = transitions(name, self.states[name])
                todo += [transition.head for transition in outgoing if not without(transition)]
        return names


def transitions(name: str, state: StateDefinition) -> Iterator[Transition]:
    """All transitions of one state."""
    for rule in state.get("Choices", ()):
        yield Transition(tail=name, head=str(rule.get("Next", "")), rule=rule)
    if "Default" in state:
        yield Transition(tail=name, head=str(state["Default"]), default=True)
    if "Next" in state:
        yield Transition(tail=name, head=str(state["Next"]))
    for catcher in state.get("Catch", ()):
        yield Transition(
            tail=name,
            head=str(catcher.get("Next", "")),
            errors=tuple(map(str, catcher.get("ErrorEquals", ()))),
        )


def ends(state: StateDefinition) -> bool:
    """Whether an execution can end in a state."""
    return state.get("Type") in _ENDS or state.get("End") is True


def machines(assembly: Assembly) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Every state machine with its definition; one that cannot be read raises ValueError."""
    for machine in assembly.of_type(MACHINE):
        yield machine, definition(machine)


def definition(machine: Resource) -> dict[str, Any]:
    """A state machine's definition with its placeholders filled.

    Raises ValueError when it is not an object of the template (F700); a placeholder without a
    substitution stays as it is.
    """
    raw = as_whole(machine.properties.get("Definition"))
    if not isinstance(raw, dict):
        raise ValueError("the definition is not an object")
    substitutions = machine.properties.get("DefinitionSubstitutions", {})

    def fill(match: re.Match[str]) -> str:
        value = substitutions.get(match[1])
        return match[0] if value is None else json.dumps(str(value))[1:-1]

    return dict(json.loads(_PLACEHOLDER.sub(fill, json.dumps(raw))))


def template_definition(machine: Resource) -> dict[str, Any]:
    """The definition with its placeholders left, for a picture that people can read.

    Also one that an older version of this project wrote as text, which is compared with today's.
    """
    text = machine.properties.get("DefinitionString")
    return dict(json.loads(text) if text else machine.properties.get("Definition", {}))


def placeholders(machine: Resource) -> set[str]:
    """The names of the placeholders in a definition."""
    return set(_PLACEHOLDER.findall(json.dumps(machine.properties.get("Definition"))))


def graphs(definition: Mapping[str, Any], name: str = "") -> Iterator[StateGraph]:
    """A definition's graph and those inside of its Map and Parallel states."""
    states = definition.get("States", {})
    start = str(definition.get("StartAt", ""))
    yield StateGraph(name=name, start=start, states=states)
    for state_name, state in states.items():
        for part in inner_definitions(state):
            yield from graphs(part, f"{name}{state_name} / ")


def inner_definitions(state: StateDefinition) -> list[Mapping[str, Any]]:
    """The definitions inside of a Map or Parallel state."""
    inner = state.get("ItemProcessor") or state.get("Iterator")
    return [inner] if inner else list(state.get("Branches", ()))
