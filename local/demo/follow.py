"""Runs a dataset as a data scientist would: upload it, find its execution, follow it to its end."""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bedrock_tuning import s3_layout
from local.demo.dataset import Picture
from local.demo.deploy import LocalDeployment, Say
from local.emulator.server import LocalAws

_POLL_SECONDS: Final = 0.25
_THREADS: Final = 8


class FollowError(Exception):
    """No execution started, or it did not end in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedExecution:
    """How an execution ended. state: the workflow's last state, as far as it got."""

    arn: str
    status: str
    state: dict[str, Any]
    error: str = ""
    cause: str = ""

    @property
    def outcome(self) -> str:
        """How the run ended: served, rejected, …; the error's name if it failed."""
        return str(self.state.get("outcome", {}).get("status") or self.error)

    @property
    def why(self) -> str:
        """The reason that a person reads, even if the run did not fail."""
        return self.cause or str(self.state.get("outcome", {}).get("message", ""))


def upload_pictures(
    aws: LocalAws, folder: Path, pictures: Sequence[Picture], *, bucket: str, customization: str
) -> None:
    """Uploads the pictures to the keys that the manifest names."""
    s3 = aws.client("s3")

    def put(picture: Picture) -> None:
        body = (folder / picture.path).read_bytes()
        s3.put_object(Bucket=bucket, Key=f"{customization}/{picture.path}", Body=body)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(put, pictures))


def upload_manifest(aws: LocalAws, body: bytes, *, bucket: str, customization: str) -> str:
    """Uploads the manifest, which starts a run; returns its version id."""
    answer = aws.client("s3").put_object(
        Bucket=bucket, Key=s3_layout.manifest_key(customization), Body=body
    )
    return str(answer["VersionId"])


def execution_for(
    aws: LocalAws, deployment: LocalDeployment, *, bucket: str, version: str, seconds: float = 30
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
    raise FollowError(f"no execution started within {seconds:.0f} s of the upload to {bucket}")


def follow(
    aws: LocalAws, deployment: LocalDeployment, arn: str, *, say: Say, approve: bool, seconds: float
) -> EndedExecution:
    """Prints each state once, when it is entered, until the execution ends.

    approve: approve the price when the run asks for it; otherwise it waits for a person.
    """
    states = aws.client("stepfunctions")
    started = time.monotonic()
    printed: set[str] = set()
    seen = 0
    while time.monotonic() - started < seconds:
        events = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        for name in _entered(events[seen:]):
            if name not in printed:
                printed.add(name)
                say(name)
            if name == "Await approval" and approve:
                _approve(aws, deployment, arn, say)
        seen = len(events)
        found = states.describe_execution(executionArn=arn)
        if found["status"] != "RUNNING":
            return EndedExecution(
                arn=arn,
                status=found["status"],
                state=json.loads(found.get("output") or "{}"),
                error=found.get("error", ""),
                cause=found.get("cause", ""),
            )
        time.sleep(_POLL_SECONDS)
    raise FollowError(f"{arn} was still running after {seconds:.0f} s")


def _entered(events: list[dict[str, Any]]) -> Iterator[str]:
    """Names of the states that do something; choices do nothing by themselves."""
    for event in events:
        if event["type"] in ("TaskStateEntered", "MapStateEntered", "WaitStateEntered"):
            yield event["stateEnteredEventDetails"]["name"]


def run_of(aws: LocalAws, deployment: LocalDeployment, arn: str) -> dict[str, str] | None:
    """The runs table's item of an execution, its texts only; None while there is none."""
    name = arn.rpartition(":")[2]
    for item in aws.client("dynamodb").scan(TableName=deployment.runs_table)["Items"]:
        if item["id"]["S"].startswith("run#") and item.get("execution", {}).get("S") == name:
            return {key: value["S"] for key, value in item.items() if "S" in value}
    return None


def _approve(aws: LocalAws, deployment: LocalDeployment, arn: str, say: Say) -> None:
    for _ in range(40):
        run = run_of(aws, deployment, arn)
        if run is not None and "approval_token" in run:
            for line in run["estimate"].splitlines():
                say(f"    {line}")
            say("    approved by the demo: the simulator bills nothing")
            aws.client("stepfunctions").send_task_success(
                taskToken=run["approval_token"], output='{"approved_by": "demo"}'
            )
            return
        time.sleep(_POLL_SECONDS)
    raise FollowError("the run waits for approval, but its task token was never stored")
