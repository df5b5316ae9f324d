"""Results as Markdown."""

from collections.abc import Iterator
from typing import Final

from tools.bench.result import BenchSection, Results

# Of columns whose name is no word.
_HEADS: Final = {
    "rows_per_s": "rows/s",
    "records_per_s": "records/s",
    "mb_per_s": "MB/s",
    "gb_per_s": "GB/s",
    "images_per_s": "images/s",
    "gets_per_s": "GETs/s",
    "cpu_us_per_image": "CPU µs/image",
    "peak_mib": "memory, MiB",
    "ns_per_row": "ns/row",
    "wall_s": "wall, s",
    "cpu_s": "CPU, s",
    "server_cpu_s": "nginx CPU, s",
    "import_ms": "import, ms",
    "cpu_ms": "CPU, ms",
    "unpacked_mb": "unpacked, MB",
    "mb": "MB",
    "most_jobs": "most jobs at once",
}


def results_page(results: Results) -> str:
    """The whole page."""
    return "\n".join(_page(results)) + "\n"


def _page(results: Results) -> Iterator[str]:
    machine = results.machine
    yield "# Benchmarks"
    yield ""
    yield "Written by `make bench`; the figures of every run: `results.json`."
    if results.quick:
        yield ""
        yield "**A quick run: its figures mean nothing.**"
    yield ""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    yield f"- Date: {results.date}, commit {machine['commit'] or 'unknown'}"
    yield (
        f"- Machine: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, Linux {machine['kernel']}"
    )
    yield f"- Python {machine['python']}, {versions}"
    began, ended = results.load
    yield f"- Load average (1 min) when it began: {began:.2f}, when it ended: {ended:.2f}"
    yield (
        f"- Medians of {results.rounds} alternating runs; ± is half of the distance between the "
        "fastest and the slowest, as a share of the median"
    )
    yield ""
    yield from _goals(results)
    for section in results.sections:
        yield from _section(section)


def _goals(results: Results) -> Iterator[str]:
    yield "| goal | wanted | measured | |"
    yield "|---|---:|---:|---|"
    for section in results.sections:
        for goal in section.goals:
            met = "met" if goal.met else "**not met**"
            yield f"| {section.title}: {goal.what} | {goal.wanted} | {goal.got} | {met} |"


def _section(section: BenchSection) -> Iterator[str]:
    yield ""
    yield f"## {section.title}"
    yield ""
    if section.missing:
        yield f"Not measured: {section.missing}"
        return
    yield section.about
    yield ""
    columns = [name for name in section.columns if any(name in row.figures for row in section.rows)]
    yield f"| | {' | '.join(_HEADS.get(name, name) for name in columns)} | ± |"
    yield f"|---|{'---:|' * (len(columns) + 1)}"
    for row in section.rows:
        cells = [
            section.columns[name].format(row.median(name)) if name in row.figures else ""
            for name in columns
        ]
        first = next(name for name in columns if name in row.figures)
        yield f"| {row.what} | {' | '.join(cells)} | {row.spread(first) / 2:.0%} |"
    for note in section.notes:
        yield ""
        yield note
