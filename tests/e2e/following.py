"""What tests see of a run that people do not: its execution, to the last state."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.client import approvals
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.runs import open_runs
from bedrock_tuning.run.approvals import ApprovalAnswer
from bedrock_tuning.run.items import APPROVAL
from local.demo.dataset import Picture
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
    aws: LocalAws,
    deployment: DeploymentClient,
    *,
    bucket: str,
    version: str,
    seconds: float,
    known: dict[str, tuple[str, str]],
) -> str:
    """The execution that the upload of this version of a manifest started.

    known: bucket and version of executions that were asked for them before; grows.
    """
    states = aws.client("stepfunctions")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for found in states.list_executions(stateMachineArn=deployment.workflow_arn)["executions"]:
            arn = str(found["executionArn"])
            if arn not in known:
                event = json.loads(states.describe_execution(executionArn=arn)["input"])
                detail = event.get("detail", {})
                known[arn] = (
                    str(detail.get("bucket", {}).get("name")),
                    str(detail.get("object", {}).get("version-id")),
                )
            if known[arn] == (bucket, version):
                return arn
        time.sleep(_POLL_SECONDS)
    raise FollowError(f"no execution started within {seconds:.0f} s of the upload to {bucket}")


def follow(
    aws: LocalAws, deployment: DeploymentClient, arn: str, *, approve: bool, seconds: float
) -> EndedExecution:
    """The end of an execution.

    approve: approve the price when the run asks for it; otherwise it waits for a person.
    """
    states = aws.client("stepfunctions")
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        found = states.describe_execution(executionArn=arn)
        if found["status"] != "RUNNING":
            return EndedExecution(
                arn=arn,
                status=found["status"],
                state=json.loads(found.get("output") or "{}"),
                error=found.get("error", ""),
                cause=found.get("cause", ""),
            )
        if approve and waits(aws, deployment, arn):
            run = str((run_of(aws, deployment, arn) or {})["run"])
            answer = ApprovalAnswer(run=run, decision="approve", reason="a test")
            approvals.send_decision(deployment, answer)
            approve = False
        time.sleep(_POLL_SECONDS)
    raise FollowError(f"{arn} was still running after {seconds:.0f} s")


def run_of(aws: LocalAws, deployment: DeploymentClient, arn: str) -> dict[str, str] | None:
    """The runs table's item of an execution, its texts only; None while there is none."""
    name = arn.rpartition(":")[2]
    for item in aws.client("dynamodb").scan(TableName=deployment.runs_table)["Items"]:
        if item["id"]["S"].startswith("run#") and item.get("execution", {}).get("S") == name:
            return {key: value["S"] for key, value in item.items() if "S" in value}
    return None


def waits(aws: LocalAws, deployment: DeploymentClient, arn: str) -> bool:
    """Whether an execution waits for a person."""
    name = arn.rpartition(":")[2]
    # Each test adds to the table, which is long at the end; few runs are open.
    for run in open_runs(deployment):
        if run.get("execution") == name and run["status"] == "awaiting-approval":
            key = {"id": {"S": f"{APPROVAL}{run['run']}"}}
            found = aws.client("dynamodb").get_item(TableName=deployment.runs_table, Key=key)
            return "token" in found.get("Item", {})
    return False
