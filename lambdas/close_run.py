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
    result = outcome(state, environment=env.environment)
    serving = state.get("serving") or {}
    run, customization = _run_name(event), customization_in(state)
    if customization and result.failed:
        _metrics.count("RunsFailed", environment=env.environment, customization=customization)
    if customization and result.status not in ("duplicate", "ignored"):
        item = _runs.item_of(env.runs_table, run)
        if item is None:
            _runs.start_run(
                env.runs_table,
                run=run,
                customization=customization,
                status=result.status,
                execution=event["execution"],
                commit=event.get("commit"),
            )
        refusal = declined_by(state)
        _runs.close_run(
            env.runs_table,
            run,
            told=not result.notify,
            status=result.status,
            message=result.message,
            execution=event["execution"],
            **({_runs.UNWATCHED: True} if _lost_its_job(state) else {}),
            endpoint_arn=serving.get("endpoint_arn"),
            settings_version=(state.get("settings") or {}).get("version"),
            declined_by=refusal.get("declined_by"),
            decision_reason=refusal.get("reason"),
        )
        # As its item says: a step that failed after the lock left nothing in the state.
        if item and "run_key" in item:
            _finish(env, item["run_key"], run, state)
    logger.info("closed", extra={"run": run, "status": result.status})
    subject = result.subject.encode("ascii", "replace").decode()[:100]
    # An attribute of a message may not be empty.
    label = customization or "unknown"
    return {
        **asdict(result),
        "subject": subject,
        "run": run,
        "environment": env.environment,
        "customization": label,
    }


def _lost_its_job(state: Mapping[str, Any]) -> bool:
    """Whether it broke off after its job may have started, and before its end was seen."""
    started = (state.get("turn") or {}).get("decision") == "train"
    model_arn = capitalized(state.get("job") or {}).get("OutputModelArn")
    return "error" in state and started and not model_arn


def _run_name(event: Mapping[str, Any]) -> str:
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
