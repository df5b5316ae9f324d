"""Checks of what people are told and asked: they can answer, and a failed run fails."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.contracts.contract import NO_SETTINGS
from bedrock_tuning.contracts.ending import CLOSE_RUN
from bedrock_tuning.review.check import Evidence, Violation, check, found
from bedrock_tuning.review.checks.workflow import publishes, states_of
from bedrock_tuning.review.workflow import graph
from bedrock_tuning.review.workflow.graph import StateGraph, Transition
from bedrock_tuning.run.items import APPROVAL, RUN
from bedrock_tuning.run.messages import ATTRIBUTES

_SUBJECT_MAX: Final = 100
# Whose run a person is asked about, and its status once that is approved.
_ASKED: Final = {"$.admission.run": "training", "$.serving.run": "serving"}
# What the function that takes the answer reads: the token, and what is asked.
_QUESTIONS: Final = {
    f"{of}.run": {
        "token": {"S.$": "$$.Task.Token"},
        "price": {"S.$": f"{said}.estimate"},
        "because": {"S.$": f"{said}.reason"},
        "about": {"S.$": f"States.JsonToString({about})"},
        "decision": None,
    }
    for of, said, about in (
        ("$.admission", "$.start", "$.start.about"),
        ("$.serving", "$.serving", "$.serving"),
    )
}
# All that an update of an item says here: no condition, and nothing of the item as an answer.
_WRITES: Final = frozenset(
    {
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "Key",
        "TableName",
        "UpdateExpression",
    }
)
_OUTCOME: Final = CLOSE_RUN.answer.path if CLOSE_RUN.answer else ""
_FIX: Final = "Correct the state in bedrock_tuning/contracts/states/workflow.py"
# What a request for approval must say.
_QUESTION: Final = {
    *("status", "environment"),
    *("customization.$", "run.$", "reason.$", "estimate.$", "approve.$"),
}


@check(
    "F714",
    "The workflow stores the task token of a run in an item of its own, with exactly what is "
    "asked, and nowhere else.",
    fix=_FIX,
)
def approval(evidence: Evidence) -> Iterator[Violation]:
    days = evidence.bound.contracts.approval_days
    table = evidence.bound.fill("{runs:name}")
    for machine, name, state in states_of(evidence):
        resource = str(state.get("Resource"))
        if "dynamodb:updateItem" not in resource:
            continue
        waits = resource.endswith(".waitForTaskToken")
        parameters = state.get("Parameters", {})
        for odd in sorted(parameters.keys() - _WRITES):
            yield found(machine, f"{name} has {odd}: {parameters[odd]}", "it writes, and no more")
        item = {key: parameters.get(key) for key in ("TableName", "Key")}
        kind = APPROVAL if waits else RUN
        asked = next(
            (
                run
                for run in _ASKED
                if item["Key"] == {"id": {"S.$": f"States.Format('{kind}{{}}', {run})"}}
            ),
            None,
        )
        if item["TableName"] != table or asked is None:
            yield found(machine, f"{name} writes to {item}", f"it writes to {kind}RUN")
            continue
        wanted = _QUESTIONS[asked] if waits else {"status": {"S": _ASKED[asked]}}
        if _written(parameters) != wanted:
            yield found(machine, f"{name} writes {_written(parameters)}", f"{wanted}")
        if state.get("ResultPath", "$") == "$" if waits else not graph.discards(state):
            yield found(machine, f"{name} keeps DynamoDB's answer", "it keeps the run's data")
        if waits and state.get("TimeoutSeconds") != days * 86_400:
            yield found(
                machine,
                f"TimeoutSeconds of {name} is {state.get('TimeoutSeconds')}",
                f"{days * 86_400}: approval_days is {days}",
            )


def _written(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What an UpdateItem sets by attribute, None for what it removes; or what it does not parse."""
    names = parameters.get("ExpressionAttributeNames", {})
    values = parameters.get("ExpressionAttributeValues", {})
    expression = str(parameters.get("UpdateExpression"))
    match = re.fullmatch(r"SET (#\w+ = :\w+(?:, #\w+ = :\w+)*)(?: REMOVE (#\w+))?", expression)
    if match is None:
        return {"UpdateExpression": expression}
    pairs = (pair.split(" = ") for pair in match[1].split(", "))
    written = {names.get(name, name): values.get(value) for name, value in pairs}
    if match[2]:
        written[names.get(match[2], match[2])] = None
    return written


@check(
    "F715",
    "Every message has a subject, a text and attributes that say the same, and a failed run ends "
    "in a Fail state.",
    fix=_FIX,
)
def messages(evidence: Evidence) -> Iterator[Violation]:
    environment = evidence.bound.contracts.environment
    for machine, definition in graph.machines(evidence.assembly):
        whole = next(graph.graphs(definition))
        for name in _good_ends(whole):
            only = f"only a run that did not fail: {_OUTCOME}.failed"
            yield found(machine, f"{name} succeeds", only)
        for name, state in graph.all_states(definition):
            if publishes(state):
                for problem in _problems(state.get("Parameters", {}), environment):
                    yield found(machine, f"{name} {problem}", "a message that people can act on")
                if not graph.discards(state):
                    yield found(machine, f"{name} keeps SNS's answer", "it keeps the run's data")
            for rule in state.get("Choices", ()):
                if str(rule.get("Variable", "")).endswith("outcome.failed"):
                    heads = (str(rule.get("Next")), str(state.get("Default")))
                    ends = [whole.states.get(head, {}).get("Type") for head in heads]
                    if rule.get("BooleanEquals") is not True or ends != ["Fail", "Succeed"]:
                        yield found(machine, f"{name} ends in {ends}", "Fail, if it failed")


def _problems(sent: Mapping[str, Any], environment: str) -> Iterator[str]:
    """The outcome as CloseRun worded it, or a message of the workflow's own."""
    fields = {"TopicArn", "Subject", "Message", "MessageAttributes"}
    if {field.removesuffix(".$") for field in sent} != fields:
        yield f"sends {', '.join(sorted(sent))}"
    if not 1 <= len(str(sent.get("Subject.$", sent.get("Subject")))) <= _SUBJECT_MAX:
        yield f"has the subject {sent.get('Subject')!r}; SNS allows 1 to {_SUBJECT_MAX} characters"
    yield from _attributes(sent)
    message = sent.get("Message")
    if isinstance(message, Mapping) and message.get("environment") != environment:
        yield f"is of the environment {message.get('environment')}"
    if not isinstance(message, Mapping):
        outcome = (f"{_OUTCOME}.subject", f"States.JsonToString({_OUTCOME})")
        if (sent.get("Subject.$"), sent.get("Message.$")) != outcome:
            yield f"sends {sent.get('Message.$')}, not the whole outcome"
    elif message.get("status") == "awaiting-approval":
        command = (
            f"States.Format('tuning approve {{}} -e {environment}', {message.get('run.$')})"
            if message.get("run.$") in _ASKED
            else ""
        )
        if set(message) != _QUESTION or message.get("approve.$") != command:
            yield f"asks with {', '.join(sorted(message))}, not with the run and its command"
        for field, path in message.items():
            # Each value is the one of its name.
            if field not in ("status", "environment", "approve.$") and not str(path).endswith(
                f".{field[:-2]}"
            ):
                yield f"gives {path} for the {field[:-2]}"
    elif (
        set(message) != {"status", "environment", "customization", "execution.$", "message.$"}
        or message["status"] != "failed"
        or message["execution.$"] != "$$.Execution.Id"
        or not str(message["message.$"]).endswith(" $.error.Error, $.error.Cause)")
    ):
        yield f"sends {dict(message)}, not the run, the error and its cause"


def _attributes(sent: Mapping[str, Any]) -> Iterator[str]:
    """Whose message it is and of which kind, as its text says: subscriptions choose by these."""
    text = sent.get("Message")
    if not isinstance(text, Mapping):
        text = {f"{name}.$": f"{_OUTCOME}.{name}" for name in ATTRIBUTES}
    wanted = {
        name: {"DataType": "String", f"StringValue{kind}": text[f"{name}{kind}"]}
        for name in ATTRIBUTES
        for kind in ("", ".$")
        if f"{name}{kind}" in text
    }
    if sent.get("MessageAttributes") != wanted:
        yield f"has the attributes {sent.get('MessageAttributes')}, not {wanted}"


def _good_ends(whole: StateGraph) -> set[str]:
    """States where an execution succeeds although nobody asked whether the run failed."""

    def asked(transition: Transition) -> bool:
        if transition.errors == (NO_SETTINGS,):
            return True
        rules = whole.states[transition.tail].get("Choices", ())
        return transition.default and any(r.get("Variable") == "$.outcome.failed" for r in rules)

    ends = {name for name in whole.reached(without=asked) if graph.ends(whole.states[name])}
    return {name for name in ends if whole.states[name].get("Type") != "Fail"}
