"""Checks of what the workflow hands to functions and services, and where it keeps their answers."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.contracts import FunctionSpec, job_text
from bedrock_tuning.contracts.contract import DISCARDED, SETTINGS_STATE, SETTINGS_VALUE
from bedrock_tuning.contracts.ending import RECORD_JOB
from bedrock_tuning.contracts.functions import (
    CHECK_IMAGES,
    CHECK_MANIFEST,
    MERGE,
    START_JOB,
)
from bedrock_tuning.contracts.serving import SERVE
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.check import Evidence, Violation, check, found
from bedrock_tuning.review.checks.network import job_network
from bedrock_tuning.review.checks.workflow import states_of
from bedrock_tuning.review.workflow import graph
from bedrock_tuning.run.job import JobRequest

_TRAINS: Final = ":bedrock:createModelCustomizationJob"
_LOADS: Final = ":ssm:getParameter"
_SELECTED: Final = {
    "value.$": "States.StringToJson($.Parameter.Value)",
    "version.$": "$.Parameter.Version",
}
_JOB: Final = RECORD_JOB.payload["job"]
# A person's answer: the approval of a price, or of the terms on which to serve.
_APPROVED: Final = ("$.approval", f"{SERVE.payload['serving']}.approved")
_READS: Final = "arn:aws:states:::aws-sdk:bedrock:getModelCustomizationJob"
_READ: Final = {
    "Resource": _READS,
    "Parameters": {"JobIdentifier.$": f"{_JOB}.JobArn"},
    "ResultPath": _JOB,
}
_SHARDS: Final = MERGE.payload["shards"]
_FIX: Final = "Correct the state in contracts/states/workflow.py, or the function in contracts/"
_ERRORS: Final = re.compile(r"\$\.(\w+\.)?error")


def _called(evidence: Evidence) -> dict[str, FunctionSpec]:
    """The functions of the workflow, by ARN."""
    return {
        evidence.bound.fill(f"{{{function.name}}}"): function.spec
        for function in evidence.bound.contracts.functions
        if function.spec.payload
    }


def _answer(function: FunctionSpec) -> str:
    return function.answer.path if function.answer else ""


@check(
    "F711",
    "The workflow passes every function what it reads, and keeps its result where others read it.",
    fix=_FIX,
)
def payload(evidence: Evidence) -> Iterator[Violation]:
    functions = _called(evidence)
    called = set()
    for machine, name, state in states_of(evidence):
        function, given = functions.get(str(state.get("Resource"))), state.get("Parameters")
        if state.get("Type") == "Map":
            # Each item's execution starts with what the selector makes, and hands all of it on.
            inner = get(state, "ItemProcessor", "States") or {}
            called_there = [functions.get(str(s.get("Resource"))) for s in inner.values()]
            function = next(filter(None, called_there), None)
            given = state.get("ItemSelector")
        elif function is CHECK_IMAGES:
            function = None
            if {"Parameters", "ResultPath"} & set(state):
                yield found(machine, f"{name} changes the shard or its findings", "unchanged")
        if function is None:
            continue
        called.add(function.name)
        wanted = graph.filled(machine, function.handed)
        actual = {k: v for k, v in (given or {}).items() if k != "action"}
        if actual != wanted:
            what = f"{name} passes {actual} to {function.name}"
            yield found(machine, what, f"it reads {wanted}")
        result = state.get("ResultPath", "$")
        if function.answer and result != function.answer.path:
            yield found(machine, f"{name} keeps the answer in {result}", function.answer.path)
        if state.get("Type") == "Task" and not function.answer and not graph.discards(state):
            yield found(machine, f"{name} keeps an answer in {result}", "its function gives none")
    for function in functions.values():
        if function.name not in called:
            machine = next(machine for machine, _ in graph.machines(evidence.assembly))
            yield found(machine, f"nothing calls {function.name}", "it is part of every run")


@check(
    "F717",
    "Each function writes its own result, and the workflow passes it on unchanged.",
    fix=_FIX,
)
def answers(evidence: Evidence) -> Iterator[Violation]:
    owners = {arn: _answer(function) for arn, function in _called(evidence).items()}
    decisive = {path.split(".")[1] for path in (*filter(None, owners.values()), _JOB)}
    decisive.add(SETTINGS_STATE.split(".")[1])
    shards = f"{_answer(CHECK_MANIFEST)}.shards_key"
    for machine, name, state in states_of(evidence):
        resource = str(state.get("Resource"))
        loads = _LOADS in resource
        own = _JOB if _TRAINS in resource or resource == _READS else owners.get(resource)
        own = SETTINGS_STATE if loads else own
        if loads and state.get("ResultSelector") != _SELECTED:
            yield found(machine, f"{name} keeps {state.get('ResultSelector')}", f"{_SELECTED}")
        path = str(state.get("ResultPath"))
        if resource.endswith(".waitForTaskToken") and path in _APPROVED:
            own = path
        if path.startswith("$.") and path.split(".")[1] in decisive and path != own:
            yield found(machine, f"{name} writes {path}", "only the function's own result decides")
        if state.get("Type") == "Map" and path != _SHARDS:
            yield found(machine, f"{name} keeps its results in {path}", _SHARDS)
        for catcher in state.get("Catch", ()):
            if not _ERRORS.fullmatch(str(catcher.get("ResultPath"))):
                yield found(machine, f"{name} writes {catcher}", "an error is kept in .error")
        if state.get("Result", []) != []:
            yield found(machine, f"{name} invents {state['Result']}", "no images: no shards")
        selects = loads or graph.discards(state)
        if path == DISCARDED["ResultPath"] and not selects:
            yield found(machine, f"{name} keeps its result in {path}", f"{DISCARDED}")
        for field in ("InputPath", "ItemsPath", "OutputPath", "ResultSelector", "ResultWriter"):
            if field in state and not (selects and field == "ResultSelector"):
                yield found(machine, f"{name} has {field}", "data is passed on unchanged")
        reader = state.get("ItemReader", {})
        given = {k: v for k, v in reader.get("Parameters", {}).items() if k != "Bucket"}
        given |= reader.get("ReaderConfig", {})
        if reader and given != {"Key.$": shards, "InputType": "JSONL"}:
            yield found(machine, f"{name} reads {given}", f"every line of {shards}")


@check("F713", "The workflow starts exactly the job whose request was built and checked.", fix=_FIX)
def job_request(evidence: Evidence) -> Iterator[Violation]:
    recorder = evidence.bound.fill(f"{{function.{RECORD_JOB.name}}}")
    request = f"{_answer(START_JOB)}.request"
    names = [f"{name[0].upper()}{name[1:]}" for name in JobRequest.__required_keys__]
    wanted: dict[str, Any] = {f"{name}.$": f"{request}.{name}" for name in names}
    wanted |= _of_settings(evidence)
    starters = evidence.bound.contracts.jobs_started_by == "starter"
    credentials = {"RoleArn.$": f"{SETTINGS_VALUE}.starter_role"} if starters else None
    reading = {**_READ, "Credentials": credentials}
    optional = {
        f"{part}.$": f"{request}.{part}" for part in ("ValidationDataConfig", "CustomizationConfig")
    }
    for machine, name, state in states_of(evidence):
        if _TRAINS not in str(state.get("Resource")):
            continue
        states = get(graph.definition(machine), "States")
        read = states.get(state.get("Next"), {})
        if {field: read.get(field) for field in reading} != reading:
            yield found(machine, f"{name} leads to {state.get('Next')}", "the job itself is read")
        if states.get(read.get("Next"), {}).get("Resource") != recorder:
            yield found(machine, f"{name} leads to {read.get('Next')}", "the job is recorded")
        given = {key: _sorted(value) for key, value in state.get("Parameters", {}).items()}
        # Which of the two a job has is decided by the path that leads to it (F722).
        expected = wanted | {key: path for key, path in optional.items() if key in given}
        if not starters:
            given, expected = _built(given), _built(expected)
        if given != expected:
            differs = sorted(
                key for key in {*given, *expected} if given.get(key) != expected.get(key)
            )
            yield found(
                machine,
                f"{name} differs in {', '.join(differs)}",
                f"the request of {START_JOB.name}, and what the settings add",
            )
        if state.get("Credentials") != credentials:
            yield found(
                machine,
                f"{name} runs as {state.get('Credentials', 'the workflow')}",
                f"the starter of the run's settings: {credentials}",
            )
        if not str(state["Resource"]).endswith(".sync"):
            yield found(machine, f"{name} does not wait for its job", ".sync")
        if state.get("ResultPath") != _JOB:
            yield found(machine, f"{name} keeps its job in {state.get('ResultPath')}", _JOB)


def _built(request: Mapping[str, Any]) -> dict[str, Any]:
    """What StartJob alone builds, where the workflow takes the rest from the settings (M807)."""
    own = {*job_text.request(), *job_text.validation()}
    taken = {key.removesuffix(".$") for key in own}
    return {key: value for key, value in request.items() if key.removesuffix(".$") not in taken}


def _of_settings(evidence: Evidence) -> dict[str, Any]:
    """What the settings add to a job: its network, the key of its model."""
    subnets, groups = map(sorted, job_network(evidence.bound))
    network = {"VpcConfig": {"SubnetIds": subnets, "SecurityGroupIds": groups}}
    key = evidence.bound.contracts.placeholders.get("ModelKey")
    encryption = {"CustomModelKmsKeyId": evidence.bound.fill(key)} if key else {}
    return {**(network if subnets else {}), **encryption}


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: sorted(v) if isinstance(v, list) else v for key, v in value.items()}
    return value
