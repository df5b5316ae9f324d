"""A report as people read it in a terminal: verdict first, then counts, then what to fix."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import click

from bedrock_tuning.cli.terminal.output import emit, emit_table
from bedrock_tuning.report.report import Report
from bedrock_tuning.rules import BY_NAME
from bedrock_tuning.rules.finding import Finding
from bedrock_tuning.wording import counted

_SHOWN: Final = 12
_SHOWN_PER_RULE: Final = 3
_ORDER: Final = ("error", "warning", "info")
_COLOURS: Final = {"error": "red", "warning": "yellow", "info": "blue"}


def show_verdict(report: Report, *, places: Sequence[str]) -> None:
    """Writes the whole text to standard output.

    places: where the complete lists are, one sentence each; empty if none was requested.
    """
    emit("\n".join(_verdict(report)))
    if report.counts:
        emit()
        _counts(report)
        emit()
        for line in _findings(report):
            emit(line)
    for line in _run(report):
        emit(line)
    for place in places:
        emit(place)
    if report.findings and not places:
        emit("Every finding: --rejected FILE (JSON Lines), or a page to read: --html FILE")


def _verdict(report: Report) -> Iterator[str]:
    word, colour = ("VALID", "green") if report.valid else ("REJECTED", "red")
    images = sum(stats.checked for stats in report.image_stats.values())
    parts = [counted(report.records, "record")]
    if images:
        parts.append(f"{counted(images, 'image')} checked")
    for number, name in ((report.errors, "error"), (report.warnings, "warning")):
        if number or name == "error":
            parts.append(counted(number, name))
    if report.infos:
        parts.append(f"{report.infos:,} info")
    yield f"{click.style(word, fg=colour, bold=True)} for {report.model}: {', '.join(parts)}"
    for exemption in report.exemptions:
        if exemption.findings:
            yield (
                f"agreed: {exemption.rule} ×{exemption.findings:,} counts as "
                f"{exemption.severity}: {exemption.reason}"
            )


def _run(report: Report) -> Iterator[str]:
    """What a run takes; a model alone has no price, and its time is in the other reports."""
    if report.price is not None:
        yield from ("", "a run with this dataset:", f"  training time: {report.training_time}")
        yield from (f"  {line}" for line in report.price.lines)
        bound = "" if report.price.known else "at least, without the unknown: "
        yield f"  {bound}{report.price.total_usd:,.2f} USD"


def _counts(report: Report) -> None:
    severities = {finding.name: finding.severity for finding in report.findings}
    rows = sorted(
        report.counts.items(),
        key=lambda row: (_ORDER.index(_severity(row[0], severities)), -row[1], row[0]),
    )
    emit_table(
        ("RULE", "NAME", "SEVERITY", "   FOUND"),
        (
            (BY_NAME[name].id, name, _severity(name, severities), f"{count:>8,}")
            for name, count in rows
        ),
    )


def _severity(name: str, severities: dict[str, str]) -> str:
    return severities.get(name, BY_NAME[name].severity.value)


def _findings(report: Report) -> Iterator[str]:
    counts: Counter[str] = Counter()
    excerpt: list[Finding] = []
    for finding in sorted(report.findings, key=lambda finding: _ORDER.index(finding.severity)):
        if counts[finding.rule] < _SHOWN_PER_RULE and len(excerpt) < _SHOWN:
            counts[finding.rule] += 1
            excerpt.append(finding)
    for finding in excerpt:
        yield from _finding(finding)
    remainder = sum(report.counts.values()) - len(excerpt)
    if remainder:
        yield f"… and {remainder:,} more."


def _finding(finding: Finding) -> Iterator[str]:
    place = finding.kind if finding.line is None else f"{finding.kind} line {finding.line:,}"
    name = click.style(finding.name, fg=_COLOURS[finding.severity])
    field = f" [{finding.field}]" if finding.field else ""
    yield f"{place}{field}: {name} ({finding.rule}): {finding.message}"
    details = [
        f"{label}: {text}"
        for label, text in (
            ("image", finding.key),
            ("value", finding.value),
            ("limit", finding.limit),
        )
        if text and not (label == "value" and text == finding.key)
    ]
    if details:
        yield f"    {'   '.join(details)}"
    yield f"    fix: {finding.fix}"
