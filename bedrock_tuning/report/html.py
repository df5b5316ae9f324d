"""The report as one self-contained HTML page: no script, no font, no address; verdict first."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bedrock_tuning.dataset.statistics import ImageStats, add_counts
from bedrock_tuning.report.charts import Chart, Limit, aspects, histogram, sizes
from bedrock_tuning.report.report import Report
from bedrock_tuning.rules import BY_ID
from bedrock_tuning.rules.finding import Finding, shorten
from bedrock_tuning.rules.rule import Rule, Severity
from bedrock_tuning.wording import cleaned, counted

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES: Final = Path(__file__).parent / "templates"
# Light and dark, desk, phone and paper; the review's page has it, too.
STYLE: Final = (_TEMPLATES / "style.css").read_text("utf-8")
_ORDER: Final = {Severity.ERROR.value: 0, Severity.WARNING.value: 1, Severity.INFO.value: 2}
# Findings of a rule that are visible at once; the rest is one click away.
_OPEN: Final = 10


class _Group(NamedTuple):
    """The findings of one rule."""

    rule: Rule[Any]
    severity: str
    total: int
    fix: str
    findings: list[Finding]


def to_html(
    report: Report,
    *,
    about: Mapping[str, str] | None = None,
    thumbnails: Mapping[str, str] | None = None,
) -> str:
    """The whole page.

    about: where the report comes from, e.g. {"Customization": "pets-search", "Run": "…"}.
    thumbnails: data URIs of rejected images by key.
    """
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            verdict="valid" if report.valid else "rejected",
            about=about or {},
            tiles=list(_tiles(report)),
            groups=_groups(report),
            open_findings=_OPEN,
            charts=[chart for chart in _charts(report) if chart is not None],
            thumbnails=thumbnails or {},
        )
    )


@cache
def environment() -> "Environment":
    """The templates of all pages about datasets and models."""
    # Imported here: a function that draws no page does not load it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=cleaned,
    )
    environment.filters.update(
        shorten=shorten, counted=counted, number="{:,}".format, px="{:.1f}".format
    )
    return environment


def _tiles(report: Report) -> Iterator[tuple[str, int, str]]:
    """Name, number and style of each count."""
    for name, total in (("error", report.errors), ("warning", report.warnings)):
        yield name if total == 1 else f"{name}s", total, name if total else ""
    yield "info", report.infos, ""
    for kind, stats in report.text_stats.items():
        yield f"{kind} records", stats.records, ""
    images = sum(stats.checked for stats in report.image_stats.values())
    if images:
        yield "images checked", images, ""


def _groups(report: Report) -> list[_Group]:
    """The findings of each rule: errors first, the most frequent rule first."""
    ordered = sorted(report.findings, key=lambda finding: finding.rule)
    groups = []
    for rule, same in groupby(ordered, key=lambda finding: finding.rule):
        findings = list(same)
        first = findings[0]
        count = report.counts[first.name]
        groups.append(_Group(BY_ID[rule], str(first.severity), count, first.fix, findings))
    return sorted(groups, key=lambda group: (_ORDER[group.severity], -group.total, group.rule.id))


def _charts(report: Report) -> Iterator[Chart | None]:
    images = ImageStats()
    for stats in report.image_stats.values():
        add_counts(images.sizes, stats.sizes)
        add_counts(images.aspects, stats.aspects)
        add_counts(images.file_sizes, stats.file_sizes)
    limits = report.contract.image
    if limits is not None:
        pairs = {}
        for text, count in images.sizes.items():
            width, _, height = text.partition(" ")
            pairs[int(width), int(height)] = count
        yield sizes(
            "Image sizes: width across, height up, in pixels",
            pairs,
            side_min=limits.side_min or 1,
            side_max=limits.side_max or 8192,
        )
        marks = [
            Limit(value, f"{value:g}") for value in (limits.aspect_min, limits.aspect_max) if value
        ]
        yield aspects("Images by aspect ratio: width / height", images.aspects, limits=marks)
        marks = [Limit(limits.bytes_max, f"maximum {_decimal(limits.bytes_max)}")]
        yield histogram("Images by file size", images.file_sizes, limits=marks, label=_binary)
    for kind, texts in report.text_stats.items():
        for name, counts in texts.lengths.items():
            caption = report.contract.caption if name == "caption" else None
            marks = [Limit(caption.chars_max, f"maximum {caption.chars_max:,}")] if caption else []
            yield histogram(f"Records by characters per {name} ({kind})", counts, limits=marks)


def _decimal(number: float) -> str:
    """Bytes as limits are published: 25 MB."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= unit:
            return f"{number / unit:g} {name}"
    return f"{number:g} B"


def _binary(number: float) -> str:
    """Bytes as the axis is divided: 3 MiB."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if number >= unit:
            return f"{number / unit:g} {name}"
    return f"{number:g} B"
