"""`make demo`: from nothing to a served model and a rejected dataset on the local AWS."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from bedrock_tuning.client import approvals, executions, inference, reports, runs, upload
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.progress import silent
from bedrock_tuning.run.approvals import ApprovalAnswer
from bedrock_tuning.run.row import Row
from bedrock_tuning.s3_layout import MANIFEST_FILE, Kind
from bedrock_tuning.serving import questions
from bedrock_tuning.sources.listing import jobs
from bedrock_tuning.wording import word_list
from local.demo import dataset
from local.demo.deploy import bootstrap, deploy
from local.emulator.server import LocalAws

CUSTOMIZATION: Final = "pets-search"
_PICTURES: Final[dict[Kind, int]] = {"training": 1_000, "validation": 16}
EMBEDDING_LENGTH: Final = 1_024
# The faults of the second dataset; one pass must find them all.
EXPECTED_RULES: Final = frozenset(
    word_list(
        "aspect-ratio-out-of-range caption-too-long empty-image image-format-not-supported",
        "image-in-another-bucket image-missing image-ref-not-s3 image-side-too-small",
        "malformed-json truncated-image unknown-field",
    )
)


class DemoFailedError(Exception):
    """The demo did not go as promised; the message says what was expected and what happened."""


def expect(truth: bool, promise: str) -> None:
    """Raises DemoFailedError unless the promise holds."""
    if not truth:
        raise DemoFailedError(promise)


class Narrator:
    """Prints progress to stderr with the time since the start; records how long each step took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        """One line."""
        click.echo(f"{time.monotonic() - self._start:6.1f} s  {text}", err=True)

    @contextmanager
    def step(self, name: str, text: str) -> Iterator[None]:
        """A timed step, announced by one line."""
        self.say(text)
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - began, 2)


def run_demo(aws: LocalAws, narrator: Narrator, work: Path) -> dict[str, Any]:
    """The whole demonstration; returns what build/demo.json holds.

    Raises DemoFailedError for what did not go as promised, DeployError and TuningError.
    """
    # Only what is drawn below lies there.
    for name in ("good", "broken"):
        shutil.rmtree(work / name, ignore_errors=True)
    with narrator.step("bootstrap", "cdk bootstrap"):
        bootstrap(aws, work)
    with narrator.step("deploy", "cdk deploy --all"):
        deployment = deploy(aws, work, say=lambda text: narrator.say(f"  {text}"))
    # Another seed in each demo: the same pictures again would end as "already-trained".
    seed = int(time.time())
    numbers = " and ".join(f"{count:,} {kind}" for kind, count in _PICTURES.items())
    with narrator.step("draw", f"draw {numbers} pictures"):
        for kind, count in _PICTURES.items():
            folder = work / "good" / kind
            pictures = list(
                dataset.draw_pictures(folder, count=count, seed=seed, prefix=f"{kind}-{seed}")
            )
            bucket = deployment.buckets.of(kind)
            body = dataset.manifest(pictures, bucket=bucket, customization=CUSTOMIZATION)
            (folder / MANIFEST_FILE).write_bytes(body)
            seed += 1
    result = _run_and_invoke(deployment, narrator, work / "good")
    result["rejected"] = _run_rejected(deployment, narrator, work / "broken", seed)
    narrator.say("done: one model is served; one dataset was rejected and started no training job")
    return {**result, "seconds": narrator.seconds}


def _run_and_invoke(
    deployment: DeploymentClient, narrator: Narrator, folder: Path
) -> dict[str, Any]:
    with narrator.step("upload", "upload pictures and manifests; the last manifest starts the run"):
        row = _upload(deployment, folder)
    with narrator.step("run", f"follow the run of {CUSTOMIZATION}"):
        run = _follow(deployment, narrator, row)
    expect(
        run["status"] == "served",
        f"expected the run to be served; it ended as {run['status']}: {run.get('message')}",
    )
    for line in run["message"].splitlines():
        narrator.say(f"  {line}")
    with narrator.step("smoke", "invoke the served model through its Provisioned Throughput"):
        picture = next((folder / "training" / "images").iterdir())
        question = questions.embedding(text="circles", image=picture.read_bytes())
        answer = inference.tuned_of(deployment, CUSTOMIZATION).ask(question)
        length = len(answer["embedding"])
        narrator.say(f"  embedding of {length:,} numbers (simulated)")
    expect(
        length == EMBEDDING_LENGTH,
        f"expected an embedding of {EMBEDDING_LENGTH} numbers, got {length}",
    )
    narrator.say(f"  report   {run['report']}")
    narrator.say(f"  metrics  {run['metrics']}")
    names = ("status", "run", "job_arn", "model_arn", "endpoint_arn", "report", "metrics")
    result = {name: run[name] for name in names}
    return {**result, "embedding_length": length, "simulated": "Amazon Bedrock"}


def _run_rejected(
    deployment: DeploymentClient, narrator: Narrator, folder: Path, seed: int
) -> dict[str, Any]:
    jobs_before = _jobs(deployment)
    with narrator.step("reject", "upload a broken dataset"):
        pictures = list(
            dataset.draw_pictures(
                folder, count=_PICTURES["training"], seed=seed, prefix=f"broken-{seed}"
            )
        )
        bucket = deployment.buckets.training
        body = dataset.break_it(folder, pictures, bucket=bucket, customization=CUSTOMIZATION)
        (folder / MANIFEST_FILE).write_bytes(body)
        run = _follow(deployment, narrator, _upload(deployment, folder))
    expect(
        run["status"] == "rejected",
        f"expected the broken dataset to be rejected; it ended as {run['status']}",
    )
    report = json.loads(reports.stored(deployment, run).read("report.json"))
    counts: dict[str, int] = report["counts"]
    for rule, count in counts.items():
        narrator.say(f"  {count} x {rule}")
    missed = EXPECTED_RULES - set(counts)
    expect(
        not missed, f"expected every seeded fault to be found; missing: {', '.join(sorted(missed))}"
    )
    expect(
        _jobs(deployment) == jobs_before,
        "expected no job for a rejected dataset, but one was started",
    )
    narrator.say(f"  every finding with its line: run `tuning report {run['run']}`")
    return {"run": run["run"], "findings": counts, "report": run["report"]}


def _upload(deployment: DeploymentClient, folder: Path) -> Row:
    """Uploads a dataset as `tuning upload` does; the run that it starts."""
    upload_sides = upload.sides(
        folder, validation=None, customization=CUSTOMIZATION, deployment=deployment
    )
    newest = runs.newest_before_upload(deployment, CUSTOMIZATION) or ""
    for side in upload_sides:
        # `tuning upload` would not send a dataset that lacks a file; other ways do.
        plan = upload.sending(replace(side, absent=()), deployment)
        upload.upload_images(plan, deployment, meter=silent)
    for side in reversed(upload_sides):
        upload.upload_manifest(side, deployment)
    row = runs.first_after(deployment, CUSTOMIZATION, after=newest)
    if row is None:
        raise DemoFailedError("expected the upload to start a run within a minute")
    return row


def _follow(deployment: DeploymentClient, narrator: Narrator, row: Row) -> dict[str, Any]:
    """Tells what happens to a run, and approves its price; the run once it has ended."""
    for event in executions.follow(deployment, row):
        match event:
            case executions.Happened():
                narrator.say(f"  {event.what}")
            case executions.AwaitingApproval():
                _approve(deployment, narrator, str(event.run["run"]))
            case executions.Ended():
                return event.run
    raise AssertionError("a followed run ends with Ended")


def _approve(deployment: DeploymentClient, narrator: Narrator, run: str) -> None:
    for line in runs.row(deployment, run)["estimate"].splitlines():
        narrator.say(f"    {line}")
    answer = ApprovalAnswer(run=run, decision="approve", reason="the simulator bills nothing")
    decision = approvals.send_decision(deployment, answer)
    narrator.say(f"    approved as {decision.by}: {decision.reason}")


def _jobs(deployment: DeploymentClient) -> list[str]:
    """The ARNs of all customization jobs."""
    return sorted(job["jobArn"] for job in jobs(deployment.aws.bedrock))
