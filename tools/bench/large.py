"""One large dataset on the local AWS: from its upload to the served model."""

import itertools
import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image

from bedrock_tuning import s3_layout
from bedrock_tuning.progress import silent
from bedrock_tuning.s3_layout import MANIFEST_FILE, Kind
from tools.bench import measure
from tools.bench.customizations import synthesize_apart
from tools.bench.plan import BenchPlan
from tools.bench.result import BenchSection

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import DeploymentClient

_NAME: Final = "pets"
# As in the public sets of pictures: five captions each, one after the other.
_CAPTIONS: Final = 5
_VALIDATION: Final = 8
_SIDE: Final = 256
_CLOCK: Final = 3_600.0
_FILE: Final = """\
description = "Finds pictures"
base_model = "titan-multimodal-embeddings-g1"

[hyperparameters]
epochCount = 1

[serving]
mode = "provisioned"
lease_hours = 1

[budget]
approval = "never"
"""
# The name that the CDK gives to a function of the pipeline, with ours inside.
_FUNCTION: Final = re.compile(rb"AWS_LAMBDA_FUNCTION_NAME=.*-Functions(\w+?)Function")
# States of the workflow, by what a person would call the time in them.
_STEPS: Final = {
    "Check manifest": "check the manifests",
    "Check images": "check the images",
    "Merge report": "merge the findings",
}


def large(plan: BenchPlan) -> BenchSection:
    """A run of as many records as a model takes; raises MeasurementError unless it is served."""
    from local.demo.deploy import bootstrap, deploy
    from local.emulator.layout import ENVIRONMENT
    from local.emulator.server import LocalAws

    records, shards = plan.large
    images = records // _CAPTIONS
    section = BenchSection(
        name="large",
        title="A large dataset, end to end",
        about=f"{records:,} records with {images:,} images, which are checked in {shards} shards, "
        "on the local AWS: uploaded, checked, trained (simulated) and served.",
        columns={"wall_s": "{:.1f}", "peak_mib": "{:.0f}"},
        notes=["Memory is the peak of a function's process, its imports included."],
    )
    root = plan.folder / "large"
    shutil.rmtree(root, ignore_errors=True)
    files = root / "customizations"
    files.mkdir(parents=True)
    (files / f"{_NAME}.toml").write_text(_FILE, "utf-8")
    with LocalAws.start(state=root / "state", port=0, clock=_CLOCK) as aws:
        aws.faults.options(model_units=1)
        bootstrap(aws, root)
        synthesize_apart(files, root / "cdk.out", ENVIRONMENT, images_per_shard=records // shards)
        deployment = deploy(aws, root, say=measure.say_progress, app=str(root / "cdk.out"))
        _draw(root / "data", deployment, {"training": records, "validation": _VALIDATION})
        with _peaks() as peaks:
            began = time.perf_counter()
            run = _upload(deployment, root / "data")
            uploaded = time.perf_counter()
            times = _steps(deployment, run)
            ended = time.perf_counter()
    for what, seconds in {
        "upload": uploaded - began,
        **times,
        "upload to served": ended - began,
    }.items():
        section.row(what).add({"wall_s": seconds})
        measure.say_progress(f"  {what}: {seconds:.1f} s")
    for function, peak in sorted(peaks.items()):
        section.row(f"function {function}").add({"peak_mib": peak})
    return section


def _draw(folder: Path, deployment: "DeploymentClient", counts: dict[Kind, int]) -> None:
    for kind, count in counts.items():
        pictures = folder / kind / "images"
        pictures.mkdir(parents=True)
        names = [f"{kind}-{number:06d}.png" for number in range(-(-count // _CAPTIONS))]
        for number, name in enumerate(names):
            red, green, blue = number % 251, number // 251 % 251, number // 251**2
            colour = (red, green, blue * 2 + (kind == "training"))
            Image.new("RGB", (_SIDE, _SIDE), colour).save(pictures / name)
        place = s3_layout.uri(deployment.buckets.of(kind), s3_layout.folder(_NAME))
        with (folder / kind / MANIFEST_FILE).open("w", encoding="utf-8") as file:
            for number in range(count):
                image = f"{place}images/{names[number // _CAPTIONS]}"
                record = {"image-ref": image, "caption": f"picture {number}"}
                file.write(f"{json.dumps(record)}\n")


def _upload(deployment: "DeploymentClient", folder: Path) -> dict[str, object]:
    from bedrock_tuning.client import runs, upload

    sides = upload.sides(folder, validation=None, customization=_NAME, deployment=deployment)
    for side in sides:
        upload.upload_images(upload.sending(side, deployment), deployment, meter=silent)
    for side in reversed(sides):
        upload.upload_manifest(side, deployment)
    started = runs.first_after(deployment, _NAME, after="")
    if started is None:
        raise measure.MeasurementError("the upload started no run")
    return dict(started)


def _steps(deployment: "DeploymentClient", run: dict[str, object]) -> dict[str, float]:
    """Seconds in each step of a run, which has to be served."""
    from bedrock_tuning.client import executions
    from bedrock_tuning.client.operations.logs import WORKFLOW_LOG, RunLogs

    ended = run
    for event in executions.follow(deployment, run):
        match event:
            case executions.Happened():
                measure.say_progress(f"  {event.what}")
            case executions.Ended(run=ended) if ended["status"] != "served":
                raise measure.MeasurementError(f"{ended['status']}: {ended.get('message')}")
    entered = [line for line in RunLogs(deployment, ended).news() if line.source == WORKFLOW_LOG]
    return {
        _STEPS[line.text]: (after.time - line.time).total_seconds()
        for line, after in itertools.pairwise(entered)
        if line.text in _STEPS
    }


@contextmanager
def _peaks() -> Iterator[dict[str, float]]:
    """The most memory that the process of each function took meanwhile, in MiB."""
    peaks: dict[str, float] = {}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    variables = (process / "environ").read_bytes().split(b"\0")
                    status = (process / "status").read_text()
                except OSError:
                    continue
                names = [n[1].decode() for n in map(_FUNCTION.match, variables) if n]
                peak = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
                if names and peak:
                    peaks[names[0]] = max(peaks.get(names[0], 0.0), int(peak[0]) / 1024)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()
