"""The form of a single state of the Amazon States Language: fields, paths, choices, retries."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.workflow.graph import StateDefinition

_TYPES: Final = {
    "Task": {
        "Resource",
        "Credentials",
        "Parameters",
        "ResultSelector",
        "Retry",
        "Catch",
        "TimeoutSeconds",
        "HeartbeatSeconds",
    },
    "Choice": {"Choices", "Default"},
    "Wait": {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Pass": {"Result", "Parameters"},
    "Succeed": set[str](),
    "Fail": {"Error", "ErrorPath", "Cause", "CausePath"},
    "Map": {
        "ItemProcessor",
        "ItemReader",
        "ItemSelector",
        "ItemsPath",
        "Label",
        "MaxConcurrency",
        "ResultSelector",
        "ResultWriter",
        "Retry",
        "Catch",
    },
    "Parallel": {"Branches", "ResultSelector", "Parameters", "Retry", "Catch"},
}
_EVERYWHERE: Final = {"Type", "Comment", "Next", "End", "InputPath", "OutputPath", "ResultPath"}
_PATH: Final = re.compile(r"\$\$?(\.[A-Za-z_]\w*|\[\d+\])*")
# What a Fail state may make its error and its cause with (Step Functions guide, Fail).
_WORDS: Final = re.compile(
    r"States\.(Format|JsonToString|ArrayGetItem|Base64(En|De)code|Hash|UUID)\(.*\)"
)
_DYNAMIC: Final = re.compile(rf"{_PATH.pattern}|States\.[A-Z]\w+\(.*\)")
_RESOURCE: Final = re.compile(r"arn:[a-z-]+:(states:::[\w:.-]+|lambda:[\w-]+:\d+:function:[\w-]+)")
_COMPARISONS: Final = re.compile(
    r"(String|Numeric|Timestamp|Boolean)(Equals|LessThan|GreaterThan|LessThanEquals"
    r"|GreaterThanEquals|Matches)(Path)?|Is(Null|Present|Numeric|String|Boolean|Timestamp)"
)
# Names of errors that retries may count on: Step Functions', Lambda's, and boto3's classes.
_ERRORS: Final = re.compile(
    r"States\.(ALL|Timeout|TaskFailed|HeartbeatTimeout|ItemReaderFailed)"
    r"|Lambda\.(ServiceException|AWSLambdaException|SdkClientException"
    r"|TooManyRequestsException|Unknown)|Sandbox\.Timedout|Runtime\.ExitError"
    r"|(Bedrock|DynamoD[Bb]|S[Nn][Ss]|Ssm)\.SdkClientException"
    r"|Bedrock\.(Throttling|InternalServer|ServiceUnavailable)Exception"
    # A role that was just made passes, too (docs/facts/iam.md#new-roles).
    r"|Bedrock\.ValidationException"
    r"|S[Nn][Ss]\.(Throttled|InternalError|KMSThrottling)Exception"
    r"|DynamoD[Bb]\.(Throttling|ProvisionedThroughputExceeded|RequestLimitExceeded"
    r"|InternalServerError)Exception"
    r"|Ssm\.(Throttling|InternalServerError)Exception"
    r"|PassingError|SourceError|ResponseStreamingError|IncompleteReadError"
    r"|EndpointConnectionError|Connection(Closed|Error)?Error|(Connect|Read)TimeoutError"
)
# How Bedrock may refuse a role that was made a moment ago (docs/facts/iam.md#new-roles).
NEW_ROLE: Final = "Bedrock.ValidationException"
# AWS: "As a best practice, ensure production code can handle Lambda service exceptions".
LAMBDA_ERRORS: Final = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
# Least and most, of each number of a retry.
_RETRY: Final = {
    "IntervalSeconds": (1, 60),
    "MaxAttempts": (3, 20),
    "BackoffRate": (1.1, 4),
    "MaxDelaySeconds": (30, 900),
}


def problems(state: StateDefinition) -> Iterator[str]:
    """What Step Functions would refuse about a state, or read in another way than it looks."""
    kind = str(state.get("Type"))
    if kind not in _TYPES:
        yield f"there is no type {kind}"
        return
    for field in state:
        if field not in _TYPES[kind] | _EVERYWHERE:
            yield f"a {kind} has no {field}"
    leaves = sum((bool(state.get("End")), "Next" in state))
    if kind in ("Choice", "Succeed", "Fail"):
        if leaves:
            yield f"a {kind} has no Next and no End"
    elif leaves != 1:
        yield "it needs exactly one of Next and End"
    yield from _paths(state)
    for rule in state.get("Choices", ()):
        yield from _choice(rule)
    match kind:
        case "Choice" if "Default" not in state or not state.get("Choices"):
            yield "it needs Choices and Default: without Default, a run that fits no rule fails"
        case "Wait" if len(_TYPES["Wait"] & set(state)) != 1:
            yield f"it needs exactly one of {', '.join(sorted(_TYPES['Wait']))}"
        case "Task" if not _RESOURCE.fullmatch(str(state.get("Resource", ""))):
            yield f"Resource is {state.get('Resource')}, not a function or a service integration"
        case "Pass" if "ResultPath" in state and len({"Result", "Parameters"} & set(state)) != 1:
            yield "ResultPath writes one thing: it needs either Result or Parameters"
        case "Fail" if not (
            {"Error", "ErrorPath"} & set(state) and {"Cause", "CausePath"} & set(state)
        ):
            yield "it needs Error and Cause"
        case "Map":
            yield from _map(state)
    for inner in (state.get("ItemProcessor", {}), *state.get("Branches", ())):
        for field in sorted(inner.keys() - _INNER):
            yield f"what is inside of it has {field}"


def _paths(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in ("ItemProcessor", "Iterator", "Branches"):
                yield from _paths(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, key)
    elif value is None:
        yield f"{key} is null, which a template cannot have"
    elif key.endswith(".$"):
        if not _DYNAMIC.fullmatch(str(value)):
            yield f"{key} is {value!r}, not a path or a States function"
    elif key in ("CausePath", "ErrorPath"):
        if not (_PATH.fullmatch(str(value)) or _WORDS.fullmatch(str(value))):
            yield f"{key} is {value!r}, not a path or a function that returns text"
    elif (key.endswith("Path") or key == "Variable") and not _PATH.fullmatch(str(value)):
        yield f"{key} is {value!r}, not a path"


def _choice(rule: StateDefinition) -> Iterator[str]:
    compared = [name for name in rule if name not in ("Variable", "Next", "Comment")]
    if {"And", "Or", "Not"} & set(rule):
        return
    if "Variable" not in rule or len(compared) != 1 or not _COMPARISONS.fullmatch(compared[0]):
        yield (
            f"the rule to {rule.get('Next')} tests {rule.get('Variable')} with {compared}, "
            "not one Variable with one comparison"
        )


# Of what is inside of a state: a language or a time limit of its own would change what it does.
_INNER: Final = frozenset({"Comment", "ProcessorConfig", "StartAt", "States"})


def _map(state: StateDefinition) -> Iterator[str]:
    config = get(state, "ItemProcessor", "ProcessorConfig") or {}
    if not get(state, "ItemProcessor", "States"):
        yield "ItemProcessor has no States"
    if config.get("Mode") != "DISTRIBUTED" or config.get("ExecutionType") != "STANDARD":
        yield f"ProcessorConfig is {config}, not Mode DISTRIBUTED with ExecutionType STANDARD"
    reader = state.get("ItemReader", {})
    kind, key = get(reader, "ReaderConfig", "InputType"), get(reader, "Parameters", "Key.$")
    if not _RESOURCE.fullmatch(str(reader.get("Resource"))):
        yield f"ItemReader.Resource is {reader.get('Resource')}, not a service integration"
    if kind != "JSONL" or not key:
        yield "ItemReader needs InputType JSONL and a Key.$: one item per line of a file"
    if not 1 <= int(state.get("MaxConcurrency", 0)) <= 40:
        yield f"MaxConcurrency is {state.get('MaxConcurrency', 'not set')}, not 1 to 40"


def handling(state: StateDefinition) -> Iterator[str]:
    """What is wrong with how a state deals with errors."""
    if state.get("Type") not in ("Task", "Map", "Parallel"):
        return
    retries = state.get("Retry", [])
    if not retries:
        yield "it has no Retry"
    for retry in retries:
        yield from _retry(retry)
    if state["Type"] == "Task":
        named = {name for retry in retries for name in retry.get("ErrorEquals", ())}
        if ":lambda:" in str(state.get("Resource")) and not set(LAMBDA_ERRORS) <= named:
            yield f"Retry does not name {', '.join(sorted(set(LAMBDA_ERRORS) - named))}"
        if "createModelCustomizationJob" in str(state.get("Resource")) and NEW_ROLE not in named:
            yield f"Retry does not name {NEW_ROLE}, as which Bedrock refuses a new role"
        if not any("Thrott" in name or "TooMany" in name for name in named):
            yield "Retry names no throttling error"
    caught = [name for catcher in state.get("Catch", ()) for name in catcher["ErrorEquals"]]
    if "States.ALL" not in caught:
        yield f"Catch names {', '.join(caught) or 'nothing'}, not States.ALL"
    for catcher in state.get("Catch", ()):
        path = catcher.get("ResultPath", "$")
        if path in ("$", None):
            yield f"the ResultPath of its Catch is {path}: the error replaces or drops the data"


# A few tries more of whatever failed, where giving up would undo half an hour of work.
_PATIENT: Final = {"IntervalSeconds": (1, 60), "MaxAttempts": (1, 3), "BackoffRate": (1, 4)}


def _retry(retry: StateDefinition) -> Iterator[str]:
    errors = retry.get("ErrorEquals", [])
    last = errors == ["States.TaskFailed"]
    for name, (least, most) in (_PATIENT if last else _RETRY).items():
        value = retry.get(name)
        if not isinstance(value, int | float) or not least <= value <= most:
            yield f"{name} of a Retry is {value}, not {least} to {most}"
    if last:
        return
    if retry.get("JitterStrategy") != "FULL":
        yield f"JitterStrategy of a Retry is {retry.get('JitterStrategy')}, not FULL"
    if not errors or {"States.ALL", "States.TaskFailed"} & set(errors):
        yield f"a Retry names {', '.join(errors) or 'nothing'}, not the errors that pass"
    for name in errors:
        if not _ERRORS.fullmatch(str(name)):
            yield f"a Retry names {name}, which is no error that this review knows"
