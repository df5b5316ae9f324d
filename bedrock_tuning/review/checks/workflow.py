"""Checks of state machines: as their contract says, every outcome told, all logged."""

from collections.abc import Iterator, Mapping
from typing import Any

from bedrock_tuning import commit
from bedrock_tuning.contracts.contract import COMMIT, MACHINE, NO_SETTINGS
from bedrock_tuning.contracts.states.workflow import definition_of
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.check import (
    Evidence,
    Violation,
    check,
    found,
    in_a_line,
    unlike,
)
from bedrock_tuning.review.workflow import graph
from bedrock_tuning.review.workflow.differences import differences
from bedrock_tuning.review.workflow.graph import StateDefinition


@check(
    "F700",
    "The workflow is exactly its contract: every state, what it calls with which data, how long it "
    "waits, what it tries again, and what comes next.",
    fix="Change bedrock_tuning/contracts/states/ if it should say this; otherwise take back what "
    "changed the template",
)
def is_its_contract(evidence: Evidence) -> Iterator[Violation]:
    contract = definition_of(evidence.bound.contracts)
    for machine in evidence.assembly.of_type(MACHINE):
        definition = as_whole(machine.properties.get("Definition"))
        if not isinstance(definition, dict):
            text = "a text can say a thing twice, and cdk diff shows all of it for one change"
            yield found(machine, "its definition is not an object", text, "Write it as Definition")
            continue
        for difference in differences(contract, definition):
            place = ": ".join(filter(None, (difference.state, difference.field)))
            what = f"{place} is {in_a_line(difference.now)}"
            yield found(machine, what, f"{in_a_line(difference.then)}, as its contract says")


@check(
    "F704",
    "Every execution sends a message, or decides that none is needed.",
    limit="every outcome is reported: served, rejected, failed, stopped",
    fix="Lead it through the state that notifies",
)
def ends_told(evidence: Evidence) -> Iterator[Violation]:
    for machine, definition in graph.machines(evidence.assembly):
        flow = next(graph.graphs(definition))
        reporting_states = {name for name, state in flow.states.items() if publishes(state)}
        heads: dict[str, set[str]] = {}
        for transition in flow.transitions():
            heads.setdefault(transition.tail, set()).add(transition.head)
        # And what a message follows whatever becomes of it.
        reporting_states |= {
            name for name, next_states in heads.items() if next_states <= reporting_states
        }
        states_before = reporting_states | {
            transition.tail
            for transition in flow.transitions()
            if transition.head in reporting_states and _asks_whether_to_tell(transition.rule or {})
        }
        silent = flow.reached(
            # An upload to a folder of nobody's concerns nobody.
            without=lambda transition: (
                transition.head in states_before or transition.errors == (NO_SETTINGS,)  # noqa: B023
            )
        )
        for name in sorted(silent):
            if graph.ends(flow.states[name]):
                yield found(machine, f"an execution can end in {name} without a message")


def publishes(state: StateDefinition) -> bool:
    """Whether a state sends a message to a topic."""
    return str(state.get("Resource")).endswith(":::sns:publish")


def _asks_whether_to_tell(rule: Mapping[str, Any]) -> bool:
    return str(rule.get("Variable", "")).endswith(".notify") and rule.get("BooleanEquals") is True


@check(
    "F706",
    "Every placeholder of a definition stands for the construct of its name, or for a commit.",
    fix="Correct definition_substitutions in constructs/state_machine.py",
)
def placeholders(evidence: Evidence) -> Iterator[Violation]:
    contract = evidence.bound.contracts.placeholders
    for machine in evidence.assembly.of_type(MACHINE):
        expected = dict.fromkeys(graph.placeholders(machine))
        expected |= {name: evidence.bound.fill(text) for name, text in contract.items()}
        substitutions = machine.properties.get("DefinitionSubstitutions", {})
        # Whoever deploys says it, so nothing here can know which it is.
        commit_value = substitutions.get(COMMIT)
        expected[COMMIT] = commit_value if commit.is_recorded(commit_value) else commit.NOT_RECORDED
        yield from unlike(
            machine, substitutions, expected, exactly=True, absent="not in the contract"
        )
