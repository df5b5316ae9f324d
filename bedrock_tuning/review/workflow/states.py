"""The form of a single state of the Amazon States Language: fields, paths, choices, retries."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

State = Mapping[str, Any]

_TYPES: Final = {
    "Task": {
        "Resource",
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
_DYNAMIC: Final = re.compile(r"(\$\$?(\.[A-Za-z_]\w*|\[\d+\])*|States\.[A-Z]\w+\(.*\))")
_RESOURCE: Final = re.compile(r"arn:[a-z-]+:(states:::[\w:.-]+|lambda:[\w-]+:\d+:function:[\w-]+)")
_COMPARISONS: Final = re.compile(
    r"(String|Numeric|Timestamp|Boolean)(Equals|LessThan|GreaterThan|LessThanEquals"
    r"|GreaterThanEquals|Matches)(Path)?|Is(Null|Present|Numeric|String|Boolean|Timestamp)"
)
# Names of errors that retries may count on: Step Functions', Lambda's, and boto3's classes.
_ERRORS: Final = re.compile(
    r"States\.(ALL|Timeout|TaskFailed|HeartbeatTimeout)"
    r"|Lambda\.(ServiceException|AWSLambdaException|SdkClientException"
    r"|TooManyRequestsException|Unknown)"
    r"|(Bedrock\.)?(ThrottlingException|InternalServerException|ServiceUnavailableException"
    r"|ModelNotReadyException|ModelTimeoutException|ModelErrorException)"
    r"|InternalServerError|TooManyUpdates"
    r"|(Sns|SNS)\.ThrottledException|(DynamoDb|DynamoDB)\.ThrottlingException|SourceError"
    r"|TooManyRequestsException|ProvisionedThroughputExceededException|RequestLimitExceeded"
    r"|EndpointConnectionError|Connection(Closed|Error)?Error|(Connect|Read)TimeoutError"
)
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


def problems(state: State) -> Iterator[str]:
    """What Step Functions would refuse about a state, or read in another way than it looks."""
    kind = str(state.get("Type"))
    if kind not in _TYPES:
        yield f"there is no type {kind}"
        return
    for field in state:
        if field not in _TYPES[kind] | _EVERYWHERE:
            yield f"a {kind} has no {field}"
    yield from _transition(state, kind)
    yield from _paths(state)
    for rule in state.get("Choices", ()):
        yield from _choice(rule)
    match kind:
        case "Choice" if "Default" not in state or not state.get("Choices"):
            yield "it needs choices and a Default: where no rule fits, the execution fails"
        case "Wait" if len(_TYPES["Wait"] & set(state)) != 1:
            yield "it does not say how long it waits"
        case "Task" if not _RESOURCE.fullmatch(str(state.get("Resource", ""))):
            yield f"its resource is {state.get('Resource')}"
        case "Pass" if "ResultPath" in state and not {"Result", "Parameters"} & set(state):
            yield "it writes no result"
        case "Fail" if not (
            {"Error", "ErrorPath"} & set(state) and {"Cause", "CausePath"} & set(state)
        ):
            yield "it does not say why"
        case "Map":
            yield from _map(state)


def _transition(state: State, kind: str) -> Iterator[str]:
    after = sum((bool(state.get("End")), "Next" in state))
    if kind in ("Choice", "Succeed", "Fail"):
        if after:
            yield f"a {kind} has neither Next nor End"
    elif after != 1:
        yield "it needs exactly one of Next and End"


def _paths(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in ("ItemProcessor", "Iterator", "Branches"):
                yield from _paths(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, key)
    elif key.endswith(".$"):
        if not _DYNAMIC.fullmatch(str(value)):
            yield f"{key} is {value!r}, which is neither a path nor a States function"
    elif key in ("CausePath", "ErrorPath"):
        if not (_PATH.fullmatch(str(value)) or _WORDS.fullmatch(str(value))):
            yield f"{key} is {value!r}, which is neither a path nor a function that makes a text"
    elif value is not None and (key.endswith("Path") or key == "Variable"):
        yield from [] if _PATH.fullmatch(str(value)) else [f"{key} is {value!r}, which is no path"]


def _choice(rule: State) -> Iterator[str]:
    compared = [name for name in rule if name not in ("Variable", "Next", "Comment")]
    if {"And", "Or", "Not"} & set(rule):
        return
    if "Variable" not in rule or len(compared) != 1 or not _COMPARISONS.fullmatch(compared[0]):
        yield f"the rule to {rule.get('Next')} compares {rule.get('Variable')} by {compared}"


def _map(state: State) -> Iterator[str]:
    processor = state.get("ItemProcessor", {})
    config = processor.get("ProcessorConfig", {})
    if not processor.get("States"):
        yield "it has nothing to do for an item"
    if config.get("Mode") != "DISTRIBUTED" or config.get("ExecutionType") != "STANDARD":
        yield f"its items are processed {config}, not as executions of their own"
    reader = state.get("ItemReader", {})
    if not _RESOURCE.fullmatch(str(reader.get("Resource"))):
        yield f"its items are read by {reader.get('Resource')}"
    if reader.get("ReaderConfig", {}).get("InputType") != "JSONL" or (
        "Key.$" not in reader.get("Parameters", {})
    ):
        yield "it does not read its items from a file of lines"
    if not 1 <= int(state.get("MaxConcurrency", 0)) <= 40:
        yield f"{state.get('MaxConcurrency') or 'any number of'} items are processed at a time"


def handling(state: State) -> Iterator[str]:
    """What is wrong with how a state deals with errors."""
    if state.get("Type") not in ("Task", "Map", "Parallel"):
        return
    retries = state.get("Retry", [])
    if state["Type"] == "Task":
        if not retries:
            yield "it has no Retry"
        for retry in retries:
            yield from _retry(retry)
        named = {name for retry in retries for name in retry.get("ErrorEquals", ())}
        if ":lambda:" in str(state.get("Resource")) and not set(LAMBDA_ERRORS) <= named:
            yield f"it does not repeat {', '.join(sorted(set(LAMBDA_ERRORS) - named))}"
        if not any("Thrott" in name or "TooMany" in name for name in named):
            yield "it does not repeat what was throttled"
    caught = [name for catcher in state.get("Catch", ()) for name in catcher["ErrorEquals"]]
    if "States.ALL" not in caught:
        yield f"it catches {', '.join(caught) or 'nothing'}, not States.ALL"
    for catcher in state.get("Catch", ()):
        if catcher.get("ResultPath", "$") in ("$", None):
            yield "an error replaces or loses all that is known about the run"


# A few tries more of whatever failed, where giving up would undo half an hour of work.
_PATIENT: Final = {"IntervalSeconds": (1, 60), "MaxAttempts": (1, 3), "BackoffRate": (1, 4)}


def _retry(retry: State) -> Iterator[str]:
    if retry.get("ErrorEquals") == ["States.TaskFailed"]:
        for name, (low, high) in _PATIENT.items():
            if not low <= float(retry.get(name, 0)) <= high:
                yield f"{name} of its last retries is {retry.get(name)}, not {low} to {high}"
        return
    for name, (least, most) in _RETRY.items():
        value = retry.get(name)
        if not isinstance(value, int | float) or not least <= value <= most:
            yield f"{name} of its retries is {value}, not {least} to {most}"
    if retry.get("JitterStrategy") != "FULL":
        yield "its retries come all at the same time"
    errors = retry.get("ErrorEquals", [])
    if not errors or {"States.ALL", "States.TaskFailed"} & set(errors):
        yield "it repeats nothing, or what can never succeed"
    for name in errors:
        if not _ERRORS.fullmatch(str(name)):
            yield f"there is no error {name}"
