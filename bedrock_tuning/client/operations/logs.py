"""What happened in a run: its own record, and what the workflow and functions logged meanwhile."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.executions import Execution
from bedrock_tuning.client.inventory import resources
from bedrock_tuning.client.runs import row
from bedrock_tuning.config.names import stack_name
from bedrock_tuning.run.row import Row, is_open, timeline
from bedrock_tuning.sources.listing import listed

_POLL_SECONDS: Final = 2.0
# Functions are called a moment after the run's first note, and log a moment after its last.
_BEFORE, _AFTER = timedelta(seconds=30), timedelta(minutes=2)
_TROUBLE: Final = frozenset({"WARNING", "WARN", "ERROR", "CRITICAL", "FATAL"})
# Lines of the platform's own about each call.
_PLATFORM: Final = ("START RequestId", "END RequestId", "REPORT RequestId", "INIT_START")
_PARTS: Final = ("pipeline", "serving")
WORKFLOW_LOG: Final = "Workflow"
# How the types of events end that tell of an error.
_FAILURES: Final = ("Failed", "TimedOut", "Aborted")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line. source: "run", "Workflow", or a function. level: as it was logged, or ""."""

    time: datetime
    source: str
    level: str
    text: str

    def __str__(self) -> str:
        """One line: "09:30:02  CheckManifest  INFO  checked …"."""
        level = f"{self.level}  " if self.level else ""
        return f"{self.time:%H:%M:%S}  {self.source}  {level}{self.text}"


class RunLogs:
    """The lines of one run, each once. every: also lines that do not name the run."""

    def __init__(self, deployment: DeploymentClient, run: Row, *, every: bool = False) -> None:
        self._deployment = deployment
        self._run = run
        self._every = every
        self._seen: set[str] = set()
        self._groups = dict(_groups(deployment))
        self._began = datetime.fromisoformat(run["created"]) - _BEFORE

    def news(self) -> list[LogLine]:
        """Lines that were not there at the last call, by time."""
        lines = [*self._record(), *self._events()]
        return sorted(lines, key=lambda line: line.time)

    def follow(self) -> Iterator[LogLine]:
        """Lines as they come, until the run has ended, or its execution has died."""
        execution = Execution(self._deployment)
        while True:
            died = execution.died(self._run)
            self._run = row(self._deployment, str(self._run["run"]))
            yield from self.news()
            if died or not is_open(self._run):
                return
            time.sleep(_POLL_SECONDS)

    def _record(self) -> Iterator[LogLine]:
        for moment in timeline(self._run):
            if self._is_new(f"{moment.at} {moment.what}"):
                timestamp = datetime.fromisoformat(moment.at)
                yield LogLine(time=timestamp, source="run", level="", text=moment.what)

    def _events(self) -> Iterator[LogLine]:
        end = datetime.now(UTC)
        if not is_open(self._run):
            end = datetime.fromisoformat(self._run["updated"]) + _AFTER
        for group, source in self._groups.items():
            for event in listed(
                self._deployment.aws.logs,
                "filter_log_events",
                "events",
                logGroupName=group,
                startTime=_milliseconds(self._began),
                endTime=_milliseconds(end),
            ):
                line = self._line(source, event)
                # The API requires no id, and the local AWS gives none to what functions log.
                id = event.get("eventId") or (line, event.get("logStreamName"))
                if line is not None and self._is_new(str(id)):
                    yield line

    def _line(self, source: str, event: Mapping[str, Any]) -> LogLine | None:
        message = str(event["message"]).rstrip()
        if message.startswith(_PLATFORM) and not self._every:
            return None
        level, text = (_describe_event if source == WORKFLOW_LOG else _describe_line)(message)
        if not text:
            return None
        names = (str(self._run["run"]), str(self._run.get("execution", self._run["run"])))
        is_ours = any(name in message for name in names)
        if not (self._every or is_ours or level in _TROUBLE):
            return None
        timestamp = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        return LogLine(time=timestamp, source=source, level=level, text=text)

    def _is_new(self, id: str) -> bool:
        if id in self._seen:
            return False
        self._seen.add(id)
        return True


def _describe_event(message: str) -> tuple[str, str]:
    """Level and text of an event of the workflow; no text for what tells a person nothing."""
    event = json.loads(message)
    kind, details = str(event["type"]), event.get("details") or {}
    if kind.endswith("StateEntered") and kind != "ChoiceStateEntered":
        return "", str(details.get("name", kind))
    if not kind.endswith(_FAILURES):
        return "", ""
    texts = (str(details[name]) for name in ("error", "cause") if details.get(name))
    return "ERROR", ": ".join((kind, *texts))


def _describe_line(message: str) -> tuple[str, str]:
    """Level and text of a line: functions log JSON, the platform plain text."""
    try:
        record = json.loads(message)
    except ValueError:
        return "", message
    if not isinstance(record, dict) or "message" not in record:
        return "", message
    usual_keys = {"timestamp", "level", "message", "logger", "requestId"}
    rest = " ".join(f"{key}={value}" for key, value in record.items() if key not in usual_keys)
    return str(record.get("level", "")), f"{record['message']} {rest}".strip()


def _groups(deployment: DeploymentClient) -> Iterator[tuple[str, str]]:
    """The log groups of a deployment, with the functions or the workflow that write them."""
    for part in _PARTS:
        for resource in resources(deployment.aws, stack_name(deployment.environment, part)):
            is_function = resource["LogicalResourceId"].rstrip("0123456789ABCDEF")
            if resource["ResourceType"] == "AWS::Logs::LogGroup" and is_function.endswith("Logs"):
                name = is_function.removesuffix("Logs").removeprefix("Functions")
                yield resource["PhysicalResourceId"], name


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
