"""How much is measured, and where the benchmark keeps its files."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """Sizes of one run. folder: for what is drawn; it is used again by the next run.

    rounds: runs of each measurement. repeat: how often our client looks at all images in one run.
    uploads: how many, and to how many customizations. large: records, and shards of images.
    """

    folder: Path
    quick: bool
    rounds: int
    image_records: int
    long_records: int
    images: int
    repeat: int
    wrk_seconds: int
    end_to_end: int
    customizations: tuple[int, int, int]
    deployed: int
    uploads: tuple[int, int]
    large: tuple[int, int]


def full(folder: Path, *, rounds: int) -> BenchPlan:
    """What tools/bench/RESULTS.md shows."""
    return BenchPlan(
        folder=folder / "full",
        quick=False,
        rounds=rounds,
        image_records=500_000,
        long_records=100_000,
        images=4_000,
        repeat=5,
        wrk_seconds=4,
        end_to_end=500_000,
        customizations=(1, 100, 300),
        deployed=45,
        uploads=(50, 20),
        large=(500_000, 20),
    )


def quick(folder: Path) -> BenchPlan:
    """Whether everything works; its figures mean nothing."""
    return BenchPlan(
        folder=folder / "quick",
        quick=True,
        rounds=1,
        image_records=5_000,
        long_records=100,
        images=60,
        repeat=1,
        wrk_seconds=1,
        end_to_end=2_000,
        customizations=(1, 2, 3),
        deployed=2,
        uploads=(4, 2),
        large=(1_000, 2),
    )
