"""What a run has come to whose execution ended without saying so, as a status and a message."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.run.outcome import Outcome, cause_words, outcome
from bedrock_tuning.run.row import Row

_AGAIN: Final = "The same data may be uploaded again at once."
_ENDPOINTS: Final = "What it had begun to serve is billed until its lease ends: tuning endpoints."


def _advice(item: Row) -> str:
    """What is left of a run without a model; only uploads have a dataset."""
    return _AGAIN if "training_version" in item else _ENDPOINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionEnd:
    """How an execution ended. status: Step Functions', or "gone"; error, cause: what it says."""

    status: str
    error: str = ""
    cause: str = ""

    @property
    def by_hand(self) -> bool:
        """Whether somebody stopped it, and so wants no more of it."""
        return self.status == "ABORTED"

    def __str__(self) -> str:
        if self.by_hand:
            return f"its execution was aborted{f': {self.cause}' if self.cause else ''}"
        if self.status == "TIMED_OUT":
            return "its execution took longer than it may"
        if self.status == "gone":
            return "its execution no longer exists"
        reason = ": ".join(part for part in (self.error, cause_words(self.cause)) if part)
        return f"its execution ended without recording how{f': {reason}' if reason else ''}"


def aborted(item: Row, end: ExecutionEnd, *, job: str = "") -> Outcome:
    """Somebody stopped the execution, or its job. job: what became of the job."""
    lines = [f"The run was ended: {end}."]
    if job:
        lines.append(f"Its job is {job}; training up to then is billed.")
    lines.append(_advice(item))
    return Outcome(
        status="aborted", subject=f"{item['customization']}: aborted", message="\n".join(lines)
    )


def broken(item: Row, end: ExecutionEnd) -> Outcome:
    """The execution broke off, and no job of it is known."""
    return Outcome(
        status="failed",
        subject=f"{item['customization']}: failed",
        message=f"The run ended unexpectedly: {end}.\n{_advice(item)}",
        failed=True,
    )


def watched(item: Row, end: ExecutionEnd) -> Outcome:
    """The job runs, and its end will be recorded although the execution is over."""
    return Outcome(
        status="training",
        subject=f"{item['customization']}: its job continues",
        message=f"The run's job continues and is billed, although {end}.\nIts end will be "
        "recorded, and its model served as after any run.",
    )


def kept(item: Row, end: ExecutionEnd, *, model: str, environment: str) -> Outcome:
    """The model is there, but nobody serves it for this run any more."""
    name = item["customization"]
    return Outcome(
        status="trained",
        subject=f"{name}: trained, not served",
        message=f"The custom model is kept: {model}\nIt is not served by this run: {end}. What "
        f"the run had begun to serve ends with its lease.\nServe it: tuning serve {name} --run "
        f"{item['run']} -e {environment}",
    )


def served(item: Row, end: ExecutionEnd, *, endpoint: str) -> Outcome:
    """Its model was published before the execution ended, so it is what applications use."""
    return Outcome(
        status="served",
        subject=f"{item['customization']}: served",
        message=f"The custom model of this run is served by {endpoint}, although {end}.",
    )


def job_failed(item: Row, job: Mapping[str, Any], *, environment: str) -> Outcome:
    """The job failed while nobody but the reconciler watched it: worded as by the workflow."""
    state = {
        "admission": {"customization": item["customization"]},
        "error": {"Error": "States.TaskFailed", "Cause": json.dumps(job, default=str)},
    }
    return outcome(state, environment=environment)
