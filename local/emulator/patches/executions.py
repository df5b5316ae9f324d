"""Executions of state machines: Bedrock's jobs, time limits, and how much runs at once."""

import contextvars
import json
import threading
import time
from typing import Any, Final

from local.emulator.layout import LAMBDA_SLOTS
from local.emulator.patches.tasks import LAMBDA_CALL, call_aws, task_is_wanted
from local.emulator.patching import around, expect, expect_source

RESOURCE: Final = "arn:aws:states:::bedrock:createModelCustomizationJob"
POLL_SECONDS: Final = 0.2


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


def bedrock_tasks() -> None:
    """Gap: Step Functions does not know `bedrock:createModelCustomizationJob`, also with `.sync`.

    The job is created, polled and, when the execution ends before it, stopped by the state
    machine's role, which therefore needs Create, Get, Stop and PassRole, as on AWS.
    """
    from ministack.services import stepfunctions

    dispatch = stepfunctions._SERVICE_DISPATCH
    expect(RESOURCE not in dispatch, "no integration of Bedrock's jobs")
    expect_source(stepfunctions._invoke_resource, "clean.startswith(prefix)")
    dispatch[RESOURCE] = create_job


def create_job(resource: str, parameters: Any) -> Any:
    """The created job's ARN, or with `.sync` the whole job once it is Completed."""
    created = _call("createModelCustomizationJob", parameters)
    if not resource.endswith(".sync"):
        return created
    identifier = {"JobIdentifier": created["JobArn"]}
    while True:
        job = _call("getModelCustomizationJob", identifier)
        if job["Status"] == "Completed":
            return job
        if job["Status"] in ("Failed", "Stopped"):
            raise _task_failed(job)
        if not task_is_wanted():
            _call("stopModelCustomizationJob", identifier)
            raise _task_failed(job)
        time.sleep(POLL_SECONDS)


def _call(action: str, parameters: Any) -> Any:
    return call_aws(service="bedrock", action=action, parameters=parameters, prefix="Bedrock")


def _task_failed(job: Any) -> Exception:
    from ministack.services import stepfunctions

    error: Exception = stepfunctions._ExecutionError("States.TaskFailed", json.dumps(job))
    return error
