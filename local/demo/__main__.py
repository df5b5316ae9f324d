"""`make demo`: from nothing to a served model and a rejected dataset on the local AWS."""

import signal

if __name__ == "__main__":
    # Ctrl-C while the rest is imported: an end without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import base64
import json
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from local.demo import dataset, follow
from local.demo.deploy import DeployError, LocalDeployment, bootstrap, deploy
from local.demo.follow import EndedExecution, FollowError, upload_manifest, upload_pictures
from local.emulator.server import DEFAULT_STATE, PORT_MAX, LocalAws, LocalAwsError

CUSTOMIZATION: Final = "pets-search"
TRAINING_PICTURES: Final = 1_000
VALIDATION_PICTURES: Final = 16
EMBEDDING_LENGTH: Final = 1_024
RUN_SECONDS: Final = 300.0
BUILD: Final = Path("build")
_AGAIN: Final = (
    "If leftovers of an earlier run are the cause, start over: `make local-down`, "
    "`make local-up FRESH=1`, `make demo`"
)
# The faults of the second dataset; one pass must find them all.
EXPECTED_RULES: Final = frozenset(
    {
        "aspect-ratio-out-of-range",
        "caption-too-long",
        "empty-image",
        "image-format-not-supported",
        "image-in-another-bucket",
        "image-missing",
        "image-ref-not-s3",
        "image-side-too-small",
        "malformed-json",
        "missing-field",
        "truncated-image",
    }
)


class DemoFailedError(Exception):
    """The demo did not go as promised; the message says what was expected and what happened."""


def expect(truth: bool, promise: str) -> None:
    """Raises BrokenPromiseError unless the promise holds."""
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


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_STATE,
    show_default=True,
    help="Folder of the local AWS; if one is already running there, it is used.",
)
@click.option(
    "--port",
    type=click.IntRange(0, PORT_MAX),
    default=0,
    help="Port of the local AWS; 0 takes a free one.",
)
@click.option("--destroy", is_flag=True, help="Stop the local AWS and forget it at the end.")
def main(state: Path, port: int, destroy: bool) -> None:
    """Deploy to the local AWS, upload a dataset, follow it to a served model; reject a broken one.

    Everything is real but Amazon Bedrock, which is a simulator. Writes build/demo.json.
    """
    narrator = Narrator()
    narrator.say("Amazon Bedrock is SIMULATED here: no model is trained, nothing is billed")
    try:
        with narrator.step("start", "start the local AWS"):
            aws = LocalAws.attach(state=state) or LocalAws.start(
                state=state, port=port, detach=True
            )
        result = demo(aws, narrator)
        if destroy:
            aws.stop()
    except (DemoFailedError, FollowError) as error:
        click.echo(f"\nthe demo failed: {error}\n{_AGAIN}", err=True)
        sys.exit(1)
    except (DeployError, LocalAwsError, OSError) as error:
        hint = f"\n{_AGAIN}" if isinstance(error, DeployError) else ""
        click.echo(f"\nthe demo could not run: {error}{hint}", err=True)
        sys.exit(2)
    _write(BUILD / "demo.json", result)
    if destroy:
        return
    click.echo(
        f"\nThe local AWS is still running at {aws.endpoint}. To explore it:\n"
        f'    eval "$(.venv/bin/python -m local env)"; .venv/bin/tuning runs\n'
        "To stop it:\n    make local-down",
        err=True,
    )


def demo(aws: LocalAws, narrator: Narrator) -> dict[str, Any]:
    """The whole demonstration; returns what build/demo.json holds."""
    work = BUILD / "demo"
    with narrator.step("bootstrap", "cdk bootstrap"):
        bootstrap(aws, work)
    with narrator.step("deploy", "cdk deploy --all"):
        deployment = deploy(aws, work, say=lambda text: narrator.say(f"  {text}"))
    # Another seed in each demo: the same pictures again would end as "already-trained".
    seed = int(time.time())
    with narrator.step(
        "draw", f"draw {TRAINING_PICTURES:,} training and {VALIDATION_PICTURES} validation pictures"
    ):
        sets = {
            "training": list(
                dataset.draw(
                    work / "training", count=TRAINING_PICTURES, seed=seed, prefix=f"t{seed}"
                )
            ),
            "validation": list(
                dataset.draw(
                    work / "validation", count=VALIDATION_PICTURES, seed=-seed, prefix=f"v{seed}"
                )
            ),
        }
    result = _served(aws, deployment, narrator, work, sets)
    result["rejected"] = _rejected(aws, deployment, narrator, work, seed)
    narrator.say("done: one model is served; one dataset was rejected and started no training job")
    return {**result, "seconds": narrator.seconds}


def _served(
    aws: LocalAws,
    deployment: LocalDeployment,
    narrator: Narrator,
    work: Path,
    sets: dict[str, list[dataset.Picture]],
) -> dict[str, Any]:
    buckets = {
        "validation": deployment.validation_bucket,
        "training": deployment.training_bucket,
    }
    version = ""
    with narrator.step("upload", "upload pictures and manifests; the last manifest starts the run"):
        for kind, bucket in buckets.items():
            place = {"bucket": bucket, "customization": CUSTOMIZATION}
            upload_pictures(aws, work / kind, sets[kind], **place)
            body = dataset.manifest(sets[kind], **place)
            version = upload_manifest(aws, body, **place)
    with narrator.step("run", f"follow the run of {CUSTOMIZATION}"):
        ended = _follow(aws, deployment, narrator, version)
        served = ended.state.get("serving", {})
        expect(
            ended.outcome == "served",
            f"expected the run to be served; it ended as {ended.outcome}: {ended.why}",
        )
        if "swapped_from" in served:
            narrator.say(f"  swapped in place; previously served: {served['swapped_from']}")
    run = follow.run_of(aws, deployment, ended.arn) or {}
    with narrator.step("smoke", "invoke the served model through its Provisioned Throughput"):
        picture = (work / "training" / sets["training"][0].path).read_bytes()
        length = _embed(aws, served["endpoint_arn"], sets["training"][0].caption, picture)
        narrator.say(f"  embedding of {length:,} numbers (simulated)")
    report = ended.state["report"]["report"]
    narrator.say(f"  report   {report}")
    narrator.say(f"  metrics  {run.get('metrics')}")
    return {
        "status": ended.outcome,
        "run": run["run"],
        "job_arn": run["job_arn"],
        "model_arn": run["model_arn"],
        "provisioned_model_arn": served["endpoint_arn"],
        "embedding_length": length,
        "report": report,
        "metrics": run["metrics"],
        "lease_ends": served["expires"],
        "simulated": "Amazon Bedrock",
    }


def _rejected(
    aws: LocalAws, deployment: LocalDeployment, narrator: Narrator, work: Path, seed: int
) -> dict[str, Any]:
    jobs_before = _jobs(aws)
    place = {"bucket": deployment.training_bucket, "customization": CUSTOMIZATION}
    with narrator.step("reject", "upload a broken dataset"):
        folder = work / "broken"
        pictures = list(
            dataset.draw(folder, count=TRAINING_PICTURES, seed=seed + 1, prefix=f"b{seed}")
        )
        body = dataset.break_it(folder, pictures, **place)
        upload_pictures(aws, folder, pictures, **place)
        version = upload_manifest(aws, body, **place)
        ended = _follow(aws, deployment, narrator, version)
    expect(
        ended.outcome == "rejected",
        f"expected the broken dataset to be rejected; it ended as {ended.outcome}",
    )
    counts: dict[str, int] = ended.state["report"]["to_fix"]
    for rule, count in counts.items():
        narrator.say(f"  {count} x {rule}")
    missed = EXPECTED_RULES - set(counts)
    expect(
        not missed, f"expected every seeded fault to be found; missing: {', '.join(sorted(missed))}"
    )
    expect(_jobs(aws) == jobs_before, "expected no job for a rejected dataset, but one was started")
    run = ended.state["admission"]["run"]
    narrator.say(f"  every finding with its line: run `tuning report {run}`")
    return {
        "run": run,
        "errors": counts,
        "report": ended.state["report"]["report"],
    }


def _follow(
    aws: LocalAws, deployment: LocalDeployment, narrator: Narrator, version: str
) -> EndedExecution:
    arn = follow.execution_for(aws, deployment, bucket=deployment.training_bucket, version=version)
    return follow.follow(
        aws,
        deployment,
        arn,
        say=lambda text: narrator.say(f"  {text}"),
        approve=True,
        seconds=RUN_SECONDS,
    )


def _embed(aws: LocalAws, model: str, text: str, picture: bytes) -> int:
    """Length of the embedding of a text and a picture together."""
    body = {"inputText": text, "inputImage": base64.b64encode(picture).decode()}
    answer = aws.client("bedrock-runtime").invoke_model(modelId=model, body=json.dumps(body))
    embedding = json.loads(answer["body"].read())["embedding"]
    expect(
        len(embedding) == EMBEDDING_LENGTH,
        f"expected an embedding of {EMBEDDING_LENGTH} numbers, got {len(embedding)}",
    )
    expect(
        all(math.isfinite(x) for x in embedding) and any(embedding),
        "expected finite numbers in the embedding, not all zero",
    )
    return len(embedding)


def _jobs(aws: LocalAws) -> list[str]:
    """The ARNs of all customization jobs."""
    pages = aws.client("bedrock").get_paginator("list_model_customization_jobs").paginate()
    return sorted(job["jobArn"] for page in pages for job in page["modelCustomizationJobSummaries"])


def _write(path: Path, result: dict[str, Any]) -> None:
    text = json.dumps(result, indent=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
    click.echo(text)


def entry_point() -> None:
    """Exit codes. 0: as promised; 1: not as promised; 2: could not run; 130: Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("interrupted; to stop the local AWS, run `make local-down`", err=True)
        sys.exit(130)


if __name__ == "__main__":
    entry_point()
