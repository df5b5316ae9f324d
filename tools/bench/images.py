"""Images per second through the S3 client, beside boto3 and beside what the server can do."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from bedrock_tuning.dataset.images.source import RANGE_BYTES_MAX, ByteRange
from tools.bench import measure
from tools.bench.image_peers import THREADS
from tools.bench.pictures import write_pictures
from tools.bench.plan import BenchPlan
from tools.bench.result import BenchSection
from tools.bench.server import Server, ToolMissingError, serve, wrk
from tools.bench.texts import BUCKET, FOLDER

_OURS = "ours: obstore, ranged GETs"
_FETCH = "of that, obstore: the same GETs, nothing checked"
_BOTO = f"boto3, {THREADS} threads, the same ranges and header reader"
_PILLOW = f"boto3, {THREADS} threads, whole files, Pillow"
_LIMIT = "limit: wrk, the same requests"
# wrk keeps as many connections open as boto3 has threads; more make it no faster.
_CONNECTIONS = 32


def images(plan: BenchPlan) -> BenchSection:
    """Looks at all pictures through each client; raises ToolMissingError without nginx."""
    section = BenchSection(
        name="images",
        title="Images behind an S3-like server",
        columns={
            "images_per_s": "{:,.0f}",
            "gets_per_s": "{:,.0f}",
            "cpu_us_per_image": "{:.0f}",
            "peak_mib": "{:.0f}",
        },
    )
    root = link(plan)
    drawn = write_pictures(root / "pictures", count=plan.images)
    keys = _keys(root, "keys", drawn)
    camera = _keys(root, "camera", [path for path in drawn if path.startswith("camera/")])
    with serve(root, pictures=root / "pictures") as server:
        _measure(plan, section, server, keys)
        _figures_of_ranges(section, server, keys=keys, camera=camera)
    section.about = (
        f"{plan.images:,} PNG and JPEG files, half of them camera JPEGs with deep headers, behind "
        f"nginx with one worker; client on core {measure.CORE}, nginx on core {server.core}. Each "
        "run is a new process: it connects and learns the first range anew, and looks at every "
        f"image {plan.repeat} times (boto3: once). Format, size and every rule of images are "
        "checked, except by Pillow, which only opens the file. The second row tells how much of "
        "an image's time is obstore's own: threads, signature, HTTP and copies. wrk does none of "
        "that: it sends prepared requests from one thread and looks at no byte of an answer."
    )
    return section


def link(plan: BenchPlan) -> Path:
    """The folder of the benchmark, with the pictures in the place of the bucket's images."""
    root = plan.folder
    bucket = root / BUCKET / FOLDER
    bucket.mkdir(parents=True, exist_ok=True)
    if not (bucket / "images").is_symlink():
        (bucket / "images").symlink_to((root / "pictures").resolve())
    return root


def _keys(root: Path, name: str, paths: list[str]) -> Path:
    file = root / f"{name}.json"
    file.write_text(json.dumps([f"{FOLDER}images/{path}" for path in paths]), "utf-8")
    return file


def _measure(plan: BenchPlan, section: BenchSection, server: Server, keys: Path) -> None:
    environment = server.environment()

    def look(*, how: str, repeat: int) -> dict[str, float]:
        got = measure.run("images", environment=environment, keys=str(keys), how=how, repeat=repeat)
        if got["images"] != plan.images * repeat or got["faults"]:
            raise measure.MeasurementError(f"{how}: {got}")
        return {
            "images_per_s": got["images"] / got["seconds"],
            "cpu_us_per_image": got["cpu"] / got["images"] * 1e6,
            "peak_mib": got["peak_mib"],
        }

    told = measure.run("ranges", environment=environment, keys=str(keys))
    asked = [ByteRange(*each) for each in told["asked"]]
    measurements = {
        _OURS: partial(look, how="ours", repeat=plan.repeat),
        _FETCH: partial(look, how="fetch", repeat=plan.repeat),
        _BOTO: partial(look, how="boto3", repeat=1),
        _PILLOW: partial(look, how="pillow", repeat=1),
    }
    try:
        limit = partial(
            wrk, server, plan.folder, asked, seconds=plan.wrk_seconds, connections=_CONNECTIONS
        )
        limit()
        measurements[_LIMIT] = limit
    except ToolMissingError as missing:
        section.notes.append(f"The limit was not measured: {missing}.")
    measure.alternate(section, measurements, rounds=plan.rounds)
    ours, boto = (section.row(what).median("images_per_s") for what in (_OURS, _BOTO))
    section.at_least("images/s on one core", ours, 10_000, "{:,.0f}")
    section.at_least("times boto3 with the same ranges", ours / boto, 15, "{:.1f}")
    if _LIMIT in measurements:
        gets = ours * len(asked) / plan.images
        share = gets / section.row(_LIMIT).median("gets_per_s")
        section.at_least("GETs/s, share of wrk's", share, 0.35, "{:.0%}")


def _figures_of_ranges(section: BenchSection, server: Server, *, keys: Path, camera: Path) -> None:
    for name, file in (("all images", keys), ("camera JPEGs", camera)):
        told: dict[str, Any] = measure.run(
            "ranges", environment=server.environment(), keys=str(file)
        )
        per_image = len(told["asked"]) / told["images"]
        received = told["received"] / told["images"]
        section.notes.append(
            f"{name.capitalize()}: {per_image:.3f} GETs and {received / 1024:.1f} KiB per image."
        )
        if name == "camera JPEGs":
            longest = max(length for _, _, length in told["asked"])
            section.at_most("GETs per camera JPEG", per_image, 1.10, "{:.3f}")
            section.at_most("KiB in the longest GET", longest >> 10, RANGE_BYTES_MAX >> 10, "{:g}")
