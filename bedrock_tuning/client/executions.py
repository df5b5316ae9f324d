"""A run while it runs: the states of its execution, each as it begins."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bedrock_tuning.client.deployment import Deployment

# Ends that are what the upload was made for, or that need nobody's attention.
GOOD = frozenset(
    {"served", "trained", "already-trained", "removed", "duplicate", "superseded", "waiting"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A state that a run entered. after: since the run began."""

    state: str
    after: timedelta

    def __str__(self) -> str:
        """One line: hours only where there are some."""
        whole = int(self.after.total_seconds())
        return f"{whole // 3600:d}:{whole // 60 % 60:02d}:{whole % 60:02d}  {self.state}"


class History:
    """The execution of one run.

    Choices and repeated states (a loop that waits) are left out: they tell a person nothing.
    """

    def __init__(self, deployment: Deployment, execution: str) -> None:
        self._states = deployment.aws.stepfunctions
        self._arn = deployment.execution_arn(execution)
        self._seen = 0
        self._told: set[str] = set()

    def status(self) -> str | None:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED; None if it is no longer kept."""
        try:
            return self._states.describe_execution(executionArn=self._arn)["status"]
        except self._states.exceptions.ExecutionDoesNotExist:
            return None

    def news(self) -> Iterator[Entered]:
        """States that were entered since the last call, in order."""
        began = self._states.describe_execution(executionArn=self._arn)["startDate"]
        for event in self._new_events():
            entered = self._entered(event, began)
            if entered is not None:
                yield entered

    def _new_events(self) -> list[dict[str, Any]]:
        """Read from the newest back to what is known: a long run has a long history."""
        pages = self._states.get_paginator("get_execution_history").paginate(
            executionArn=self._arn, reverseOrder=True, includeExecutionData=False
        )
        found: list[dict[str, Any]] = []
        for page in pages:
            for event in page["events"]:
                if event["id"] <= self._seen:
                    break
                found.append(dict(event))
            else:
                continue
            break
        if found:
            self._seen = found[0]["id"]
        return found[::-1]

    def _entered(self, event: dict[str, Any], began: datetime) -> Entered | None:
        details = event.get("stateEnteredEventDetails")
        if details is None or event["type"] == "ChoiceStateEntered":
            return None
        name = details["name"]
        if name in self._told:
            return None
        self._told.add(name)
        return Entered(state=name, after=event["timestamp"] - began)
