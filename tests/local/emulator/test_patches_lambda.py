"""Gaps of the emulator in Lambda: each is still there as it comes, and closed by its patch.

When a `…_as_it_comes` assertion fails, upstream has closed the gap: delete the patch.
"""

import json
from pathlib import Path
from typing import Any

from local.emulator.layout import LAMBDA_SLOTS
from local.emulator.server import LocalAws
from tests.local.support import allow, call, function, machine, run

RAISES = """
class BadInput(Exception): ...
def handler(event, context):
    raise BadInput("asked to fail")
"""
COUNTS = """
calls = 0
def handler(event, context):
    global calls
    calls += 1
    if event == "fail":
        raise ValueError(calls)
    return calls
"""
USES_PILLOW = "import PIL\ndef handler(event, context): return 1"
USES_BOTO3 = "import boto3\ndef handler(event, context): return boto3.__name__"
IS_UNPACKED = """
import os
def handler(event, context):
    return os.path.realpath(__file__), os.path.exists(__cached__)
"""
# Each task runs until so many do at the same time, or until its time is up.
WAITS = """
import os, pathlib, time, uuid
def handler(event, context):
    folder, own = pathlib.Path(event["folder"]), uuid.uuid4().hex
    (folder / own).touch()
    until = time.monotonic() + event["seconds"]
    while (most := len(os.listdir(folder))) < event["wanted"] and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)  # The others look every 0.05 s.
    (folder / own).unlink()
    return most
"""


def most_at_once(aws: LocalAws, folder: Path, *, tasks: int, wanted: int, seconds: float) -> int:
    """How many of so many Lambda tasks of one state machine ran at the same time.

    Each waits for `wanted` of them, but no longer than `seconds`.
    """
    arn = function(aws, WAITS)
    invoke: dict[str, Any] = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}
    invoke["End"] = True
    given = {"folder": str(folder), "wanted": wanted, "seconds": seconds}
    invoke["Parameters"] = {"FunctionName": arn, "Payload": given}
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
    return max(json.loads(ended["output"]))


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


def test_an_error_ends_the_process_as_it_comes(plain: LocalAws) -> None:
    arn = function(plain, COUNTS)
    call(plain, arn, "fail")
    assert call(plain, arn) == (1, None)


def test_a_process_outlives_an_error(aws: LocalAws) -> None:
    arn = function(aws, COUNTS)
    answer, _ = call(aws, arn, "fail")
    assert (answer["errorType"], answer["errorMessage"]) == ("ValueError", "1")
    assert call(aws, arn) == (2, None)


def test_functions_see_only_what_awss_runtime_brings(aws: LocalAws) -> None:
    answer, _ = call(aws, function(aws, USES_PILLOW))
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert call(aws, function(aws, USES_BOTO3)) == ("boto3", None)


def cold_starts(aws: LocalAws) -> list[Any]:
    """Where the code of two functions of one package lies, and whether it is compiled."""
    arns = [function(aws, IS_UNPACKED) for _ in range(2)]
    return [call(aws, arn)[0] for arn in arns]


def test_each_function_unpacks_and_compiles_its_package_as_it_comes(plain: LocalAws) -> None:
    (one, _), (other, _) = cold_starts(plain)
    assert one != other


def test_functions_of_one_package_share_what_is_unpacked_and_compiled(aws: LocalAws) -> None:
    (one, is_compiled), (other, _) = cold_starts(aws)
    assert (one, is_compiled) == (other, True)


def test_every_task_gets_a_process_at_once_as_it_comes(plain: LocalAws, tmp_path: Path) -> None:
    most = LAMBDA_SLOTS + 3
    assert most_at_once(plain, tmp_path, tasks=most, wanted=most, seconds=60) == most


def test_more_tasks_than_slots_queue(aws: LocalAws, tmp_path: Path) -> None:
    most = LAMBDA_SLOTS + 3
    assert 1 < most_at_once(aws, tmp_path, tasks=most, wanted=most, seconds=3) <= LAMBDA_SLOTS
