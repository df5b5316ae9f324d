"""Following a run: the states of its execution as events, until it ends."""

import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bedrock_tuning.client.deployment import Deployment
from bedrock_tuning.client.runs import Row, resolved, row

POLL_SECONDS: Final = 2.0
_PHASE_SECONDS: Final = 30.0
# States in which a job runs for hours.
_TRAINS: Final = "Train"
_PHASES: Final = {
    "validationDetails": "validation",
    "dataProcessingDetails": "data processing",
    "trainingDetails": "training",
}
# Ends that are what the upload was made for, or that need nobody's attention.
GOOD: Final = frozenset(
    {"served", "trained", "already-trained", "removed", "duplicate", "superseded", "waiting"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """The run entered a state. after: since the run began."""

    state: str
    after: timedelta

    def __str__(self) -> str:
        """One line: "0:01:05  Check manifest"."""
        return f"{_clock(self.after)}  {self.state}"


def _clock(time: timedelta) -> str:
    whole = int(time.total_seconds())
    return f"{whole // 3600:d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """The run is still in a state. after: since it began. detail: what Bedrock does, or ""."""

    state: str
    after: timedelta
    detail: str = ""

    def __str__(self) -> str:
        """One line: "0:01:05  Train: data processing"."""
        return f"{_clock(self.after)}  {self.state}{self.detail and f': {self.detail}'}"


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
class NoHistory:
    """There are no states to follow. reason: why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The run ended; always the last event."""

    run: dict[str, Any]


Event = Entered | Working | AwaitingManifest | TakenOver | AwaitingApproval | NoHistory | Ended


def started_now(what: str) -> str:
    """The name of a run that a person starts now; like every run's, it sorts by its time."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{what}-{secrets.token_hex(3)}"


def start_serving(deployment: Deployment, serving: Mapping[str, Any]) -> str:
    """Starts the workflow at its serving part; returns the execution's ARN."""
    return deployment.aws.stepfunctions.start_execution(
        stateMachineArn=deployment.workflow_arn,
        name=serving["run"],
        input=json.dumps({"serving": serving}),
    )["executionArn"]


def follow(deployment: Deployment, started: Row) -> Iterator[Event]:
    """What happens to a run until it ends.

    An upload that waits for its other manifest is followed to the run that takes both.
    """
    current = resolved(deployment, started)
    if current["status"] == "waiting":
        yield AwaitingManifest(run=current)
    while current["status"] == "waiting":
        time.sleep(POLL_SECONDS)
        current = resolved(deployment, current)
    if "taken_by" in current:
        message = str(current["message"])
        current = row(deployment, str(current["taken_by"]))
        yield TakenOver(run=current, message=message)
    yield from _states(deployment, current)
    yield Ended(run=resolved(deployment, row(deployment, str(current["run"]))))


def _states(deployment: Deployment, run: Row) -> Iterator[Event]:
    if "execution" not in run:
        # Runs that a deployment or `tuning serve` started are recorded when they end.
        yield NoHistory(reason="this run has no history to follow; it ended as shown")
        return
    history = _History(deployment, str(run["execution"]))
    job = _Job(deployment, str(run["run"]))
    state = ""
    while True:
        # Asked before the news, so that none is lost between the last news and the end.
        status = history.status()
        if status is None:
            yield NoHistory(reason="the history of this run is no longer kept")
            return
        news = list(history.news())
        yield from news
        if status != "RUNNING":
            return
        state = news[-1].state if news else state
        if news and state == "Await approval":
            yield AwaitingApproval(run=row(deployment, str(run["run"])))
        detail = job.phase() if state.startswith(_TRAINS) else ""
        yield Working(state=state, after=datetime.now(UTC) - history.began, detail=detail)
        time.sleep(POLL_SECONDS)


class _Job:
    """The job of one run: what Bedrock does while the workflow only waits."""

    def __init__(self, deployment: Deployment, run: str) -> None:
        self._deployment = deployment
        self._run = run
        self._asked = -_PHASE_SECONDS
        self._phase = ""

    def phase(self) -> str:
        """As Bedrock says it, asked twice a minute; "" for who may not ask, or has to wait."""
        from botocore.exceptions import ClientError

        if time.monotonic() - self._asked < _PHASE_SECONDS:
            return self._phase
        self._asked = time.monotonic()
        try:
            name = row(self._deployment, self._run).get("job_name")
            if name:
                bedrock = self._deployment.aws.bedrock
                job = bedrock.get_model_customization_job(jobIdentifier=str(name))
                self._phase = _phase(job)
        except ClientError:
            # It only adds to what the workflow says.
            self._phase = ""
        return self._phase


def _phase(job: Mapping[str, Any]) -> str:
    """The newest phase that began; the API promises details for some kinds of jobs only."""
    details = job.get("statusDetails") or {}
    begun = [
        f"{words} {details[key]['status']}"
        for key, words in _PHASES.items()
        if details.get(key, {}).get("status", "NotStarted") != "NotStarted"
    ]
    status = begun[-1] if begun else f"job {job['status']}"
    return f"Bedrock: {re.sub('(?<=[a-z])(?=[A-Z])', ' ', status).lower()}"


class _History:
    """The execution of one run.

    Choices and repeated states (a loop that waits) are left out: they tell a person nothing.
    """

    def __init__(self, deployment: Deployment, execution: str) -> None:
        self._states = deployment.aws.stepfunctions
        self._arn = deployment.execution_arn(execution)
        self._seen = 0
        self._reported: set[str] = set()
        self.began = datetime.now(UTC)

    def status(self) -> str | None:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED; None if it is no longer kept."""
        try:
            return self._states.describe_execution(executionArn=self._arn)["status"]
        except self._states.exceptions.ExecutionDoesNotExist:
            return None

    def news(self) -> Iterator[Entered]:
        """States that were entered since the last call, in order."""
        self.began = self._states.describe_execution(executionArn=self._arn)["startDate"]
        for event in self._new_events():
            entered = self._entered(event, self.began)
            if entered is not None:
                yield entered

    def _new_events(self) -> list[dict[str, Any]]:
        """Read from the newest back to what is known: a long run has a long history."""
        pages = self._states.get_paginator("get_execution_history").paginate(
            executionArn=self._arn, reverseOrder=True, includeExecutionData=False
        )
        events: list[dict[str, Any]] = []
        for page in pages:
            for event in page["events"]:
                if event["id"] <= self._seen:
                    break
                events.append(dict(event))
            else:
                continue
            break
        if events:
            self._seen = events[0]["id"]
        return events[::-1]

    def _entered(self, event: dict[str, Any], began: datetime) -> Entered | None:
        details = event.get("stateEnteredEventDetails")
        if details is None or event["type"] == "ChoiceStateEntered":
            return None
        name = details["name"]
        if name in self._reported:
            return None
        self._reported.add(name)
        return Entered(state=name, after=event["timestamp"] - began)
