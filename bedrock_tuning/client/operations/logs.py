"""What happened in a run: the history of its execution, and what functions logged meanwhile."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bedrock_tuning.client.deployment import Deployment
from bedrock_tuning.client.inventory import resources
from bedrock_tuning.client.runs import Row
from bedrock_tuning.config.names import stack_name

POLL_SECONDS: Final = 2.0
# Functions are called a moment after the run's first note, and log a moment after its last.
_BEFORE, _AFTER = timedelta(seconds=30), timedelta(minutes=2)
_TROUBLE: Final = frozenset({"WARNING", "WARN", "ERROR", "CRITICAL", "FATAL"})
# Lines of the platform's own about each call.
_PLATFORM: Final = ("START RequestId", "END RequestId", "REPORT RequestId", "INIT_START")
_PARTS: Final = ("pipeline", "serving")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. source: "workflow", or a function. level: as it was logged, or ""."""

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

    def __init__(self, deployment: Deployment, run: Row, *, every: bool = False) -> None:
        self._deployment = deployment
        self._run = run
        self._every = every
        self._seen: set[str] = set()
        self._groups = dict(_groups(deployment))
        self._began = _time(run["created"]) - _BEFORE

    def news(self) -> list[Line]:
        """Lines that were not there at the last call, by time."""
        found = [*self._history(), *self._functions()]
        return sorted(found, key=lambda line: line.time)

    def follow(self) -> Iterator[Line]:
        """Lines as they come, until the execution has ended."""
        while True:
            goes_on = self._is_running()
            yield from self.news()
            if not goes_on:
                return
            time.sleep(POLL_SECONDS)

    @property
    def _execution(self) -> str | None:
        name = self._run.get("execution")
        return None if name is None else self._deployment.execution_arn(str(name))

    def _is_running(self) -> bool:
        states = self._deployment.aws.stepfunctions
        if self._execution is None:
            return False
        try:
            return states.describe_execution(executionArn=self._execution)["status"] == "RUNNING"
        except states.exceptions.ExecutionDoesNotExist:
            return False

    def _history(self) -> Iterator[Line]:
        states = self._deployment.aws.stepfunctions
        if self._execution is None:
            return
        pages = states.get_paginator("get_execution_history").paginate(
            executionArn=self._execution, includeExecutionData=True
        )
        try:
            for page in pages:
                for event in page["events"]:
                    text = _told(event)
                    if text and self._is_new(f"event {event['id']}"):
                        level = "ERROR" if "error" in text else ""
                        yield Line(
                            time=event["timestamp"], source="workflow", level=level, text=text
                        )
        except states.exceptions.ExecutionDoesNotExist:
            return

    def _functions(self) -> Iterator[Line]:
        is_open = self._run.get("open") == "yes"
        until = datetime.now(UTC) if is_open else _time(self._run["updated"]) + _AFTER
        for group, function in self._groups.items():
            pages = self._deployment.aws.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group,
                startTime=_milliseconds(self._began),
                endTime=_milliseconds(until),
            )
            for page in pages:
                for event in page["events"]:
                    line = self._line(function, event)
                    if line is not None and self._is_new(str(event["eventId"])):
                        yield line

    def _line(self, function: str, event: Mapping[str, Any]) -> Line | None:
        message = str(event["message"]).rstrip()
        if message.startswith(_PLATFORM) and not self._every:
            return None
        level, text = _read(message)
        names = (str(self._run["run"]), str(self._run.get("execution", self._run["run"])))
        is_ours = any(name in message for name in names)
        if not (self._every or is_ours or level in _TROUBLE):
            return None
        when = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        return Line(time=when, source=function, level=level, text=text)

    def _is_new(self, id: str) -> bool:
        if id in self._seen:
            return False
        self._seen.add(id)
        return True


def _told(event: Mapping[str, Any]) -> str:
    """A history event in words; "" for what tells a person nothing."""
    if entered := event.get("stateEnteredEventDetails"):
        return "" if event["type"] == "ChoiceStateEntered" else str(entered["name"])
    for details in event.values():
        if isinstance(details, dict) and "error" in details:
            return f"error {details['error']}: {details.get('cause', 'without a cause')}"
    return ""


def _read(message: str) -> tuple[str, str]:
    """Level and text of a line: functions log JSON, the platform plain text."""
    try:
        record = json.loads(message)
    except ValueError:
        return "", message
    if not isinstance(record, dict) or "message" not in record:
        return "", message
    usual = {"timestamp", "level", "message", "logger", "requestId"}
    more = " ".join(f"{key}={value}" for key, value in record.items() if key not in usual)
    return str(record.get("level", "")), f"{record['message']} {more}".strip()


def _groups(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """The log groups of a deployment's functions, with what the functions are called."""
    for part in _PARTS:
        for each in resources(deployment.aws, stack_name(deployment.environment, part)):
            is_function = each["LogicalResourceId"].rstrip("0123456789ABCDEF")
            if each["ResourceType"] == "AWS::Logs::LogGroup" and is_function.endswith("Logs"):
                name = is_function.removesuffix("Logs").removeprefix("Functions")
                yield each["PhysicalResourceId"], name or "workflow"


def _time(text: object) -> datetime:
    return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _milliseconds(when: datetime) -> int:
    return int(when.timestamp() * 1000)
