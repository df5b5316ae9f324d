"""Checks of what the workflow hands to functions and services, and how it reads their answers."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bedrock_tuning.contracts import payloads
from bedrock_tuning.contracts.transitions import ROUTES, SHARD_ROUTES
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import Evidence, Violation, check
from bedrock_tuning.review.workflow import graph
from bedrock_tuning.review.workflow.transitions import routes

_SUBJECT_MAX = 100
_TRAINS = ":bedrock:createModelCustomizationJob"
_FIX = "Correct the state in constructs/workflow.py, or the contract in contracts/payloads.py"


def _found(machine: Resource, what: str, limit: str) -> Violation:
    return Violation(where=machine.path, what=what, limit=limit, fix=_FIX)


def _states(evidence: Evidence) -> Iterator[tuple[Resource, str, Mapping[str, Any]]]:
    for machine, definition in graph.machines(evidence.assembly):
        for flow in graph.flows(definition):
            for name, state in flow.states.items():
                yield machine, f"{flow.name}{name}", state


@check("F711", "Every function is handed what it reads, and its answer is kept where it is read.")
def payload(evidence: Evidence) -> Iterator[Violation]:
    functions = {evidence.bound.fill(f"{{function.{name}}}"): name for name in payloads.PAYLOADS}
    called = set()
    for machine, name, state in _states(evidence):
        function, given = functions.get(str(state.get("Resource"))), state.get("Parameters")
        if state.get("Type") == "Map":
            # Each item's execution starts with what the selector makes, and hands all of it on.
            inner = get(state, "ItemProcessor", "States") or {}
            found = [functions.get(str(s.get("Resource"))) for s in inner.values()]
            function, given = next((f for f in found if f), None), state.get("ItemSelector")
        elif function == "CheckImages":
            function = None
            if {"Parameters", "ResultPath"} & set(state):
                yield _found(machine, f"{name} changes the shard or its findings", "handed on")
        if function is None:
            continue
        called.add(function)
        wanted = {f"{key}.$": path for key, path in payloads.PAYLOADS[function].items()}
        actual = {k: v for k, v in (given or {}).items() if k != "action"}
        if actual != wanted:
            yield _found(machine, f"{name} hands {actual} to {function}", f"it reads {wanted}")
        result = payloads.RESULTS.get(function)
        if result is not None and state.get("ResultPath", "$") != result:
            yield _found(
                machine, f"{name} keeps the answer in {state.get('ResultPath', '$')}", result
            )
    for function in sorted(set(payloads.PAYLOADS) - called):
        yield _found(
            next(machine for machine, _ in graph.machines(evidence.assembly)),
            f"nothing calls {function}",
            "every function of the workflow has its part",
        )


@check("F712", "After each answer the workflow asks for every value that matters, and no other.")
def decisions(evidence: Evidence) -> Iterator[Violation]:
    functions = {evidence.bound.fill(f"{{function.{name}}}"): name for name in payloads.PAYLOADS}
    for machine, name, state in _states(evidence):
        for rule in state.get("Choices", ()):
            possible = payloads.DECISIONS.get(str(rule.get("Variable")))
            if possible is not None and rule.get("StringEquals") not in possible:
                yield _found(
                    machine,
                    f"{name} asks whether {rule.get('Variable')} is {rule.get('StringEquals')}",
                    f"it can be {', '.join(possible)}",
                )
            counted = rule.get("NumericGreaterThan", 0)
            if counted != 0:
                yield _found(machine, f"{name} asks for more than {counted}", "more than none")
        answer = functions.get(str(state.get("Resource")), "")
        action = get(state, "Parameters", "action")
        wanted = payloads.ASKED.get(f"{answer} {action}" if action else answer)
        if wanted is None:
            continue
        following = get(graph.definition(machine), "States", str(state.get("Next"))) or {}
        asked = {str(rule.get("StringEquals")) for rule in following.get("Choices", ())}
        if asked != wanted:
            yield _found(
                machine,
                f"after {name} it asks for {', '.join(sorted(asked)) or 'nothing'}",
                f"{', '.join(sorted(wanted))} matter",
            )


@check("F716", "A shard that could not be checked says so, with its number and its error.")
def unchecked_shards(evidence: Evidence) -> Iterator[Violation]:
    for machine, definition in graph.machines(evidence.assembly):
        for flow in graph.flows(definition):
            if not flow.name:
                continue
            plain = flow.reached(without=lambda edge: edge.caught)
            for name in sorted(flow.reached() - plain):
                state = flow.states[name]
                told = state.get("Parameters", {})
                if graph.ends(state) and told != payloads.UNCHECKED_SHARD:
                    yield _found(
                        machine,
                        f"{flow.name}{name} ends with {told}",
                        f"merge reads {payloads.UNCHECKED_SHARD}",
                    )


_ERRORS = re.compile(r"\$\.(\w+\.)?error")


@check("F717", "Each answer is written by its own function, and handed on as it is.")
def answers(evidence: Evidence) -> Iterator[Violation]:
    owners = {evidence.bound.fill(f"{{function.{n}}}"): p for n, p in payloads.RESULTS.items()}
    decisive = {path.split(".")[1] for path in (*payloads.RESULTS.values(), payloads.JOB)}
    for machine, name, state in _states(evidence):
        resource = str(state.get("Resource"))
        own = payloads.JOB if _TRAINS in resource else owners.get(resource)
        path = str(state.get("ResultPath"))
        if path.startswith("$.") and path.split(".")[1] in decisive and path != own:
            yield _found(machine, f"{name} writes {path}", "only the answer itself decides")
        for catcher in state.get("Catch", ()):
            if not _ERRORS.fullmatch(str(catcher.get("ResultPath"))):
                yield _found(machine, f"{name} writes {catcher}", "an error is kept in .error")
        if state.get("Result", []) != []:
            yield _found(machine, f"{name} makes up {state['Result']}", "no images: no shards")
        for field in ("InputPath", "ItemsPath", "OutputPath", "ResultSelector", "ResultWriter"):
            if field in state:
                yield _found(machine, f"{name} has {field}", "data is handed on as it is")
        reader = state.get("ItemReader", {})
        given = {k: v for k, v in reader.get("Parameters", {}).items() if k != "Bucket"}
        given |= reader.get("ReaderConfig", {})
        if reader and given != {"Key.$": payloads.SHARDS, "InputType": "JSONL"}:
            yield _found(machine, f"{name} reads {given}", f"every line of {payloads.SHARDS}")


@check("F713", "The job is exactly the request that was built and checked.")
def job_request(evidence: Evidence) -> Iterator[Violation]:
    filled = {n: evidence.bound.fill(t) for n, t in evidence.bound.contracts.placeholders.items()}
    subnets, groups = (
        sorted(value for name, value in filled.items() if name.startswith(kind))
        for kind in ("JobSubnet", "JobGroup")
    )
    extra = {
        "VpcConfig": {"SubnetIds": subnets, "SecurityGroupIds": groups} if subnets else None,
        "CustomModelKmsKeyId": filled.get("ModelKey"),
    }
    recorder = evidence.bound.fill("{function.RecordJob}")
    for machine, name, state in _states(evidence):
        if _TRAINS not in str(state.get("Resource")):
            continue
        following = get(graph.definition(machine), "States", str(state.get("Next"))) or {}
        if following.get("Resource") != recorder:
            yield _found(machine, f"{name} leads to {state.get('Next')}", "the job is recorded")
        given = dict(state.get("Parameters", {}))
        given.pop("ValidationDataConfig.$", None)
        for field, wanted in extra.items():
            found = given.pop(field, None)
            if isinstance(found, Mapping):
                found = {k: sorted(v) if isinstance(v, list) else v for k, v in found.items()}
            if found != wanted:
                yield _found(machine, f"{field} of {name} is {found}", f"settings: {wanted}")
        right = {f"{field}.$": f"{payloads.JOB_REQUEST}.{field}" for field in payloads.JOB_FIELDS}
        if given != right:
            differs = sorted({*given.items(), *right.items()} - (given.items() & right.items()))
            yield _found(machine, f"{name} differs in {differs}", "the request of StartJob")
        if not str(state["Resource"]).endswith(".sync"):
            yield _found(machine, f"{name} does not wait for its job", ".sync")
        if state.get("ResultPath") != payloads.JOB:
            yield _found(
                machine, f"{name} keeps its job in {state.get('ResultPath')}", payloads.JOB
            )
        yield from _validation(machine)


def _validation(machine: Resource) -> Iterator[Violation]:
    """One state trains with the validation dataset: where there is one."""
    flow = next(graph.flows(graph.definition(machine)))
    wanted = f"{payloads.JOB_REQUEST}.ValidationDataConfig"
    validated = {
        name
        for name, state in flow.states.items()
        if get(state, "Parameters", "ValidationDataConfig.$") == wanted
    }
    led = {
        edge.head
        for edge in flow.edges()
        if edge.rule
        and str(edge.rule.get("Variable")).endswith(".with_validation")
        and edge.rule.get("BooleanEquals") is True
    }
    if len(validated) != 1 or validated != led:
        yield _found(
            machine,
            f"{sorted(validated)} train with a validation dataset, {sorted(led)} if there is one",
            "one state does, exactly where there is one",
        )


@check("F714", "Whoever is asked to approve can answer: the token is kept, the message says how.")
def approval(evidence: Evidence) -> Iterator[Violation]:
    days = next(
        int(f.environment["APPROVAL_DAYS"])
        for f in evidence.bound.contracts.functions
        if "APPROVAL_DAYS" in f.environment
    )
    table = evidence.bound.fill("{runs:name}")
    for machine, name, state in _states(evidence):
        resource = str(state.get("Resource"))
        if "dynamodb:updateItem" not in resource:
            continue
        waits = resource.endswith(".waitForTaskToken")
        wanted = payloads.AWAIT_APPROVAL if waits else payloads.NOTE_APPROVAL
        if state.get("Parameters") != {"TableName": table, **wanted}:
            yield _found(
                machine, f"{name} writes {state.get('Parameters')}", f"`tuning approve`: {wanted}"
            )
        if state.get("ResultPath", "$") == "$":
            yield _found(machine, f"{name} loses the run's data", "they are kept")
        if waits and state.get("TimeoutSeconds") != days * 86_400:
            yield _found(
                machine,
                f"{name} waits {state.get('TimeoutSeconds')} s",
                f"approval_days says {days} days",
            )


def _message(
    machine: Resource, name: str, given: Mapping[str, Any], evidence: Evidence
) -> Iterator[Violation]:
    """The outcome as CloseRun worded it, or what the contract names, each from its place."""
    message = given.get("Message")
    if not 1 <= len(str(given.get("Subject.$", given.get("Subject")))) <= _SUBJECT_MAX:
        yield _found(machine, f"{name} has the subject {given.get('Subject')!r}", "SNS takes 100")
    if not isinstance(message, Mapping):
        told = {key: value for key, value in given.items() if key != "TopicArn"}
        if told != payloads.OUTCOME:
            yield _found(machine, f"{name} tells {told}", f"{payloads.OUTCOME}")
        return
    expected = payloads.MESSAGES.get(str(message.get("status")), {})
    environment = evidence.bound.contracts.environment
    wanted = {key: value.replace("{environment}", environment) for key, value in expected.items()}
    words = [key for key, value in wanted.items() if not value]
    right = all("$.error.Error, $.error.Cause)" in str(message.get(key)) for key in words)
    if {**message, **dict.fromkeys(words, "")} != wanted or not right:
        yield _found(machine, f"{name} tells {dict(message)}", f"{wanted}")


@check("F715", "A message has a subject and a text, and a failed run fails.")
def messages(evidence: Evidence) -> Iterator[Violation]:
    for machine, name, state in _states(evidence):
        if str(state.get("Resource")).endswith(":::sns:publish"):
            fields = {field.removesuffix(".$") for field in state.get("Parameters", {})}
            if fields != {"TopicArn", "Subject", "Message"}:
                yield _found(
                    machine, f"{name} sends {sorted(fields)}", "a topic, a evidence, a message"
                )
            yield from _message(machine, name, state.get("Parameters", {}), evidence)
            if state.get("ResultPath", "$") is not None:
                yield _found(machine, f"{name} keeps SNS's answer", "it keeps the run's data")
        if name in _good_ends(graph.definition(machine)):
            yield _found(machine, f"{name} ends well", "only what did not fail: $.outcome.failed")
        if state.get("Type") != "Choice":
            continue
        for rule in state["Choices"]:
            if str(rule.get("Variable", "")).endswith("outcome.failed"):
                flow = next(graph.flows(graph.definition(machine)))
                ends = [
                    flow.states.get(str(rule.get("Next")), {}).get("Type"),
                    flow.states.get(str(state.get("Default")), {}).get("Type"),
                ]
                if rule.get("BooleanEquals") is not True or ends != ["Fail", "Succeed"]:
                    yield _found(machine, f"{name} ends in {ends}", "Fail, if it failed")


def _good_ends(definition: Mapping[str, Any]) -> set[str]:
    """States where an execution succeeds although nobody asked whether the run failed."""
    flow = next(graph.flows(definition))

    def asked(edge: graph.Edge) -> bool:
        rules = flow.states[edge.tail].get("Choices", ())
        return edge.default and any(r.get("Variable") == "$.outcome.failed" for r in rules)

    unasked = flow.reached(without=asked)
    return {
        n for n in unasked if graph.ends(flow.states[n]) and flow.states[n].get("Type") != "Fail"
    }


@check("F718", "After each answer comes what the contract says, and nothing comes between.")
def next_steps(evidence: Evidence) -> Iterator[Violation]:
    functions = {evidence.bound.fill(f"{{function.{n}}}"): n for n in payloads.PAYLOADS}
    for machine, definition in graph.machines(evidence.assembly):
        for flow in graph.flows(definition):
            wanted = SHARD_ROUTES if flow.name else ROUTES
            found = routes(flow, functions)
            for done in dict.fromkeys((*found, *wanted)):
                ways, right = found.get(done, {}), wanted.get(done, {})
                for answer in dict.fromkeys((*ways, *right)):
                    if ways.get(answer) != right.get(answer) or done not in wanted:
                        when = f"{flow.name}{done}{f', {answer},' if answer else ''}"
                        yield Violation(
                            where=machine.path,
                            what=f"after {when} comes {ways.get(answer, 'nothing')}",
                            limit=f"{right.get(answer, 'nothing')} does",
                            fix="Correct constructs/workflow.py, or contracts/transitions.py",
                        )


CHECKS = (
    payload,
    decisions,
    job_request,
    approval,
    messages,
    unchecked_shards,
    answers,
    next_steps,
)
