"""Follows a run from the outside: the execution that an upload started, state by state."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from local.demo.deploy import Deployment
from local.emulator.server import LocalAws

_POLL_SECONDS: Final = 0.25
Say = Callable[[str], None]


class FollowError(Exception):
    """No execution appeared, or it did not end in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an execution ended. state: the workflow's last state, as far as it got."""

    arn: str
    status: str
    state: dict[str, Any]
    error: str = ""
    cause: str = ""

    @property
    def outcome(self) -> str:
        """The run's end in our words: served, rejected, …; the error's name if it failed."""
        return str(self.state.get("outcome", {}).get("status") or self.error)

    @property
    def why(self) -> str:
        """What a person is told about this end, also of one that is no failure."""
        return self.cause or str(self.state.get("outcome", {}).get("message", ""))


def execution_for(
    aws: LocalAws, deployment: Deployment, *, bucket: str, version: str, seconds: float = 30
) -> str:
    """The execution that the upload of this version of a manifest started."""
    states = aws.client("stepfunctions")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for found in states.list_executions(stateMachineArn=deployment.workflow)["executions"]:
            arn = found["executionArn"]
            event = json.loads(states.describe_execution(executionArn=arn)["input"])
            detail = event.get("detail", {})
            uploaded = detail.get("object", {}).get("version-id")
            if detail.get("bucket", {}).get("name") == bucket and uploaded == version:
                return str(arn)
        time.sleep(_POLL_SECONDS)
    raise FollowError(f"the upload to {bucket} started no execution within {seconds:.0f} s")


def follow(
    aws: LocalAws, deployment: Deployment, arn: str, *, say: Say, approve: bool, seconds: float
) -> Ended:
    """Says each state once as it is entered, and how long it has taken so far, until the end.

    approve: agree to the price when the run asks; else it waits for somebody to do so.
    """
    states = aws.client("stepfunctions")
    started = time.monotonic()
    told: set[str] = set()
    seen = 0
    while time.monotonic() - started < seconds:
        events = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        for name in _entered(events[seen:]):
            if name not in told:
                told.add(name)
                say(name)
            if name == "Await approval" and approve:
                _approve(aws, deployment, arn, say)
        seen = len(events)
        found = states.describe_execution(executionArn=arn)
        if found["status"] != "RUNNING":
            return Ended(
                arn=arn,
                status=found["status"],
                state=json.loads(found.get("output") or "{}"),
                error=found.get("error", ""),
                cause=found.get("cause", ""),
            )
        time.sleep(_POLL_SECONDS)
    raise FollowError(f"{arn} was still running after {seconds:.0f} s")


def _entered(events: list[dict[str, Any]]) -> Iterator[str]:
    """Names of the states in which something happens; choices are only turns of the road."""
    for event in events:
        if event["type"] in ("TaskStateEntered", "MapStateEntered", "WaitStateEntered"):
            yield event["stateEnteredEventDetails"]["name"]


def run_of(aws: LocalAws, deployment: Deployment, arn: str) -> dict[str, str] | None:
    """The runs table's item of an execution, its texts only; None while there is none."""
    name = arn.rpartition(":")[2]
    for item in aws.client("dynamodb").scan(TableName=deployment.runs_table)["Items"]:
        if item["id"]["S"].startswith("run#") and item.get("execution", {}).get("S") == name:
            return {key: value["S"] for key, value in item.items() if "S" in value}
    return None


def _approve(aws: LocalAws, deployment: Deployment, arn: str, say: Say) -> None:
    for _ in range(40):
        run = run_of(aws, deployment, arn)
        if run is not None and "approval_token" in run:
            for line in run["estimate"].splitlines():
                say(f"    {line}")
            say("    approved by this script: the simulator bills nothing")
            aws.client("stepfunctions").send_task_success(
                taskToken=run["approval_token"], output='{"approved_by": "demo"}'
            )
            return
        time.sleep(_POLL_SECONDS)
    raise FollowError("the run asks for approval but its task token was never stored")
