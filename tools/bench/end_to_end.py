"""A whole dataset as its owner validates it: `tuning validate s3://…`, on one processor core."""

import itertools
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tools.bench import measure, texts
from tools.bench.images import link
from tools.bench.pictures import write_pictures
from tools.bench.plan import BenchPlan
from tools.bench.result import BenchSection
from tools.bench.server import Server, serve
from tools.bench.texts import BUCKET, FOLDER

_WHOLE = "manifest and images in S3"
_TEXT = "manifest in S3, text only"
_MODEL = ("--model", "titan-multimodal-embeddings-g1")


def end_to_end(plan: BenchPlan) -> BenchSection:
    """Runs the command; raises ToolMissingError without nginx."""
    root = link(plan)
    drawn = write_pictures(root / "pictures", count=plan.images)
    manifest = texts.keyed_records(
        root / BUCKET / FOLDER / f"manifest-{plan.end_to_end}.jsonl",
        keys=itertools.islice(_keys(drawn), plan.end_to_end),
    )
    section = BenchSection(
        name="end-to-end",
        title="End to end",
        columns={
            "wall_s": "{:.1f}",
            "cpu_s": "{:.1f}",
            "server_cpu_s": "{:.1f}",
            "records_per_s": "{:,.0f}",
            "peak_mib": "{:.0f}",
        },
        notes=[
            "Wall time is that of the whole process, Python's start and imports included.",
            "Memory is bounded: 16 bytes per image for at most a million images, and what is on "
            "its way through 128 connections.",
        ],
    )
    with serve(root, pictures=root / "pictures") as server:
        section.about = (
            f"`tuning validate s3://…` of {plan.end_to_end:,} records and as many images under "
            f"different keys ({plan.images:,} files, repeated by nginx with different ETags), "
            f"pinned to core {measure.CORE}; nginx on core {server.core}."
        )
        whole = partial(_validate, plan, server, manifest)
        measurements = {_WHOLE: whole, _TEXT: partial(whole, "--no-images")}
        measure.alternate(section, measurements, rounds=plan.rounds)
    seconds = section.row(_WHOLE).median("wall_s")
    section.at_most("seconds on one core", seconds, 60, "{:.1f}")
    return section


def _keys(drawn: list[str]) -> Iterator[str]:
    for again in itertools.count():
        for path in drawn:
            yield f"{again:03d}/{path}"


def _validate(plan: BenchPlan, server: Server, manifest: Path, *options: str) -> dict[str, float]:
    uri = f"s3://{BUCKET}/{FOLDER}{manifest.name}"
    busy = server.busy_seconds()
    began = time.perf_counter()
    got = measure.run(
        "cli",
        environment=server.environment(),
        arguments=["validate", uri, *_MODEL, "--json", *options],
    )
    wall = time.perf_counter() - began
    if got["exit_code"]:
        raise measure.MeasurementError(f"the dataset is not valid: exit code {got['exit_code']}")
    return {
        "wall_s": wall,
        "cpu_s": got["cpu"],
        "server_cpu_s": server.busy_seconds() - busy,
        "records_per_s": plan.end_to_end / wall,
        "peak_mib": got["peak_mib"],
    }
