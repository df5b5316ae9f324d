"""Checks of state machines: as their contract says, allowed, every outcome told, all logged."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning import commit
from bedrock_tuning.contracts.contract import COMMIT, NO_SETTINGS, workflow_name
from bedrock_tuning.contracts.grants import CUSTOMIZATION_TAG, ENVIRONMENT_TAG
from bedrock_tuning.contracts.states.workflow import definition_of
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import (
    Evidence,
    Violation,
    check,
    found,
    in_a_line,
    mismatches,
    unlike,
)
from bedrock_tuning.review.iam.keys import lacking
from bedrock_tuning.review.iam.simulator import Request
from bedrock_tuning.review.workflow import graph
from bedrock_tuning.review.workflow.differences import differences
from bedrock_tuning.review.workflow.graph import StateDefinition
from bedrock_tuning.review.workflow.tasks import UnknownTaskError, requests

# What tasks name that is in no template, or in those of some customization.
_ELSEWHERE: Final = ":(bedrock|execution):|:parameter/"


def _states(evidence: Evidence) -> Iterator[tuple[Resource, str, StateDefinition]]:
    """Every state of every state machine, with its name for messages."""
    for machine, definition in graph.machines(evidence.assembly):
        for name, state in graph.all_states(definition):
            yield machine, name, state


@check(
    "F700",
    "The workflow is exactly its contract: every state, what it calls with which data, how long it "
    "waits, what it tries again, and what comes next.",
    fix="Change bedrock_tuning/contracts/states/ if it should say this; otherwise take back what "
    "changed the template",
)
def is_its_contract(evidence: Evidence) -> Iterator[Violation]:
    contract = definition_of(evidence.bound.contracts)
    for machine in evidence.assembly.of_type(graph.MACHINE):
        definition = as_whole(machine.properties.get("Definition"))
        if not isinstance(definition, dict):
            text = "a text can say a thing twice, and cdk diff shows all of it for one change"
            yield found(machine, "its definition is not an object", text, "Write it as Definition")
            continue
        for each in differences(contract, definition):
            place = ": ".join(filter(None, (each.state, each.field)))
            what = f"{place} is {in_a_line(each.now)}"
            yield found(machine, what, f"{in_a_line(each.then)}, as its contract says")


@check(
    "F704",
    "Every execution sends a message, or decides that none is needed.",
    limit="every outcome is reported: served, rejected, failed, stopped",
    fix="Lead it through the state that notifies",
)
def ends_told(evidence: Evidence) -> Iterator[Violation]:
    for machine, definition in graph.machines(evidence.assembly):
        whole = next(graph.graphs(definition))
        tells = {name for name, state in whole.states.items() if publishes(state)}
        heads: dict[str, set[str]] = {}
        for each in whole.transitions():
            heads.setdefault(each.tail, set()).add(each.head)
        # And what a message follows whatever becomes of it.
        tells |= {name for name, following in heads.items() if following <= tells}
        told = tells | {
            each.tail
            for each in whole.transitions()
            if each.head in tells and _asks_whether_to_tell(each.rule or {})
        }
        silent = whole.reached(
            # An upload to a folder of nobody's concerns nobody.
            without=lambda t: t.head in told or t.errors == (NO_SETTINGS,)  # noqa: B023
        )
        for name in sorted(silent):
            if graph.ends(whole.states[name]):
                yield found(machine, f"an execution can end in {name} without a message")


def publishes(state: StateDefinition) -> bool:
    """Whether a state sends a message to a topic."""
    return str(state.get("Resource")).endswith(":::sns:publish")


def _asks_whether_to_tell(rule: Mapping[str, Any]) -> bool:
    return str(rule.get("Variable", "")).endswith(".notify") and rule.get("BooleanEquals") is True


@check(
    "F705",
    "The state machine's role allows every task, and every task calls what it should.",
    limit="each task must be known to this review, and allowed to the workflow's own role",
    fix="Grant it in contracts/roles.py, or correct what the task calls",
)
def tasks_allowed(evidence: Evidence) -> Iterator[Violation]:
    own = evidence.bound.fill("{role.workflow}")
    for machine in evidence.assembly.of_type("AWS::StepFunctions::StateMachine"):
        yield from mismatches(machine, {"RoleArn": own})
    for machine, name, state in _states(evidence):
        for problem in _lacks(evidence, state, str(machine.properties.get("RoleArn")), machine.arn):
            yield found(machine, f"{name} {problem}")


def _lacks(evidence: Evidence, state: StateDefinition, role: str, machine: str) -> Iterator[str]:
    permissions, region = evidence.permissions, evidence.bound.region
    # A task with Credentials runs as whichever starter the run's settings name; any other one as
    # the workflow, for any customization.
    starters = {
        evidence.contracted[name].arn: customization
        for customization in evidence.bound.contracts.serving
        if (name := f"role.start.{customization}") in evidence.contracted
    }
    environment = evidence.bound.contracts.environment
    roles = starters if "Credentials" in state else {role: "sample"}
    try:
        asked = [
            request
            for each, customization in roles.items()
            for request in requests(
                state,
                role=each,
                machine=machine,
                region=region,
                tags={CUSTOMIZATION_TAG: customization, ENVIRONMENT_TAG: environment},
            )
        ]
    except UnknownTaskError as error:
        yield f"calls {error}, which this review does not know"
        return
    if "Credentials" in state:
        become = {"sts:ExternalId": machine}
        asked += [
            Request(principal=role, action="sts:AssumeRole", resource=each, context=become)
            for each in starters
        ]
    for request in asked:
        target = permissions.knows(request.resource)
        who = request.principal
        lacks = lacking(permissions, who, request.action, request.resource, request.context)
        if not target and not re.search(_ELSEWHERE, request.resource):
            lacks.append("a resource of these templates")
        if lacks:
            yield f"lacks {', '.join(lacks)} for {request.resource}"


@check(
    "F706",
    "Every placeholder of a definition stands for the construct of its name, or for a commit.",
    fix="Correct definition_substitutions in constructs/state_machine.py",
)
def placeholders(evidence: Evidence) -> Iterator[Violation]:
    contract = evidence.bound.contracts.placeholders
    for machine in evidence.assembly.of_type("AWS::StepFunctions::StateMachine"):
        wanted = dict.fromkeys(graph.placeholders(machine))
        wanted |= {name: evidence.bound.fill(text) for name, text in contract.items()}
        given = machine.properties.get("DefinitionSubstitutions", {})
        # Whoever deploys says it, so nothing here can know which it is.
        said = given.get(COMMIT)
        wanted[COMMIT] = said if commit.is_recorded(said) else commit.NOT_RECORDED
        yield from unlike(machine, given, wanted, exactly=True, absent="not in the contract")


@check(
    "F710",
    "A state machine logs everything it does, without the data of its executions.",
    limit="a run of several days must be traceable; its data stays in the buckets",
    fix="Write logs=… as constructs/state_machine.py does",
)
def logged(evidence: Evidence) -> Iterator[Violation]:
    destinations = "LoggingConfiguration.Destinations"
    wanted = {
        "LoggingConfiguration.Level": "ALL",
        "LoggingConfiguration.IncludeExecutionData": False,
        f"{destinations}.0.CloudWatchLogsLogGroup.LogGroupArn": evidence.bound.fill(
            "{logs.workflow}"
        ),
        f"{destinations}.1": None,
        # Its role's policy speaks of its own executions by this name.
        "StateMachineName": workflow_name(evidence.bound.contracts.environment),
        "StateMachineType": (None, "STANDARD"),
        "TracingConfiguration.Enabled": evidence.bound.contracts.traced or None,
    }
    for machine in evidence.assembly.of_type("AWS::StepFunctions::StateMachine"):
        yield from mismatches(machine, wanted)
