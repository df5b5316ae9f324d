"""Whether Step Functions takes each state of the workflow as it is meant, without a run."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from bedrock_tuning.client.doctor.check import Observation, Subject, doctor_check, fail, ok, skip
from bedrock_tuning.wording import counted

_PATH: Final = re.compile(r"(?P<context>\$?)\$\.(?P<path>[\w.]+)", re.ASCII)
# What the mocked service answers: each state that can fail has to say where the run goes then.
_FAILED: Final[Any] = {"error": "States.TaskFailed", "cause": "asked by tuning doctor"}
_UNTESTED: Final = "Unsupported state type"
_TAKEN: Final = ("CAUGHT_ERROR", "RETRIABLE")


@doctor_check("every state catches the failure of what it calls", asks="states:TestState")
def _states(subject: Subject) -> Iterator[Observation]:
    if subject.deployment is None:
        return
    client = subject.aws.stepfunctions
    workflow = client.describe_state_machine(stateMachineArn=subject.deployment.workflow_arn)
    count = 0
    for name, state in sorted(json.loads(workflow["definition"])["States"].items()):
        if state["Type"] not in ("Task", "Map"):
            continue
        definition = json.dumps(state)
        try:
            answer = client.test_state(
                definition=definition,
                input=json.dumps(_example(definition, context=False)),
                context=json.dumps(_example(definition, context=True)),
                mock={"errorOutput": _FAILED},
            )
        except client.exceptions.InvalidDefinition as error:
            yield _judge_refusal(name, str(error.response["Error"].get("Message", error)))
            continue
        if answer["status"] in _TAKEN:
            count += 1
            continue
        yield fail(
            f"{name}: a failure ends it as {answer['status']} "
            f"({answer.get('error', 'without an error')}: {answer.get('cause', '')})",
            fix="report it: Step Functions reads this state differently from this project",
        )
    if count:
        yield ok(f"{counted(count, 'state')} catch a failure as they should")


def _judge_refusal(name: str, message: str) -> Observation:
    if message.startswith(_UNTESTED):
        # The local AWS knows no Map here.
        return skip(f"{name}: this AWS cannot test it alone")
    return fail(f"{name}: {message}", "report it: Step Functions refuses what this project wrote")


def _example(state: str, *, context: bool) -> dict[str, Any]:
    """A value for every path that a state reads: of its input, or of the context object."""
    values: dict[str, Any] = {}
    for match in _PATH.finditer(state):
        if bool(match["context"]) != context:
            continue
        node = values
        *parents, leaf = match["path"].split(".")
        for parent in parents:
            child = node.get(parent)
            node[parent] = child if isinstance(child, dict) else {}
            node = node[parent]
        node.setdefault(leaf, "x")
    return values
