"""The report as one self-contained HTML page: no font, no address; verdict first.

Its one script filters findings; without it they are all there. The page's policy names its hash.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from bedrock_tuning.dataset.sample import Sampled
from bedrock_tuning.dataset.statistics import ImageStats, add_counts
from bedrock_tuning.report.charts import Chart, Limit, aspects, histogram, sizes
from bedrock_tuning.report.report import Report
from bedrock_tuning.rules import BY_ID
from bedrock_tuning.rules.finding import KEPT_PER_RULE, Finding, shorten
from bedrock_tuning.rules.rule import Rule, Severity
from bedrock_tuning.s3_layout import KINDS, Kind
from bedrock_tuning.wording import cleaned, counted

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES: Final = Path(__file__).parent / "templates"
# Light and dark, desk, phone and paper; the review's page has it, too.
STYLE: Final = (_TEMPLATES / "style.css").read_text("utf-8")
# Images with a finding that a page shows.
_DRAWN: Final = 200
Draw = Callable[[Kind, Sequence[str]], Mapping[str, str]]
# It hides what of the elements "finding" does not have the words of the form "filter".
SCRIPT: Final = (_TEMPLATES / "filter.js").read_text("utf-8").removesuffix("\n")
_ORDER: Final = {Severity.ERROR.value: 0, Severity.WARNING.value: 1, Severity.INFO.value: 2}


class ShownPicture(NamedTuple):
    """A picture of a page. thumbnail: a data URI, or "" where there is none."""

    name: str
    caption: str
    thumbnail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """What a page shows of a dataset's images.

    sheet: some records. findings: data URIs of images with a finding, by key.
    """

    sheet: Sequence[ShownPicture] = ()
    findings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def drawn(cls, report: Report, sample: Sequence[Sampled], draw: Draw) -> Self:
        """sample: of the training manifest. draw: data URIs by key, of a kind's images."""
        thumbnails: dict[str, str] = {}
        for kind in KINDS:
            keys = dict.fromkeys(
                finding.key for finding in report.findings if finding.key and finding.kind == kind
            )
            thumbnails |= draw(kind, list(keys)[: _DRAWN - len(thumbnails)])
        sample_thumbnails = draw("training", [image.key for image in sample])
        return cls(
            sheet=[
                ShownPicture(image.key, image.caption, sample_thumbnails.get(image.key, ""))
                for image in sample
            ],
            findings=thumbnails,
        )


class _Group(NamedTuple):
    """The findings of one rule."""

    rule: Rule[Any]
    severity: str
    total: int
    fix: str


class _Card(NamedTuple):
    """Everything that was found at one image, record or dataset; the worst first."""

    kind: str
    title: str
    key: str
    severities: list[str]
    rules: list[str]
    findings: list[Finding]


def to_html(
    report: Report,
    *,
    about: Mapping[str, str] | None = None,
    pictures: Pictures | None = None,
) -> str:
    """The whole page.

    about: where the report comes from, e.g. {"Customization": "pets-search", "Run": "…"}.
    """
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            verdict="valid" if report.valid else "rejected",
            about=about or {},
            **dataset_parts(report, pictures or Pictures()),
        )
    )


def dataset_parts(report: Report, pictures: Pictures) -> dict[str, Any]:
    """What the template of a dataset's part needs."""
    cards = _cards(report)
    total = report.errors + report.warnings + report.infos
    return {
        "report": report,
        "tiles": list(_tiles(report)),
        "groups": _groups(report),
        "cards": cards,
        "choices": list(_choices(cards)),
        "listed": len(report.findings),
        "found": total,
        "cut": len(report.findings) < total,
        "most_findings": KEPT_PER_RULE,
        "charts": [chart for chart in _charts(report) if chart is not None],
        "thumbnails": pictures.findings,
        "sheet": pictures.sheet,
    }


def script_hash() -> str:
    """How a page's policy names the one script that may run in it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}"


@cache
def environment(folder: Path = _TEMPLATES) -> "Environment":
    """The templates of a folder; by default those of all pages about datasets and models."""
    # Imported here: a function that draws no page does not load it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=cleaned,
    )
    environment.filters.update(
        shorten=shorten, counted=counted, number="{:,}".format, px="{:.1f}".format
    )
    # "cards": whether a page has the script; those about models have none.
    environment.globals.update(script_hash=script_hash(), cards=())
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
    firsts = {finding.rule: finding for finding in reversed(report.findings)}
    groups = [
        _Group(BY_ID[rule], str(first.severity), report.counts[first.name], first.fix)
        for rule, first in firsts.items()
    ]
    return sorted(groups, key=lambda group: (_ORDER[group.severity], -group.total, group.rule.id))


def _cards(report: Report) -> list[_Card]:
    """What was found, by image where there is one, else by record; those with errors first."""
    subjects: dict[tuple[str, int | None, str], list[Finding]] = {}
    for finding in report.findings:
        subject = (
            (finding.kind, None, finding.key) if finding.key else (finding.kind, finding.line, "")
        )
        subjects.setdefault(subject, []).append(finding)
    cards = []
    for (kind, _, key), findings in subjects.items():
        findings.sort(key=lambda finding: _ORDER[finding.severity])
        lines = sorted({finding.line for finding in findings if finding.line is not None})
        title = f"{kind} {', '.join(f'{line:,}' for line in lines)}" if lines else kind
        severities = list(dict.fromkeys(finding.severity for finding in findings))
        rules = list(dict.fromkeys(finding.name for finding in findings))
        cards.append(_Card(kind, title, key, severities, rules, findings))
    return sorted(cards, key=lambda card: _ORDER[card.severities[0]])


def _choices(cards: Sequence[_Card]) -> Iterator[tuple[str, str, list[str]]]:
    """What findings can be chosen by: the field, its label, its values."""
    severities = {severity for card in cards for severity in card.severities}
    yield "severity", "Severity", sorted(severities, key=lambda severity: _ORDER[severity])
    yield "rule", "Rule", sorted({rule for card in cards for rule in card.rules})
    yield "kind", "Manifest", sorted({card.kind for card in cards})


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
