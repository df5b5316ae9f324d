"""`python -m tools.bench`: peers and limits side by side; progress on stderr, Markdown on stdout"""

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
import msgspec

from tools import CHECKOUT
from tools.bench.cold_start import cold_start
from tools.bench.customizations import deployment_times, synthesis
from tools.bench.end_to_end import end_to_end
from tools.bench.images import images
from tools.bench.large import large
from tools.bench.machine import machine
from tools.bench.measure import MeasurementError, say_progress
from tools.bench.page import results_page
from tools.bench.plan import BenchPlan, full, quick
from tools.bench.prepare import prepare_times
from tools.bench.result import BenchSection, Results
from tools.bench.rows import faulty_rows, image_rows, long_rows, questions
from tools.bench.server import ToolMissingError
from tools.bench.uploads import uploads

_SECTIONS: Final[Mapping[str, Callable[[BenchPlan], BenchSection]]] = {
    "image-rows": image_rows,
    "faulty-rows": faulty_rows,
    "questions": questions,
    "long-rows": long_rows,
    "images": images,
    "end-to-end": end_to_end,
    "prepare": prepare_times,
    "cold-start": cold_start,
    "customizations": synthesis,
    "deployments": deployment_times,
    "uploads": uploads,
    "large": large,
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", "is_quick", is_flag=True, help="Only whether it works: a small run.")
@click.option("--rounds", default=5, show_default=True, help="Runs of each measurement.")
@click.option("--only", multiple=True, type=click.Choice(list(_SECTIONS)), help="Some sections.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=CHECKOUT / "build" / "bench",
    help="For what is drawn, 2 GB; build/bench by default.",
)
@click.option(
    "--write",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write RESULTS.md and results.json here: tools/bench for the ones in the "
    "repository. With --only, the other sections stay as they are there.",
)
def main(
    *, is_quick: bool, rounds: int, only: tuple[str, ...], folder: Path, write: Path | None
) -> None:
    """Measure against peers and limits.

    Nothing is asserted but that everything sees the same data; goals are reported, met or not.
    nginx and wrk come from the operating system; without them their sections say so.
    """
    plan = quick(folder) if is_quick else full(folder, rounds=rounds)
    plan.folder.mkdir(parents=True, exist_ok=True)
    began = os.getloadavg()[0]
    sections = [_measure(name, plan) for name in _SECTIONS if not only or name in only]
    results = Results(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        quick=plan.quick,
        rounds=plan.rounds,
        machine=machine(),
        load=[began, os.getloadavg()[0]],
        sections=sections,
    )
    if write is not None:
        write.mkdir(parents=True, exist_ok=True)
        known = write / "results.json"
        if only and known.is_file():
            results = msgspec.json.decode(known.read_bytes(), type=Results).renewed(results)
    page = results_page(results)
    if write is not None:
        (write / "RESULTS.md").write_text(page, "utf-8")
        (write / "results.json").write_bytes(
            msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n"
        )
    click.echo(page)
    if any(section.missing for section in sections):
        sys.exit(1)


def _measure(name: str, plan: BenchPlan) -> BenchSection:
    say_progress(name)
    try:
        return _SECTIONS[name](plan)
    except (ToolMissingError, MeasurementError) as error:
        say_progress(f"  {error}")
        return BenchSection(
            name=name, title=name.replace("-", " ").capitalize(), missing=str(error)
        )


if __name__ == "__main__":
    main()
