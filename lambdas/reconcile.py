"""Makes the record of runs true: ends those whose execution ended without doing so, and looks after
jobs that nobody watches. Called by the clock, and whenever an execution fails or is aborted.

It touches only runs whose execution has ended, so it never acts beside the workflow. Two calls at
the same time change nothing more than one does, but both may send the message.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from bedrock_tuning.config.lambda_environment import ReconcileEnvironment
from bedrock_tuning.run import job
from bedrock_tuning.run.messages import Message
from bedrock_tuning.run.outcome import Outcome
from bedrock_tuning.run.reconciling import (
    ExecutionEnd,
    aborted,
    broken,
    job_failed,
    kept,
    served,
    watched,
)
from bedrock_tuning.run.row import Row, is_open
from lambdas import _aws, record_job
from lambdas._records import _intent, _jobs, _metrics, _runs

logger = logging.getLogger(__name__)

Reconciled = dict[str, list[str]]
# Time for the last run of a call; what is left over is the next call's.
_RESERVE_MS: Final = 60_000
# What Bedrock answers to the stop of a job that has just ended or is being stopped.
_STOPPED_ALREADY: Final = ("ConflictException", "ResourceNotFoundException", "ValidationException")
_SERVES: Final = "serves-"


def handler(event: dict[str, Any], context: Any) -> Reconciled:
    """event: EventBridge's or Scheduler's, which only say that it is time.

    Returns the runs under "closed", "told" (closed earlier, and nobody knew), "watched" (their job
    runs, their execution does not), "serving" (handed to the workflow for the rest), and jobs under
    "undecided": with our names, of no run.
    Raises once all are checked if one of them could not be, so that the alarm rings.
    """
    env = ReconcileEnvironment.from_env(os.environ)
    result: Reconciled = {"closed": [], "told": [], "watched": [], "serving": [], "undecided": []}
    problems: list[str] = []
    for name, look in _tasks(env, result):
        if context.get_remaining_time_in_millis() < _RESERVE_MS:
            logger.warning("out of time", extra={"next": name})
            break
        try:
            look()
        except Exception as error:
            # Whatever is wrong with one run, the others are looked after.
            logger.exception("not reconciled", extra={"run": name})
            problems.append(f"{name}: {error}")
    logger.info("reconciled", extra=result)
    if problems:
        raise RuntimeError("; ".join(problems))
    return result


def _tasks(
    env: ReconcileEnvironment, result: Reconciled
) -> Iterator[tuple[str, Callable[[], None]]]:
    for item in list(_runs.open_runs(env.runs_table)):
        yield str(item["run"]), partial(_run, env, item, result)
    for item in list(_runs.untold_runs(env.runs_table)):
        yield str(item["run"]), partial(_report, env, item, result)
    for name, _ in _jobs.running():
        yield name, partial(_check_job, env, name, result)


def _run(env: ReconcileEnvironment, item: Row, result: Reconciled) -> None:
    """One run that has not ended, as far as an index knows that lags behind its table."""
    run = str(item["run"])
    execution_end = _execution_end(env, item)
    # In this order: a run is closed before its execution ends.
    latest = _runs.item_of(env.runs_table, run) if execution_end else None
    if (
        execution_end is None
        or latest is None
        or not is_open(latest)
        or _execution(latest) != _execution(item)
    ):
        return
    item = latest
    customization_job = _job(item.get("job_name"))
    status = customization_job["status"] if customization_job else None
    if customization_job and status in ("InProgress", "Stopping"):
        if not execution_end.by_hand:
            _watch(env, item, execution_end, result)
            return
        if status == "InProgress":
            _stop(customization_job["jobArn"])
        _close(env, item, aborted(item, execution_end, job="stopped"), result)
    elif customization_job and status == "Completed":
        if execution_end.by_hand or _execution(item).startswith(_SERVES):
            _record(item, customization_job)
            _close(
                env,
                item,
                _outcome_of_model(env, item, execution_end, customization_job["outputModelArn"]),
                result,
            )
            return
        serving = _record(item, customization_job)
        _hand_over(env, item, serving)
        result["serving"].append(run)
    elif customization_job and status == "Failed":
        _close(env, item, job_failed(item, customization_job, environment=env.environment), result)
    elif execution_end.by_hand or status == "Stopped":
        _close(env, item, aborted(item, execution_end), result)
    else:
        _close(env, item, broken(item, execution_end), result)


def _outcome_of_model(
    env: ReconcileEnvironment, item: Row, execution_end: ExecutionEnd, model_arn: str
) -> Outcome:
    """Whether its model was published for good before the execution ended."""
    intent = _intent.stored(env.runs_table, item["customization"])
    if intent is not None and intent.on and not intent.until:
        published = intent.published
        if published.model_run == item["run"] and published.endpoint_arn:
            return served(item, execution_end, endpoint=published.endpoint_arn)
    return kept(item, execution_end, model=model_arn, environment=env.environment)


def _report(env: ReconcileEnvironment, item: Row, result: Reconciled) -> None:
    """One run that was closed, and whose execution had a message to send after that."""
    run = str(item["run"])
    execution_end = _execution_end(env, item)
    if execution_end is None:
        return
    # An execution fails with the status that it has told; any other end came before its message.
    if execution_end.status != "SUCCEEDED" and execution_end.error != item["status"]:
        subject = f"{item['customization']}: {item['status']}"
        message = str(item["message"])
        _tell(env, item, Outcome(status=str(item["status"]), subject=subject, message=message))
        result["told"].append(run)
    customization_job = _job(item.get("job_name")) if item.get(_runs.UNWATCHED) else None
    if customization_job and customization_job["status"] in ("InProgress", "Stopping", "Completed"):
        # It lost sight of its job: what is paid for is not lost, however soon that ended.
        _runs.resume_run(env.runs_table, run, status="training", message="its job goes on")
        _run(env, item, result)
    else:
        _runs.was_told(env.runs_table, run)


def _check_job(env: ReconcileEnvironment, job_name: str, result: Reconciled) -> None:
    """One running job: its run may have ended, or nobody knows of it."""
    run = job.run_of(job_name)
    item = _runs.item_of(env.runs_table, run)
    if item is None or item.get("job_name") != job_name:
        # Another environment's runs may have such names, too.
        if not job_name.startswith(f"{env.environment}-"):
            return
        result["undecided"].append(job_name)
        logger.warning("a job of no run", extra={"job": job_name})
        return
    if is_open(item):
        return
    execution_end = _execution_end(env, item)
    if execution_end is None:
        return
    if item["status"] == "aborted":
        _stop(job_name)
        result["closed"].append(run)
    else:
        _watch(env, item, execution_end, result)


def _execution_end(env: ReconcileEnvironment, item: Row) -> ExecutionEnd | None:
    """How a run's execution ended; None while it runs."""
    arn = f"{env.workflow_arn.replace(':stateMachine:', ':execution:')}:{_execution(item)}"
    response = _aws.none_if(
        "ExecutionDoesNotExist",
        lambda: _aws.stepfunctions().describe_execution(executionArn=arn),
    )
    if response is None:
        return ExecutionEnd(status="gone")
    if response["status"] in ("RUNNING", "PENDING_REDRIVE"):
        return None
    return ExecutionEnd(
        status=response["status"], error=response.get("error", ""), cause=response.get("cause", "")
    )


def _execution(item: Row) -> str:
    """The name of a run's execution; a person's has the run's."""
    return str(item.get("execution", item["run"]))


def _job(name: Any) -> Any:
    if not name:
        return None
    return _aws.none_if(
        "ResourceNotFoundException",
        lambda: _aws.bedrock().get_model_customization_job(jobIdentifier=str(name)),
    )


def _stop(identifier: str) -> None:
    try:
        _aws.bedrock().stop_model_customization_job(jobIdentifier=identifier)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _STOPPED_ALREADY:
            raise


def _watch(
    env: ReconcileEnvironment, item: Row, execution_end: ExecutionEnd, result: Reconciled
) -> None:
    """A job is paid for whether anybody watches or not: from now on this function does."""
    run = str(item["run"])
    result["watched"].append(run)
    if item.get("watched_since") and is_open(item):
        return
    outcome = watched(item, execution_end)
    _tell(env, item, outcome)
    _runs.resume_run(
        env.runs_table,
        run,
        status=outcome.status,
        message=outcome.message,
        watched_since=_runs.now(),
    )


def _record(item: Row, customization_job: Mapping[str, Any]) -> dict[str, Any]:
    """What the workflow would have recorded of a completed job, with the price and its approval."""
    approval_reason = item.get("approval_reason")
    start = {
        "run_key": item["run_key"],
        "estimate": item.get("estimate", ""),
        "decision": "approve" if approval_reason else "start",
        "reason": approval_reason or "the price is within the budget",
    }
    admission = {"customization": item["customization"], "run": item["run"]}
    return record_job.handler(
        {"admission": admission, "start": start, "job": customization_job}, None
    )


def _hand_over(env: ReconcileEnvironment, item: Row, serving: dict[str, Any]) -> None:
    """The workflow goes on where serving begins; once, however often this is called."""
    name = f"{_SERVES}{item['run']}"
    _aws.start_serving(env.workflow_arn, execution=name, serving=serving)
    _runs.update_run(env.runs_table, str(item["run"]), execution=name)


def _close(env: ReconcileEnvironment, item: Row, outcome: Outcome, result: Reconciled) -> None:
    """Releases, tells, closes: in this order, so that a call that breaks off is made up for."""
    run = str(item["run"])
    if "run_key" in item:
        _runs.release_work(env.runs_table, key=item["run_key"], run=run)
    if outcome.failed:
        of = str(item["customization"])
        _metrics.count("RunsFailed", environment=env.environment, customization=of)
    _tell(env, item, outcome)
    _runs.close_run(env.runs_table, run, status=outcome.status, message=outcome.message)
    result["closed"].append(run)


def _tell(env: ReconcileEnvironment, item: Row, outcome: Outcome) -> None:
    message = Message(
        status=outcome.status,
        environment=env.environment,
        customization=item["customization"],
        run=item["run"],
        subject=outcome.subject,
        message=outcome.message,
        failed=outcome.failed,
    )
    _aws.tell(env.topic_arn, message)
