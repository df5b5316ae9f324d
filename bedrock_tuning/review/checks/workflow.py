"""Checks of state machines: valid, all states used, all errors caught, all outcomes reported."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.contracts.serving import SERVE
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import Evidence, Violation, check
from bedrock_tuning.review.iam.keys import cannot_use
from bedrock_tuning.review.workflow import graph, states
from bedrock_tuning.review.workflow.graph import Flow
from bedrock_tuning.review.workflow.tasks import UnknownTaskError, requests

# Days that a job and its serving may take, besides the wait for an approval.
_JOB_DAYS: Final = 30
_PAUSE: Final = f"{SERVE.payload['serving']}.seconds"
_LONGEST: Final = 31_536_000
_MACHINE: Final = frozenset({"Comment", "StartAt", "States", "TimeoutSeconds"})


def _flows(evidence: Evidence) -> Iterator[tuple[Resource, Flow]]:
    for machine, definition in graph.machines(evidence.assembly):
        for flow in graph.flows(definition):
            yield machine, flow


def _found(machine: Resource, what: str, limit: str, fix: str) -> Violation:
    return Violation(where=machine.path, what=what, limit=limit, fix=fix)


@check("F701", "Every state is well-formed, and every transition leads to a state.")
def well_formed(evidence: Evidence) -> Iterator[Violation]:
    for machine, definition in graph.machines(evidence.assembly):
        for field in sorted(set(definition) - _MACHINE):
            yield _found(
                machine,
                f"it has {field}",
                f"{', '.join(sorted(_MACHINE))}",
                "Remove it: this review reads JSONPath only",
            )
    for machine, flow in _flows(evidence):
        for name, state in flow.states.items():
            for problem in states.problems(state):
                yield _found(
                    machine,
                    f"{flow.name}{name}: {problem}",
                    "the Amazon States Language",
                    "Correct the state in bedrock_tuning/constructs/workflow.py",
                )
        wanted = {flow.start: "StartAt"} | {e.head: e.tail for e in flow.edges()}
        for head, tail in wanted.items():
            if head not in flow.states:
                yield _found(
                    machine,
                    f"{flow.name}{tail} leads to {head!r}, which is not a state",
                    "every transition leads to a state",
                    "Correct the name",
                )


@check("F702", "Every state can be reached.")
def all_reached(evidence: Evidence) -> Iterator[Violation]:
    for machine, flow in _flows(evidence):
        for name in sorted(set(flow.states) - flow.reached()):
            yield _found(
                machine,
                f"{flow.name}{name} is never reached",
                "an unreachable state is never tested",
                "Add a transition to it, or remove it",
            )


@check("F703", "Every task is retried with backoff, and its last error is caught.")
def errors_handled(evidence: Evidence) -> Iterator[Violation]:
    for machine, flow in _flows(evidence):
        for name, state in flow.states.items():
            for problem in states.handling(state):
                yield _found(
                    machine,
                    f"{flow.name}{name}: {problem}",
                    "throttling passes; any other error must be reported",
                    "Add Retry and Catch, as in the neighbouring states",
                )


def _is_publish(_name: str, state: Mapping[str, Any]) -> bool:
    return str(state.get("Resource", "")).endswith(":::sns:publish")


@check("F704", "Every execution sends a message, or decides that none is needed.")
def ends_told(evidence: Evidence) -> Iterator[Violation]:
    for machine, definition in graph.machines(evidence.assembly):
        flow = next(graph.flows(definition))
        tells = {name for name, state in flow.states.items() if _is_publish(name, state)}
        ask = {
            edge.tail
            for edge in flow.edges()
            if edge.head in tells and edge.rule is not None and _asks_whether_to_tell(edge.rule)
        }
        silent = flow.reached(closed=lambda name, _: name in tells | ask)  # noqa: B023
        for name in sorted(silent):
            if graph.ends(flow.states[name]):
                yield _found(
                    machine,
                    f"{name} can be reached without a message",
                    "every outcome is reported: served, rejected, failed, stopped",
                    "Lead it through the state that notifies",
                )


def _asks_whether_to_tell(rule: Mapping[str, Any]) -> bool:
    return str(rule.get("Variable", "")).endswith(".notify") and rule.get("BooleanEquals") is True


@check("F705", "The state machine's role allows every task, and every task calls what it should.")
def tasks_allowed(evidence: Evidence) -> Iterator[Violation]:
    for machine, definition in graph.machines(evidence.assembly):
        role = str(machine.properties.get("RoleArn", ""))
        if role != evidence.bound.fill("{role.workflow}"):
            yield _found(
                machine, f"it acts as {role}", "its own role", "Set role to the workflow's"
            )
        for flow in graph.flows(definition):
            for name, state in flow.states.items():
                for problem in _lacks(evidence, state, role, machine.arn):
                    yield _found(
                        machine,
                        f"{flow.name}{name} {problem}",
                        "each task must be known to this review, and allowed",
                        "Grant it in contracts/roles.py, or correct what the task calls",
                    )


def _lacks(evidence: Evidence, state: Mapping[str, Any], role: str, machine: str) -> Iterator[str]:
    region, world = evidence.bound.region, evidence.world
    try:
        asked = list(requests(state, role=role, machine=machine, region=region))
    except UnknownTaskError as error:
        yield f"calls {error}, which this review does not know"
        return
    for request in asked:
        target = evidence.assembly.by_arn(request.resource.partition("/")[0])
        target = target or evidence.assembly.by_arn(request.resource)
        lacks = []
        if not world.decide(role, request.action, request.resource, request.context):
            lacks.append(request.action)
        if target is not None:
            lacks += cannot_use(world, role, request.action, target, request.context, region=region)
        elif not any(part in request.resource for part in (":bedrock:", ":execution:")):
            lacks.append("a resource of these templates")
        if lacks:
            yield f"lacks {', '.join(lacks)} for {request.resource}"


@check("F706", "Every placeholder of a definition stands for the construct of its name.")
def placeholders(evidence: Evidence) -> Iterator[Violation]:
    for machine in evidence.assembly.of_type("AWS::StepFunctions::StateMachine"):
        wanted = {
            name: evidence.bound.fill(text)
            for name, text in evidence.bound.contracts.placeholders.items()
        }
        found = machine.properties.get("DefinitionSubstitutions", {})
        for name in sorted({*found, *wanted, *graph.placeholders(machine)}):
            if found.get(name) != wanted.get(name):
                yield _found(
                    machine,
                    f"${{{name}}} is {found.get(name, 'not given')}",
                    f"it is {wanted.get(name, 'not in the contract')}",
                    "Correct definition_substitutions in constructs/state_machine.py",
                )


@check("F707", "Every execution has a time limit, and so has every state that waits for an answer.")
def timeouts(evidence: Evidence) -> Iterator[Violation]:
    for machine, definition in graph.machines(evidence.assembly):
        whole = definition.get("TimeoutSeconds")
        limits = {}
        for flow in graph.flows(definition):
            for name, state in flow.states.items():
                if str(state.get("Resource", "")).endswith(".waitForTaskToken"):
                    limits[name] = state.get("TimeoutSeconds")
                elif "TimeoutSeconds" in state:
                    yield _found(
                        machine,
                        f"{flow.name}{name} gives up after {state['TimeoutSeconds']} s",
                        "a function has its own limit, a job takes days",
                        "Remove TimeoutSeconds",
                    )
                if "HeartbeatSeconds" in state:
                    yield _found(
                        machine,
                        f"{flow.name}{name} waits for heartbeats",
                        "nobody sends any",
                        "Remove HeartbeatSeconds",
                    )
        waits = sum(seconds for seconds in limits.values() if isinstance(seconds, int))
        least = waits + _JOB_DAYS * 86_400
        if isinstance(whole, int) and whole < least:
            yield _found(
                machine,
                f"the state machine ends after {whole} s",
                f"{least} s: the wait for an approval, and {_JOB_DAYS} days for the job",
                "Set TimeoutSeconds as bedrock_tuning/constructs/workflow.py does",
            )
        for name, seconds in {"the state machine": whole, **limits}.items():
            if not isinstance(seconds, int) or not 60 <= seconds < _LONGEST:
                yield _found(
                    machine,
                    f"{name} has the time limit {seconds or 'none'}",
                    "less than a year, by which Step Functions itself ends it",
                    "Set TimeoutSeconds",
                )


@check("F708", "Every loop contains a Wait state.")
def loops_wait(evidence: Evidence) -> Iterator[Violation]:
    for machine, flow in _flows(evidence):
        for name, state in flow.states.items():
            if state.get("Type") == "Wait" and state.get("SecondsPath") != _PAUSE:
                yield _found(
                    machine,
                    f"{flow.name}{name} waits {state}",
                    f"as long as Serve says in {_PAUSE}",
                    "Set SecondsPath",
                )
        busy = [
            (edge.tail, edge.head)
            for edge in flow.edges()
            if flow.states.get(edge.tail, {}).get("Type") != "Wait"
        ]
        for name in sorted(_cyclic(busy)):
            yield _found(
                machine,
                f"{flow.name}{name} is on a loop without a Wait",
                "every transition is billed, so a loop must pause",
                "Put a Wait state into the loop",
            )


def _cyclic(edges: list[tuple[str, str]]) -> set[str]:
    """Nodes on cycles: what stays when nodes without a way in or out are taken away."""
    left = list(edges)
    while True:
        tails, heads = {t for t, _ in left}, {h for _, h in left}
        kept = [(t, h) for t, h in left if t in heads and h in tails]
        if len(kept) == len(left):
            return tails & heads
        left = kept


@check("F709", "Every state finds the data that it reads, on every path that leads to it.")
def data_flow(evidence: Evidence) -> Iterator[Violation]:
    for machine, flow in _flows(evidence):
        known = flow.known_before()
        reached = flow.reached()
        for name, state in flow.states.items():
            unknown = graph.reads(state) - known.get(name, frozenset())
            if name in reached and unknown:
                yield _found(
                    machine,
                    f"{flow.name}{name} reads {', '.join(sorted(unknown))}",
                    "not every path to it writes that, and a missing value fails the execution",
                    "Correct the ResultPath before it, or the path",
                )


@check("F710", "A state machine logs everything it does, without the data of its executions.")
def logged(evidence: Evidence) -> Iterator[Violation]:
    # Its role's policy speaks of its own executions by this name.
    name = f"tuning-{evidence.bound.contracts.environment}-workflow"
    for machine in evidence.assembly.of_type("AWS::StepFunctions::StateMachine"):
        logging = machine.properties.get("LoggingConfiguration", {})
        group = get(logging, "Destinations", 0, "CloudWatchLogsLogGroup", "LogGroupArn")
        for what, good in (
            ("level ALL", logging.get("Level") == "ALL"),
            ("no execution data", str(logging.get("IncludeExecutionData")).lower() == "false"),
            ("its own log group", group == evidence.bound.fill("{logs.workflow}")),
            ("one destination", len(logging.get("Destinations", ())) == 1),
            (f"the name {name}", machine.properties.get("StateMachineName") == name),
            ("type STANDARD", machine.properties.get("StateMachineType") in (None, "STANDARD")),
        ):
            if not good:
                yield _found(
                    machine,
                    f"it lacks {what}",
                    "a run of several days must be traceable; its data stays in the buckets",
                    "Write logs=… as constructs/state_machine.py does",
                )


CHECKS = (
    well_formed,
    all_reached,
    errors_handled,
    ends_told,
    tasks_allowed,
    placeholders,
    timeouts,
    loops_wait,
    data_flow,
    logged,
)
