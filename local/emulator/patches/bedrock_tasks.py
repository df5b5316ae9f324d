"""Gap: Step Functions does not know `bedrock:createModelCustomizationJob`, with or without `.sync`.

The job is created, polled and, when the execution ends before it, stopped by the state machine's
role, which therefore needs Create, Get, Stop and PassRole, as on AWS.
"""

import json
import time
from typing import Any, Final

from local.emulator.patches._patching import expect, expect_source
from local.emulator.patches.tasks_run_as_the_state_machine import call_aws, task_is_wanted

RESOURCE: Final = "arn:aws:states:::bedrock:createModelCustomizationJob"
POLL_SECONDS: Final = 0.2


def apply() -> None:
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
