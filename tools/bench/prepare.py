"""`tuning prepare` as people run it: linking many images, and fixing large ones beside libvips."""

import csv
import importlib.util
import random
import resource
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PIL import Image

from tools.bench import measure
from tools.bench.pictures import write_pictures
from tools.bench.plan import BenchPlan
from tools.bench.result import BenchSection
from tools.bench.server import find_tool

_LINK: Final = "tuning prepare --link"
_FIX: Final = "tuning prepare --fix"
_VIPS: Final = "vipsthumbnail"
_PYVIPS: Final = "pyvips, as vipsthumbnail does it"
# What vipsthumbnail does with its options below, for machines that have libvips from PyPI only.
_THUMBNAILS: Final = """
import pathlib, sys, pyvips
out, *files = map(pathlib.Path, sys.argv[1:])
for file in files:
    image = pyvips.Image.thumbnail(str(file), 4096, height=2731)
    image.jpegsave(str(out / f"{file.stem}.jpg"), Q=95, strip=True)
"""
# Larger than the flagship accepts, so that every picture is decoded, reduced and encoded.
_LARGE: Final = (6_000, 4_000)
_FITS: Final = "4096x2731"
_LARGE_SHARE: Final = 100


def prepare_times(plan: BenchPlan) -> BenchSection:
    """Measures both; raises MeasurementError, and ToolMissingError without libvips."""
    section = BenchSection(
        name="prepare",
        title="Preparing a dataset",
        about="Whole commands in new processes on all cores, start included, and our check of the "
        "dataset at the end. Linked: small pictures and camera JPEGs with a table of captions. "
        f"Fixed: JPEGs of {_LARGE[0]} × {_LARGE[1]} pixels, made as large as the model accepts; "
        "vipsthumbnail makes the same pictures as large, with the same quality.",
        columns={"images_per_s": "{:,.1f}", "cpu_us_per_image": "{:,.0f}"},
    )
    peer, shrink = _libvips()
    folder = plan.folder / "prepare"
    many, large = folder / "many", folder / "large"
    names = write_pictures(many, count=plan.images)
    _table(many, names)
    few = max(2, plan.images // _LARGE_SHARE)
    files = _draw(large, count=few)
    out = folder / "out"
    prepared = (sys.executable, "-m", "bedrock_tuning.cli", "prepare")
    options = ("--to", "s3://bucket/folder", "--split", "1", "-o", str(out))
    measurements: dict[str, Callable[[], dict[str, float]]] = {
        _LINK: partial(_run, [*prepared, str(many), *options, "--link"], out, len(names)),
        _FIX: partial(_run, [*prepared, str(large), *options, "--fix"], out, few),
        peer: partial(_run, [*shrink(out), *map(str, files)], out, few),
    }
    measure.alternate(section, measurements, rounds=plan.rounds)
    rates = {row.what: row.median("images_per_s") for row in section.rows}
    section.at_least("images/s, linked", rates[_LINK], 2_000, "{:,.0f}")
    # The same in CPU time, which other work on the machine does not change.
    cpu = section.row(_LINK).median("cpu_us_per_image")
    section.at_most("CPU µs/image, linked", cpu, 500, "{:,.0f}")
    section.at_most(f"× the time of {peer}", rates[peer] / rates[_FIX], 1.3, "{:.2f}")
    return section


def _libvips() -> tuple[str, Callable[[Path], list[str]]]:
    """What is measured beside us, and its command but for the files, by the folder to write."""
    if importlib.util.find_spec("pyvips") is not None:
        return _PYVIPS, lambda out: [sys.executable, "-c", _THUMBNAILS, str(out)]
    vips = find_tool(_VIPS, package="libvips-tools, or pip install pyvips[binary]")
    return _VIPS, lambda out: [vips, "--size", _FITS, "-o", f"{out}/%s.jpg[Q=95,strip]"]


def _run(command: Sequence[str], out: Path, count: int) -> dict[str, float]:
    shutil.rmtree(out, ignore_errors=True)
    ours = command[:2] == [sys.executable, "-m"]
    if not ours:
        out.mkdir()
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    # 1: prepared, and rejected by our check, which so few pictures are.
    measure.output_of(command[0], command, good=(0, 1) if ours else (0,))
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"images_per_s": count / seconds, "cpu_us_per_image": 1e6 * cpu / count}


def _draw(folder: Path, *, count: int) -> list[Path]:
    """Large JPEGs of blurred dots; what was drawn before is used again."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number}.jpg" for number in range(count)]
    for number, file in enumerate(files):
        if not file.exists():
            dots = random.Random(f"large/{number}").randbytes(90 * 60 * 3)  # noqa: S311
            image = Image.frombytes("RGB", (90, 60), dots)
            image.resize(_LARGE, Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    _table(folder, [file.name for file in files])
    return files


def _table(folder: Path, names: Sequence[str]) -> None:
    with (folder / "captions.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("file", "caption"))
        table.writerows((name, f"a picture, number {n}") for n, name in enumerate(names))
