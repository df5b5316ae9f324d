"""Ends a run: writes how it ended and words the message that is sent."""

import logging
import os
from dataclasses import asdict
from typing import Any

from lambdas import _runs
from tuning.environment import RunEnvironment
from tuning.outcome import outcome

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"state": the workflow's whole state}.

    Returns status, subject, message, failed, notify, run. The subject fits SNS: at most 100
    characters, ASCII, one line.
    """
    env = RunEnvironment.from_env(os.environ)
    state = event["state"]
    ended = outcome(state)
    admission, start = state.get("admission") or {}, state.get("start") or {}
    serving = state.get("serving") or {}
    run = admission.get("run") or serving.get("run")
    if run and ended.status not in ("duplicate", "ignored"):
        if _runs.status_of(env.runs_table, run) is None:
            _runs.start_run(
                env.runs_table,
                run=run,
                customization=admission.get("customization") or serving["customization"],
                status=ended.status,
            )
        _runs.update_run(
            env.runs_table,
            run,
            status=ended.status,
            message=ended.message,
            endpoint_arn=serving.get("endpoint_arn"),
        )
    if run and "run_key" in start and "serving" not in state:
        # The work came to nothing: let the same data be tried again.
        _runs.finish_work(
            env.runs_table, key=start["run_key"], run=run, state="failed", model_arn=None
        )
    logger.info("closed", extra={"run": run, "status": ended.status})
    subject = ended.subject.encode("ascii", "replace").decode()[:100]
    return {**asdict(ended), "subject": subject, "run": run}
