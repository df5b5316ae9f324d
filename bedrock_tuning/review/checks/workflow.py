"""Checks of state machines: valid, all states used, all errors caught, all outcomes reported."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from bedrock_tuning import commit
from bedrock_tuning.contracts.contract import COMMIT, NO_SETTINGS, workflow_name
from bedrock_tuning.contracts.functions import TAKE_TURN
from bedrock_tuning.contracts.grants import CUSTOMIZATION_TAG, ENVIRONMENT_TAG
from bedrock_tuning.contracts.serving import SERVE
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
from bedrock_tuning.review.workflow import graph, states
from bedrock_tuning.review.workflow.differences import differences
from bedrock_tuning.review.workflow.graph import StateDefinition, StateGraph
from bedrock_tuning.review.workflow.tasks import UnknownTaskError, requests
from bedrock_tuning.run.job_queue import QUEUE_DAYS

# Days that a job and its serving may take, besides the wait for an approval.
_JOB_DAYS: Final = 30
# Who says how long a wait takes, and where.
_PAUSES: Final = tuple(
    f"{function.answer.path}.seconds" for function in (SERVE, TAKE_TURN) if function.answer
)
_LONGEST: Final = 31_536_000
# What tasks name that is in no template, or in those of some customization.
_ELSEWHERE: Final = ":(bedrock|execution):|:parameter/"
# What EventBridge says of an upload.
_EVENT: Final = frozenset({"detail"})
_MACHINE: Final = frozenset({"Comment", "StartAt", "States", "TimeoutSeconds"})


def _graphs(evidence: Evidence) -> Iterator[tuple[Resource, StateGraph]]:
    for machine, definition in graph.machines(evidence.assembly):
        for each in graph.graphs(definition):
            yield machine, each


def states_of(evidence: Evidence) -> Iterator[tuple[Resource, str, StateDefinition]]:
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
    "F701",
    "Every state is well-formed, and every transition leads to a state.",
    fix="Correct the state in bedrock_tuning/contracts/states/workflow.py",
)
def well_formed(evidence: Evidence) -> Iterator[Violation]:
    for machine, definition in graph.machines(evidence.assembly):
        for field in sorted(set(definition) - _MACHINE):
            yield found(
                machine,
                f"the definition has {field}",
                f"only {', '.join(sorted(_MACHINE))}",
                "Remove it: this review reads JSONPath only",
            )
    for machine, name, state in states_of(evidence):
        for problem in states.problems(state):
            yield found(machine, f"{name}: {problem}", "the Amazon States Language")
    for machine, each in _graphs(evidence):
        heads = {each.start: "StartAt"} | {t.head: t.tail for t in each.transitions()}
        for head, tail in heads.items():
            if head not in each.states:
                yield found(
                    machine,
                    f"{each.name}{tail} leads to {head!r}, which is not a state",
                    "every transition leads to a state",
                    "Correct the name",
                )


@check(
    "F702",
    "Every state can be reached.",
    limit="no test and no run can pass through an unreachable state",
    fix="Add a transition to it, or remove it",
)
def all_reached(evidence: Evidence) -> Iterator[Violation]:
    for machine, each in _graphs(evidence):
        for name in sorted(set(each.states) - each.reached()):
            yield found(machine, f"no transition from StartAt reaches {each.name}{name}")


@check(
    "F703",
    "Every task retries with backoff, and catches its last error.",
    limit="throttling passes; any other error must be reported",
    fix="Add Retry and Catch, as in the neighbouring states",
)
def errors_handled(evidence: Evidence) -> Iterator[Violation]:
    for machine, name, state in states_of(evidence):
        for problem in states.handling(state):
            yield found(machine, f"{name}: {problem}")


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
    for machine, name, state in states_of(evidence):
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
    "F707", "Every execution has TimeoutSeconds, and so has every state that waits for an answer."
)
def timeouts(evidence: Evidence) -> Iterator[Violation]:
    for machine, definition in graph.machines(evidence.assembly):
        whole = definition.get("TimeoutSeconds")
        limits = {}
        for name, state in graph.all_states(definition):
            if str(state.get("Resource", "")).endswith(".waitForTaskToken"):
                limits[name] = state.get("TimeoutSeconds")
            elif "TimeoutSeconds" in state:
                yield found(
                    machine,
                    f"{name} ends after {state['TimeoutSeconds']} s",
                    "a function has its own limit, a job takes days",
                    "Remove TimeoutSeconds",
                )
            if "HeartbeatSeconds" in state:
                yield found(
                    machine,
                    f"{name} waits for heartbeats",
                    "no function or person sends any",
                    "Remove HeartbeatSeconds",
                )
        # A run asks about its price, a deployment about its terms: no execution asks twice.
        waits = max((seconds for seconds in limits.values() if isinstance(seconds, int)), default=0)
        least = waits + (QUEUE_DAYS + _JOB_DAYS) * 86_400
        if isinstance(whole, int) and whole < least:
            yield found(
                machine,
                f"the state machine ends after {whole} s",
                f"{least} s: the wait for an approval, {QUEUE_DAYS} days for a free slot, and "
                f"{_JOB_DAYS} days for the job",
                "Set TimeoutSeconds as bedrock_tuning/contracts/states/workflow.py does",
            )
        for name, seconds in {"the state machine": whole, **limits}.items():
            if not isinstance(seconds, int) or not 60 <= seconds < _LONGEST:
                yield found(
                    machine,
                    f"TimeoutSeconds of {name} is {seconds or 'not set'}",
                    "60 s to less than a year, after which Step Functions itself ends it",
                    "Set TimeoutSeconds",
                )


@check("F708", "Every loop contains a Wait state.")
def loops_wait(evidence: Evidence) -> Iterator[Violation]:
    for machine, name, state in states_of(evidence):
        if state.get("Type") == "Wait" and state.get("SecondsPath") not in _PAUSES:
            yield found(
                machine,
                f"{name} waits {state}",
                f"as long as Serve or TakeTurn says in {' or '.join(_PAUSES)}",
                "Set SecondsPath",
            )
    for machine, each in _graphs(evidence):
        busy = [(t.tail, t.head) for t in each.transitions() if not _pauses(each.states[t.tail])]
        for name in sorted(_cyclic(busy)):
            yield found(
                machine,
                f"{each.name}{name} is on a loop without a Wait",
                "every transition is billed, so a loop must pause",
                "Put a Wait state into the loop",
            )


def _pauses(state: StateDefinition) -> bool:
    """Whether it waits: for a time, or for a person."""
    return state.get("Type") == "Wait" or str(state.get("Resource")).endswith(".waitForTaskToken")


def _cyclic(edges: list[tuple[str, str]]) -> set[str]:
    """Nodes on cycles: what stays when nodes without a way in or out are taken away."""
    left = list(edges)
    while True:
        tails, heads = {t for t, _ in left}, {h for _, h in left}
        kept = [(t, h) for t, h in left if t in heads and h in tails]
        if len(kept) == len(left):
            return tails & heads
        left = kept


@check(
    "F709",
    "Every state finds the data that it reads, on every path that leads to it.",
    limit="not every path to it writes that, and a missing value fails the execution",
    fix="Correct the ResultPath before it, or the path",
)
def data_flow(evidence: Evidence) -> Iterator[Violation]:
    for machine, each in _graphs(evidence):
        known = replace(each, given=each.given or _EVENT).known_before()
        for name in each.reached():
            unknown = graph.reads(each.states[name]) - known[name]
            if unknown:
                yield found(machine, f"{each.name}{name} reads {', '.join(sorted(unknown))}")


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
