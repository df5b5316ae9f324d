"""A state machine's definition as a graph: what follows what, what is reached, what is known."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.review.assembly.template import Assembly, Resource

State = Mapping[str, Any]
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]+)\}")
_REFERENCE: Final = re.compile(r"(?<![\w$])\$\.([A-Za-z_]\w*)")
_ENDS: Final = ("Succeed", "Fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A transition. rule: of a choice, None for all others; caught: taken on an error.

    writes: the top-level names in the state's data that the transition brings. replaces: the rest
    of the data is gone.
    """

    tail: str
    head: str
    rule: Mapping[str, Any] | None = None
    default: bool = False
    caught: bool = False
    writes: frozenset[str] = frozenset()
    replaces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One level of a definition: the whole, or what is inside of a Map.

    name: for messages. given: names that are in the data at the start.
    """

    name: str
    start: str
    states: Mapping[str, State]
    given: frozenset[str] = frozenset()

    def edges(self) -> list[Edge]:
        """All transitions, also those that lead nowhere."""
        return [edge for name, state in self.states.items() for edge in _edges(name, state)]

    def reached(
        self,
        *,
        without: Callable[[Edge], bool] = lambda _: False,
        closed: Callable[[str, State], bool] = lambda _name, _state: False,
    ) -> set[str]:
        """States that can be reached from the start.

        without: transitions that are taken away; closed: states that nobody gets into.
        """
        outgoing: dict[str, list[Edge]] = {}
        for edge in self.edges():
            outgoing.setdefault(edge.tail, []).append(edge)
        found: set[str] = set()
        todo = [self.start]
        while todo:
            name = todo.pop()
            state = self.states.get(name)
            if name in found or state is None or closed(name, state):
                continue
            found.add(name)
            todo += [edge.head for edge in outgoing.get(name, ()) if not without(edge)]
        return found

    def known_before(self) -> dict[str, frozenset[str]]:
        """By state: the names in its data that are there on every way to it."""
        everything = frozenset(name for edge in self.edges() for name in edge.writes)
        everything |= self.given
        known = dict.fromkeys(self.states, everything)
        if self.start in known:
            known[self.start] = self.given
        changed = True
        while changed:
            changed = False
            for edge in self.edges():
                if edge.head not in known or edge.tail not in known:
                    continue
                before = frozenset() if edge.replaces else known[edge.tail]
                after = before | edge.writes
                less = known[edge.head] & after
                if less != known[edge.head]:
                    known[edge.head], changed = less, True
        return known


def _edges(name: str, state: State) -> Iterator[Edge]:
    for rule in state.get("Choices", ()):
        # A rule that asks whether something is there leaves it known to be there.
        present = rule.get("IsPresent") is True
        yield Edge(
            tail=name,
            head=str(rule.get("Next", "")),
            rule=rule,
            writes=_written(rule.get("Variable")) if present else frozenset(),
        )
    if "Default" in state:
        yield Edge(tail=name, head=str(state["Default"]), default=True)
    if "Next" in state:
        yield _forward(name, state)
    for catcher in state.get("Catch", ()):
        path = catcher.get("ResultPath", "$")
        yield Edge(
            tail=name,
            head=str(catcher.get("Next", "")),
            caught=True,
            writes=_written(path),
            replaces=path == "$",
        )


def _forward(name: str, state: State) -> Edge:
    path = state.get("ResultPath", "$")
    works = state.get("Type") in ("Task", "Map", "Parallel")
    replaces = path == "$" and (works or bool({"Result", "Parameters"} & set(state)))
    writes = _written(path)
    if replaces and state.get("Type") == "Pass":
        writes = frozenset(key.removesuffix(".$") for key in state.get("Parameters", {}))
    return Edge(tail=name, head=str(state["Next"]), writes=writes, replaces=replaces)


def _written(path: Any) -> frozenset[str]:
    """The top-level name that a result path writes; a path below it needs that name first."""
    match = re.fullmatch(r"\$\.([A-Za-z_]\w*)", str(path))
    return frozenset({match[1]}) if match else frozenset()


def reads(state: State) -> set[str]:
    """The top-level names that a state reads from its data."""
    own = {
        key: value
        for key, value in state.items()
        if key not in ("Catch", "ResultPath", "ItemProcessor", "Iterator", "Branches", "Comment")
    }
    tested = [r for r in own.get("Choices", ()) if "IsPresent" not in r]
    if "Choices" in own:
        own["Choices"] = tested
    nested = [
        catcher["ResultPath"]
        for catcher in state.get("Catch", ())
        if re.fullmatch(r"\$\.\w+\..+", str(catcher.get("ResultPath", "")))
    ]
    return set(_REFERENCE.findall(json.dumps([own, nested], ensure_ascii=False)))


def ends(state: State) -> bool:
    """Whether an execution can end in a state."""
    return state.get("Type") in _ENDS or state.get("End") is True


def machines(assembly: Assembly) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Every state machine with its definition; one that cannot be read raises ValueError."""
    for machine in assembly.of_type("AWS::StepFunctions::StateMachine"):
        yield machine, definition(machine)


def definition(machine: Resource) -> dict[str, Any]:
    """A state machine's definition with its placeholders filled.

    Raises ValueError when it is not in the template or is no JSON; a placeholder without a
    substitution stays as it is.
    """
    properties = machine.properties
    raw = properties.get("DefinitionString", properties.get("Definition"))
    if raw is None:
        raise ValueError("the definition is not in the template")
    text = raw if isinstance(raw, str) else json.dumps(raw)
    substitutions = properties.get("DefinitionSubstitutions", {})

    def fill(match: re.Match[str]) -> str:
        value = substitutions.get(match[1])
        return match[0] if value is None else json.dumps(str(value))[1:-1]

    found = json.loads(_PLACEHOLDER.sub(fill, text))
    if not isinstance(found, dict):
        raise ValueError("the definition is not an object")
    return found


def template_definition(machine: Resource) -> dict[str, Any]:
    """The definition with its placeholders left, for a picture that people can read."""
    properties = machine.properties
    raw = properties.get("DefinitionString", properties.get("Definition", {}))
    found = json.loads(raw) if isinstance(raw, str) else raw
    return dict(found)


def placeholders(machine: Resource) -> set[str]:
    """The names of the placeholders in a definition."""
    return set(_PLACEHOLDER.findall(str(machine.properties.get("DefinitionString", ""))))


def flows(
    machine: Mapping[str, Any], name: str = "", given: frozenset[str] = frozenset()
) -> Iterator[Flow]:
    """A definition's flow and those inside of its Map and Parallel states."""
    states = machine.get("States", {})
    yield Flow(name=name, start=str(machine.get("StartAt", "")), states=states, given=given)
    for state_name, state in states.items():
        inner = state.get("ItemProcessor") or state.get("Iterator")
        selected = frozenset(key.removesuffix(".$") for key in state.get("ItemSelector", {}))
        for part in [inner] if inner else state.get("Branches", ()):
            yield from flows(part, f"{name}{state_name} / ", selected)
