"""Ends a run: records how it ended and writes the message that is sent."""

import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bedrock_tuning.config.lambda_environment import RunEnvironment
from bedrock_tuning.run import job
from bedrock_tuning.run.outcome import capitalized, customization_in, declined_by, outcome
from lambdas._records import _metrics, _runs

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"state": the workflow's whole state, "execution": its name, "started": ISO time,
    "commit": that was deployed}.

    Returns status, subject, message, failed, notify, run, environment, customization. The subject
    fits SNS: at most 100 characters, ASCII, one line.
    """
    env = RunEnvironment.from_env(os.environ)
    state = event["state"]
    ended = outcome(state, environment=env.environment)
    serving = state.get("serving") or {}
    run, customization = _whose(event), customization_in(state)
    if customization and ended.failed:
        _metrics.count("RunsFailed", environment=env.environment, customization=customization)
    if customization and ended.status not in ("duplicate", "ignored"):
        item = _runs.item_of(env.runs_table, run)
        if item is None:
            _runs.start_run(
                env.runs_table,
                run=run,
                customization=customization,
                status=ended.status,
                execution=event["execution"],
                commit=event.get("commit"),
            )
        declined = declined_by(state)
        _runs.close_run(
            env.runs_table,
            run,
            told=not ended.notify,
            status=ended.status,
            message=ended.message,
            execution=event["execution"],
            **({_runs.UNWATCHED: True} if _unwatched(state) else {}),
            endpoint_arn=serving.get("endpoint_arn"),
            settings_version=(state.get("settings") or {}).get("version"),
            declined_by=declined.get("declined_by"),
            decision_reason=declined.get("reason"),
        )
        # As its item says: a step that failed after the lock left nothing in the state.
        if item and "run_key" in item:
            _finish(env, item["run_key"], run, state)
    logger.info("closed", extra={"run": run, "status": ended.status})
    subject = ended.subject.encode("ascii", "replace").decode()[:100]
    # An attribute of a message may not be empty.
    whose = customization or "unknown"
    return {
        **asdict(ended),
        "subject": subject,
        "run": run,
        "environment": env.environment,
        "customization": whose,
    }


def _unwatched(state: Mapping[str, Any]) -> bool:
    """Whether it broke off after its job may have started, and before its end was seen."""
    tried = (state.get("turn") or {}).get("decision") == "train"
    seen = capitalized(state.get("job") or {}).get("OutputModelArn")
    return "error" in state and tried and not seen


def _whose(event: Mapping[str, Any]) -> str:
    """The run's name, also if the step failed that would have named it."""
    state = event["state"]
    for part in (state.get("admission") or {}, state.get("serving") or {}):
        if part.get("run"):
            return str(part["run"])
    return job.run_id(event["started"], event["execution"])


def _finish(env: RunEnvironment, key: str, run: str, state: Mapping[str, Any]) -> None:
    """Records what became of the work; what was trained is never trained and paid for again."""
    model = capitalized(state.get("job") or {}).get("OutputModelArn")
    _runs.finish_work(
        env.runs_table,
        key=key,
        run=run,
        state="trained" if model else "failed",
        model_arn=model,
    )
