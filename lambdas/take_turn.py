"""Lets a run start its job: if the work is still its own, and if nobody waits before it."""

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bedrock_tuning.config.lambda_environment import TurnEnvironment
from bedrock_tuning.run import job_queue
from bedrock_tuning.run.decisions import TurnDecision
from bedrock_tuning.run.job_queue import QueuedRun
from bedrock_tuning.run.outcome import cause_words
from lambdas._records import _runs

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"state": the workflow's whole state}.

    Returns decision (a TurnDecision), a reason, the seconds until it asks again, and how often it
    has asked. What Bedrock said when it had no free slot is in state.start.error.
    """
    env = TurnEnvironment.from_env(os.environ)
    state = event["state"]
    run, start = state["admission"]["run"], state["start"]
    attempt = int((state.get("turn") or {}).get("asked", 0)) + 1

    def decide(decision: TurnDecision, reason: str, seconds: int = 0) -> dict[str, Any]:
        logger.info("turn", extra={"run": run, "decision": decision, "reason": reason})
        return {"decision": decision, "reason": reason, "seconds": seconds, "asked": attempt}

    owner = _runs.keep_lock(env.runs_table, key=start["run_key"], run=run)
    if owner is not None:
        return decide("in-progress", f"run {owner} has taken over the same work meanwhile")
    item = _runs.item_of(env.runs_table, run) or {"status": "valid"}
    others = job_queue.waiting(
        item for item in _runs.open_runs(env.runs_table) if item["run"] != run
    )
    own_run = _own_run(state, item, others)
    runs_ahead, newer = job_queue.ahead(own_run, others), job_queue.newer(own_run, others)
    is_free = _may_try(item, attempt, runs_ahead)
    if is_free and (newer is None or newer.status != job_queue.QUEUED):
        _runs.resume_run(env.runs_table, run, status="training", turn=attempt)
        return decide("train", "nobody waits before it")
    if newer is not None:
        return decide(
            "superseded",
            f"run {newer.run} has a newer dataset of {own_run.customization} and takes its place; "
            "no job was started",
        )
    cause = cause_words((start.get("error") or {}).get("Cause", ""))
    message = f"Bedrock has no free slot for its job{f': {cause}' if cause else ''}"
    if job_queue.is_over(own_run, now=datetime.now(UTC)):
        return decide("no-slot", f"{message}. It waited for {job_queue.QUEUE_DAYS} days")
    _runs.resume_run(
        env.runs_table,
        run,
        status=job_queue.QUEUED,
        queued_since=own_run.since,
        turn=attempt,
        message=message,
    )
    seconds = job_queue.pause(own_run, now=datetime.now(UTC), least=env.poll_seconds)
    return decide("wait", f"{runs_ahead} wait before it", seconds)


def _may_try(item: Mapping[str, Any], attempt: int, runs_ahead: int) -> bool:
    """Whether a run may try to start its job.

    A call that is made again, because its answer was lost, is answered as before. A run that asks
    once more after it was let try was refused by Bedrock.
    """
    has_tried = item["status"] != job_queue.QUEUED and "turn" in item
    if int(item.get("turn", 0)) == attempt:
        return has_tried
    return not has_tried and not runs_ahead


def _own_run(
    state: Mapping[str, Any], item: Mapping[str, Any], others: list[QueuedRun]
) -> QueuedRun:
    """This run, which waits since it first asked."""
    own_run = QueuedRun(
        run=state["admission"]["run"],
        customization=state["admission"]["customization"],
        status=job_queue.QUEUED,
        since=str(item.get("queued_since", _runs.now())),
    )
    return replace(own_run, since=job_queue.arrival(own_run, others))
