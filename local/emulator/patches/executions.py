"""Executions of state machines: Bedrock's jobs, time limits, and how much runs at once."""

import contextvars
import json
import re
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from local.emulator.layout import LAMBDA_SLOTS
from local.emulator.patches.tasks import (
    LAMBDA_CALL,
    call_aws,
    machine_of,
    running_execution,
    task_is_wanted,
)
from local.emulator.patching import around, expect, expect_source

_RESOURCE: Final = "arn:aws:states:::bedrock:createModelCustomizationJob"
_POLL_SECONDS: Final = 0.2
_LOG_GROUP: Final = re.compile(r"arn:[^\"]+:log-group:([^\":]+)")
STATE_BYTES: Final = 256 * 1024


def lambda_tasks_queue() -> None:
    """Gap: a burst of Lambda tasks starts one process for each; forty runs were 6 GB of Python.

    More tasks than slots queue here, as they would for AWS's account concurrency with retries.
    """
    from ministack.services import stepfunctions

    slots = threading.BoundedSemaphore(LAMBDA_SLOTS)

    @around(stepfunctions, "_call_lambda", LAMBDA_CALL)
    def call_lambda(upstream: Any, reference: str, event: Any) -> Any:
        with slots:
            return upstream(reference, event)


def executions_time_out() -> None:
    """Gap: a state machine's `TimeoutSeconds` is stored and never enforced."""
    from ministack.core.responses import now_iso
    from ministack.services import stepfunctions

    expect_source(
        stepfunctions._run_execution, 'while current_name and execution["status"] == "RUNNING"'
    )
    expect(hasattr(stepfunctions, "_emit_execution_status_event"), "a status event")

    def expire(execution: dict[str, Any]) -> None:
        if execution["status"] != "RUNNING":
            return
        execution.update(status="TIMED_OUT", stopDate=now_iso())
        stepfunctions._add_event(execution, "ExecutionTimedOut", {})
        stepfunctions._emit_execution_status_event(execution)

    source = 'return json_response({"executionArn": exec_arn'

    @around(stepfunctions, "_start_execution", source)
    def start_execution(upstream: Any, data: dict[str, Any]) -> Any:
        response = upstream(data)
        if response[0] == 200:
            execution = stepfunctions._executions[json.loads(response[2])["executionArn"]]
            machine = stepfunctions._state_machines[execution["stateMachineArn"]]
            seconds = json.loads(machine["definition"]).get("TimeoutSeconds")
            if seconds is not None:
                timer = threading.Timer(
                    float(seconds), contextvars.copy_context().run, args=(expire, execution)
                )
                timer.daemon = True
                timer.start()
        return response


def states_are_limited() -> None:
    """Gap: a state may be of any size; AWS ends the execution above 256 KiB.

    `States.DataLimitExceeded` is one of the errors that `States.ALL` does not catch
    (docs/facts/workflow.md#limits), so no state can tell of it.
    """
    from ministack.services import stepfunctions

    @around(stepfunctions, "_add_event", 'execution["events"].append(event)')
    def add_event(upstream: Any, execution: Any, kind: str, details: Any = None) -> Any:
        for entry in (details or {}).values():
            text = entry.get("input") or entry.get("output") or ""
            if kind.endswith(("StateEntered", "StateExited")) and len(text.encode()) > STATE_BYTES:
                raise stepfunctions._ExecutionError(
                    "States.DataLimitExceeded",
                    f"The state/task '{entry['name']}' returned a result with a size exceeding the "
                    "maximum number of bytes service limit.",
                )
        return upstream(execution, kind, details)


def executions_are_logged() -> None:
    """Gap: a state machine's log group stays empty.

    AWS writes each event of an execution's history into it, here always without data: input,
    output and parameters. That the machine's role may log is not checked.
    """
    from ministack.services import cloudwatch_logs, stepfunctions

    for function in (cloudwatch_logs._put_log_events, cloudwatch_logs._create_log_stream):
        expect_source(function, 'group = data.get("logGroupName")')

    @around(stepfunctions, "_add_event", 'execution["events"].append(event)')
    def add_event(upstream: Any, execution: Any, kind: str, details: Any = None) -> Any:
        event = upstream(execution, kind, details)
        machine = stepfunctions._state_machines.get(machine_of(execution), {})
        # Names are spelled as whoever made the machine spells them: CloudFormation or the API.
        for group in _LOG_GROUP.findall(json.dumps(machine.get("loggingConfiguration", {}))):
            stream = {"logGroupName": group, "logStreamName": f"states/{machine['name']}"}
            message = json.dumps(_log_entry(execution, event))
            cloudwatch_logs._create_log_stream(stream)
            cloudwatch_logs._put_log_events({**stream, "logEvents": [{"message": message}]})
        return event


def _log_entry(execution: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as AWS logs it (docs/facts/workflow.md#logs)."""
    details: dict[str, Any] = next((v for k, v in event.items() if k.endswith("EventDetails")), {})
    data = ("input", "output", "parameters")
    return {
        "id": str(event["id"]),
        "type": event["type"],
        "details": {name: value for name, value in details.items() if name not in data},
        "previous_event_id": str(event["id"] - 1),
        "event_timestamp": str(int(time.time() * 1000)),
        "execution_arn": execution["executionArn"],
    }


def task_tokens_end_with_their_task() -> None:
    """Gap: a task token works after its execution was stopped, and a used one "does not exist".

    On AWS the token of a task that is closed is refused as timed out, an unknown one as invalid
    (docs/facts/workflow.md#task-tokens).
    """
    from ministack.core.responses import error_response_json
    from ministack.services import stepfunctions

    issued: dict[str, Mapping[str, Any]] = {}

    @around(stepfunctions, "_invoke_with_callback", "_task_tokens[token] = {")
    def invoke(upstream: Any, resource: str, task_input: Any, token: str, state: Any) -> Any:
        issued[token] = running_execution()
        return upstream(resource, task_input, token, state)

    for kind in ("success", "failure", "heartbeat"):

        @around(stepfunctions, f"_send_task_{kind}", "info = _task_tokens.get(token)")
        def send(upstream: Any, data: dict[str, Any]) -> Any:
            token = str(data.get("taskToken"))
            if token not in issued:
                return error_response_json("InvalidToken", "Invalid Token: 'Invalid token'", 400)
            if token not in stepfunctions._task_tokens or issued[token]["status"] != "RUNNING":
                reason = "Task Timed Out: 'Provided task does not exist anymore'"
                return error_response_json("TaskTimedOut", reason, 400)
            return upstream(data)


def bedrock_tasks() -> None:
    """Gap: Step Functions does not know `bedrock:createModelCustomizationJob`, also with `.sync`.

    The job is created, polled and, when the execution ends before it, stopped by the state
    machine's role, which therefore needs Create, Get, Stop and PassRole, as on AWS.
    """
    from ministack.services import stepfunctions

    dispatch = stepfunctions._SERVICE_DISPATCH
    expect(_RESOURCE not in dispatch, "no integration of Bedrock's jobs")
    expect_source(stepfunctions._invoke_resource, "clean.startswith(prefix)")
    dispatch[_RESOURCE] = create_job


def create_job(resource: str, parameters: Any) -> Any:
    """The created job's ARN, with `.sync` once the job is Completed.

    Nothing more: AWS documents no other field, and its sample asks for the job with this one
    (docs/facts/workflow.md#sync).
    """
    created = _call("createModelCustomizationJob", parameters)
    if not resource.endswith(".sync"):
        return created
    identifier = {"JobIdentifier": created["JobArn"]}
    while True:
        job = _call("getModelCustomizationJob", identifier)
        if job["Status"] == "Completed":
            return created
        if job["Status"] in ("Failed", "Stopped"):
            raise _task_failed(job)
        if not task_is_wanted():
            _call("stopModelCustomizationJob", identifier)
            raise _task_failed(job)
        time.sleep(_POLL_SECONDS)


def _call(action: str, parameters: Any) -> Any:
    return call_aws(service="bedrock", action=action, parameters=parameters, prefix="Bedrock")


def _task_failed(job: Any) -> Exception:
    from ministack.services import stepfunctions

    error: Exception = stepfunctions._ExecutionError("States.TaskFailed", json.dumps(job))
    return error
