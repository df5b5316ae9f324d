"""Following a run: what its item says has happened, as events, until it ends."""

import json
import re
import secrets
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.runs import resolved, row
from bedrock_tuning.run.row import WAITS, Row, does, is_open, timeline

_POLL_SECONDS: Final = 2.0
# How often Bedrock and Step Functions are asked, who only add to what the item says.
_ASK_SECONDS: Final = 30.0
# Reconcile is called within seconds after an execution has died, and starts cold.
_PATIENCE_SECONDS: Final = 120.0
_PHASES: Final = {
    "validationDetails": "validation",
    "dataProcessingDetails": "data processing",
    "trainingDetails": "training",
}
# Ends that are what the upload was made for, or that need nobody's attention.
GOOD_ENDS: Final = frozenset(
    {"served", "trained", "already-trained", "removed", "duplicate", "superseded", "waiting"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something happened to the run, what: in words. after: since the run began."""

    what: str
    after: timedelta

    def __str__(self) -> str:
        """One line: "0:01:05  the dataset is valid"."""
        return f"{_clock(self.after)}  {self.what}"


def _clock(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    return f"{seconds // 3600:d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """What the run does now. after: since it began. detail: what Bedrock does, or ""."""

    what: str
    after: timedelta
    detail: str = ""

    def __str__(self) -> str:
        """One line: "0:01:05  training: Bedrock: data processing in progress"."""
        return f"{_clock(self.after)}  {self.what}{self.detail and f': {self.detail}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitingManifest:
    """The upload waits for the other manifest of its dataset."""

    run: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """The upload's dataset was taken by another run, which is followed from now on."""

    run: Row
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitingApproval:
    """The run waits for a person to approve its price."""

    run: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Died:
    """The run's execution has ended without closing the run. how: as Step Functions says it."""

    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The run ended; always the last event."""

    run: dict[str, Any]


RunEvent = Happened | Working | AwaitingManifest | TakenOver | AwaitingApproval | Died | Ended


def started_now(verb: str) -> str:
    """The name of a run that a person starts now; like every run's, it sorts by its time."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{verb}-{secrets.token_hex(3)}"


def start_serving(deployment: DeploymentClient, serving: Mapping[str, Any]) -> str:
    """Starts the workflow at its serving part; returns the execution's ARN."""
    return deployment.aws.stepfunctions.start_execution(
        stateMachineArn=deployment.workflow_arn,
        name=serving["run"],
        input=json.dumps({"serving": serving}),
    )["executionArn"]


def follow(deployment: DeploymentClient, run: Row) -> Iterator[RunEvent]:
    """What happens to a run until it ends.

    An upload that waits for its other manifest is followed to the run that takes both.
    """
    current = resolved(deployment, run)
    if current["status"] == "waiting":
        yield AwaitingManifest(run=current)
    while current["status"] == "waiting":
        time.sleep(_POLL_SECONDS)
        current = resolved(deployment, current)
    if "taken_by" in current:
        message = str(current["message"])
        current = row(deployment, str(current["taken_by"]))
        yield TakenOver(run=current, message=message)
    yield Ended(run=(yield from _moments(deployment, current)))


def _moments(deployment: DeploymentClient, run: Row) -> Generator[RunEvent, None, dict[str, Any]]:
    """Returns the run as it was read last."""
    job, execution = _Job(deployment), Execution(deployment)
    told_moments: set[str] = set()
    was_waiting = False
    while True:
        # Asked before the item is read, which is closed before its execution ends.
        died = execution.died(run)
        current = resolved(deployment, row(deployment, str(run["run"])))
        began = datetime.fromisoformat(str(current["created"]))
        for moment in timeline(current):
            if moment.what not in told_moments:
                told_moments.add(moment.what)
                yield Happened(what=moment.what, after=datetime.fromisoformat(moment.at) - began)
        if not is_open(current):
            return current
        if died:
            yield Died(how=died)
            return current
        is_waiting = current["status"] == WAITS
        if is_waiting and not was_waiting:
            yield AwaitingApproval(run=current)
        was_waiting = is_waiting
        detail = job.phase(current) if current["status"] == "training" else ""
        yield Working(what=does(current), after=datetime.now(UTC) - began, detail=detail)
        run = current
        time.sleep(_POLL_SECONDS)


class _Job:
    """The job of one run: what Bedrock does while the workflow only waits."""

    def __init__(self, deployment: DeploymentClient) -> None:
        self._deployment = deployment
        self._asked = -_ASK_SECONDS
        self._phase = ""

    def phase(self, run: Row) -> str:
        """As Bedrock says it, asked twice a minute; "" for who may not ask, or has to wait."""
        from botocore.exceptions import ClientError

        if "job_name" not in run or time.monotonic() - self._asked < _ASK_SECONDS:
            return self._phase
        self._asked = time.monotonic()
        try:
            bedrock = self._deployment.aws.bedrock
            name = str(run["job_name"])
            self._phase = _phase(bedrock.get_model_customization_job(jobIdentifier=name))
        except ClientError:
            # It only adds to what the item says.
            self._phase = ""
        return self._phase


class Execution:
    """Whether a run's execution has ended, and nobody has closed the run since."""

    def __init__(self, deployment: DeploymentClient) -> None:
        self._deployment = deployment
        self._asked = time.monotonic()
        self._how, self._since = "", 0.0

    def died(self, run: Row) -> str:
        """How it ended, asked twice a minute; "" while it runs, or Reconcile has time to act."""
        now = time.monotonic()
        # A job that goes on without its execution is watched by Reconcile.
        if "watched_since" in run or now - self._asked < _ASK_SECONDS:
            return ""
        self._asked = now
        # A person's execution has the name of its run.
        how = self._status(str(run.get("execution", run["run"])))
        if how in ("RUNNING", "PENDING_REDRIVE"):
            self._how = ""
            return ""
        if not self._how:
            self._since = now
        self._how = how
        return how if now - self._since >= _PATIENCE_SECONDS else ""

    def _status(self, name: str) -> str:
        states, arn = self._deployment.aws.stepfunctions, self._deployment.execution_arn(name)
        try:
            return states.describe_execution(executionArn=arn)["status"]
        except states.exceptions.ExecutionDoesNotExist:
            return "GONE"


def _phase(job: Mapping[str, Any]) -> str:
    """The newest phase that began; the API promises details for some kinds of jobs only."""
    details = job.get("statusDetails") or {}
    phases = [
        f"{words} {details[key]['status']}"
        for key, words in _PHASES.items()
        if details.get(key, {}).get("status", "NotStarted") != "NotStarted"
    ]
    status = phases[-1] if phases else f"job {job['status']}"
    return f"Bedrock: {re.sub('(?<=[a-z])(?=[A-Z])', ' ', status).lower()}"
