"""Gaps of the emulator in Lambda: each is still there as it comes, and closed by its patch.

When a `…_as_it_comes` assertion fails, upstream has closed the gap: delete the patch.
"""

import json

from local.emulator.layout import LAMBDA_SLOTS
from local.emulator.server import LocalAws
from tests.local.support import allow, call, function, machine, run

RAISES = """
class BadInput(Exception): ...
def handler(event, context):
    raise BadInput("asked to fail")
"""
USES_PILLOW = "import PIL\ndef handler(event, context): return 1"
USES_BOTO3 = "import boto3\ndef handler(event, context): return boto3.__name__"
SLEEPS = """
import time
def handler(event, context):
    began = time.time()
    time.sleep(0.6)
    return [began, time.time()]
"""


def most_at_once(aws: LocalAws, tasks: int) -> int:
    """How many of so many Lambda tasks of one state machine ran at the same time."""
    arn = function(aws, SLEEPS)
    invoke = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    invoke["Parameters"] = {"FunctionName": arn}
    invoke["OutputPath"] = "$.Payload"
    states = {
        "M": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {"StartAt": "T", "States": {"T": invoke}},
            "End": True,
        }
    }
    policy = [allow("lambda:InvokeFunction", arn)]
    ended = run(aws, machine(aws, states, policy=policy), {"items": list(range(tasks))})
    assert ended["status"] == "SUCCEEDED", ended
    spans = json.loads(ended["output"])
    return max(sum(began <= start < end for began, end in spans) for start, _ in spans)


def test_the_class_of_an_error_is_lost_as_it_comes(plain: LocalAws) -> None:
    answer, _ = call(plain, function(plain, RAISES))
    assert answer["errorType"] == "Runtime.HandlerError"


def test_the_class_of_an_error_reaches_the_caller(aws: LocalAws) -> None:
    answer, kind = call(aws, function(aws, RAISES))
    assert kind == "Unhandled"
    assert (answer["errorType"], answer["errorMessage"]) == ("BadInput", "asked to fail")
    assert "in handler" in answer["stackTrace"][0]


def test_a_state_machine_catches_by_class(aws: LocalAws) -> None:
    arn = function(aws, RAISES)
    states = {
        "T": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": arn},
            "Catch": [{"ErrorEquals": ["BadInput"], "Next": "Caught"}],
            "Next": "Missed",
        },
        "Caught": {"Type": "Succeed"},
        "Missed": {"Type": "Fail"},
    }
    ended = run(aws, machine(aws, states, policy=[allow("lambda:InvokeFunction", arn)]))
    assert ended["status"] == "SUCCEEDED", ended


def test_functions_see_the_servers_packages_as_it_comes(plain: LocalAws) -> None:
    assert call(plain, function(plain, USES_PILLOW)) == (1, None)


def test_functions_see_only_what_awss_runtime_brings(aws: LocalAws) -> None:
    answer, _ = call(aws, function(aws, USES_PILLOW))
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert call(aws, function(aws, USES_BOTO3)) == ("boto3", None)


def test_every_task_gets_a_process_at_once_as_it_comes(plain: LocalAws) -> None:
    assert most_at_once(plain, LAMBDA_SLOTS + 3) > LAMBDA_SLOTS


def test_more_tasks_than_slots_queue(aws: LocalAws) -> None:
    assert 1 < most_at_once(aws, LAMBDA_SLOTS + 3) <= LAMBDA_SLOTS
