"""Gap: a state machine's `TimeoutSeconds` is stored and never enforced."""

import contextvars
import functools
import json
import threading
from collections.abc import Callable
from typing import Any

from local.emulator.patches._patching import expect, expect_source

Response = tuple[int, dict[str, str], bytes]


def apply() -> None:
    from ministack.core.responses import now_iso
    from ministack.services import stepfunctions

    upstream: Callable[[dict[str, Any]], Response] = stepfunctions._start_execution
    expect_source(upstream, 'return json_response({"executionArn": exec_arn')
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

    @functools.wraps(upstream)
    def start_execution(data: dict[str, Any]) -> Response:
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

    stepfunctions._start_execution = start_execution
