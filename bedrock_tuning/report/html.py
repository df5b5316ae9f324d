"""The report as one self-contained HTML page: no script, no font, no address; verdict first."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Final

from bedrock_tuning.dataset.statistics import ImageStats, add_counts
from bedrock_tuning.report.charts import Limit, aspects, histogram, sizes
from bedrock_tuning.report.report import Report
from bedrock_tuning.report.style import STYLE
from bedrock_tuning.rules import BY_ID
from bedrock_tuning.rules.finding import Finding, shorten
from bedrock_tuning.rules.rule import Severity

_ORDER: Final = {Severity.ERROR.value: 0, Severity.WARNING.value: 1, Severity.INFO.value: 2}
_WORDS: Final = {"error": "error", "warning": "warning", "info": "hint"}
# Findings of a rule that are seen at once; the rest is one click away.
_OPEN: Final = 10
# Nothing but the page itself and pictures inside of it may be loaded.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def to_html(report: Report, *, thumbnails: Mapping[str, str] | None = None) -> str:
    """The whole page. thumbnails: data URIs of rejected images by key."""
    title = "Dataset valid" if report.valid else "Dataset rejected"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title} – {escape(report.model_name)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{''.join(_parts(report, thumbnails or {}))}</main>\n</body>\n</html>\n"
    )


def _parts(report: Report, thumbnails: Mapping[str, str]) -> Iterator[str]:
    yield from _verdict(report)
    if report.findings:
        yield from _rules(report)
        yield from _findings(report, thumbnails)
    yield from _exemptions(report)
    yield from _run(report)
    yield from _charts(report)
    yield (
        f"<footer>Report schema {report.schema}. Counts are exact; of each rule the first findings "
        "are listed. All of them are in rejected.jsonl, which the pipeline writes beside this page "
        "and <code>tuning validate --rejected FILE</code> on a laptop.</footer>\n"
    )


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _verdict(report: Report) -> Iterator[str]:
    state = "valid" if report.valid else "rejected"
    if report.valid:
        lead = "No error was found: a job may be started with this dataset."
    else:
        lead = "No job is started with this dataset. Below is everything that has to be fixed."
    yield (
        f'<header class="{state}"><p class="stamp">{"Valid" if report.valid else "Rejected"}</p>'
        f"<h1>Dataset for {escape(report.model_name)}</h1><p>{lead}</p></header>\n"
    )
    images = sum(stats.checked for stats in report.image_stats.values())
    tiles = [
        ("errors", f"{report.errors:,}", "error" if report.errors else ""),
        ("warnings", f"{report.warnings:,}", "warning" if report.warnings else ""),
        ("hints", f"{report.infos:,}", ""),
        *((f"{kind} records", f"{s.records:,}", "") for kind, s in report.text_stats.items()),
    ]
    if images:
        tiles.append(("images looked at", f"{images:,}", ""))
    inside = "".join(
        f'<div class="tile {css}"><b>{number}</b><span>{escape(name)}</span></div>'
        for name, number, css in tiles
    )
    yield f'<section class="tiles" aria-label="Counts">{inside}</section>\n'


def _by_rule(report: Report) -> list[list[Finding]]:
    """The findings of each rule: errors first, the most frequent rule first."""
    ordered = sorted(report.findings, key=lambda found: found.rule)
    groups = [list(found) for _, found in groupby(ordered, key=lambda found: found.rule)]
    groups.sort(key=lambda g: (_ORDER[g[0].severity], -report.counts[g[0].name], g[0].rule))
    return groups


def _badge(severity: str) -> str:
    return f'<span class="badge {severity}">{_WORDS[severity]}</span>'


def _rules(report: Report) -> Iterator[str]:
    yield '<section><h2>What to fix</h2><table class="rules"><thead><tr><th>Found</th><th></th>'
    yield "<th>What</th><th>Fix</th></tr></thead><tbody>"
    for found in _by_rule(report):
        first = found[0]
        yield (
            f'<tr><td class="number">{report.counts[first.name]:,}</td>'
            f"<td>{_badge(first.severity)}</td>"
            f'<td><a href="#{first.rule}">{escape(first.name)}</a> '
            f"<small>{escape(BY_ID[first.rule].summary)}</small></td>"
            f"<td>{escape(first.fix)}</td></tr>"
        )
    yield "</tbody></table></section>\n"


def _findings(report: Report, thumbnails: Mapping[str, str]) -> Iterator[str]:
    yield "<section><h2>Findings</h2>"
    for found in _by_rule(report):
        first = found[0]
        count = report.counts[first.name]
        shown = f", the first {len(found):,} are listed" if len(found) < count else ""
        rule = BY_ID[first.rule]
        yield (
            f'<details id="{first.rule}"{" open" if first.severity == "error" else ""}>'
            f"<summary>{_badge(first.severity)} <b>{escape(first.name)}</b> "
            f"<small>{first.rule} · {_count(count, 'finding')}{shown}</small></summary>"
            f"<p>{escape(rule.summary)} {escape(rule.explanation)}</p>"
            f'<p class="fix">{escape(first.fix)}</p>'
        )
        yield from _table(found[:_OPEN], thumbnails)
        if len(found) > _OPEN:
            yield f"<details><summary>{len(found) - _OPEN:,} more</summary>"
            yield from _table(found[_OPEN:], thumbnails)
            yield "</details>"
        yield "</details>"
    yield "</section>\n"


def _table(findings: Sequence[Finding], thumbnails: Mapping[str, str]) -> Iterator[str]:
    yield '<table class="findings"><thead><tr><th>Row</th><th>What</th><th>Value</th>'
    yield "<th>Limit</th></tr></thead><tbody>"
    yield from (_finding(each, thumbnails) for each in findings)
    yield "</tbody></table>"


def _finding(found: Finding, thumbnails: Mapping[str, str]) -> str:
    where = found.kind if found.line is None else f"{found.kind} {found.line:,}"
    image = f"<br><code>{escape(shorten(found.key))}</code>" if found.key else ""
    picture = thumbnails.get(found.key, "") if found.key else ""
    if picture.startswith("data:image/"):
        image += f'<br><img src="{escape(picture)}" alt="" loading="lazy">'
    field = f"<br><small>{escape(found.field)}</small>" if found.field and not found.key else ""
    return (
        f'<tr><td data-label="Row" class="row">{escape(where)}</td>'
        f'<td data-label="What">{escape(found.message)}{field}{image}</td>'
        f'<td data-label="Value"><code>{escape(found.value)}</code></td>'
        f'<td data-label="Limit">{escape(found.limit)}</td></tr>'
    )


def _exemptions(report: Report) -> Iterator[str]:
    if not report.exemptions:
        return
    yield "<section><h2>Agreed exceptions</h2><ul>"
    for each in report.exemptions:
        how = "silenced" if each.severity == "silent" else f"lowered to a {each.severity}"
        yield (
            f"<li><b>{escape(each.rule)}</b> is {how} "
            f"({_count(each.findings, 'finding')}): {escape(each.reason)}</li>"
        )
    yield "</ul></section>\n"


def _run(report: Report) -> Iterator[str]:
    """What a run with this dataset takes."""
    yield "<section><h2>A run with this dataset</h2><dl><dt>Training time</dt>"
    told = report.training_time
    yield f"<dd>{escape(told[:1].upper() + told[1:])}.</dd>"
    if report.price is not None:
        least = "" if report.price.known else "At least "
        positions = "".join(f"<li>{escape(line)}</li>" for line in report.price.lines)
        yield f"<dt>Price</dt><dd>{least}{report.price.total_usd:,.2f} USD<ul>{positions}</ul></dd>"
    yield "</dl></section>\n"


def _charts(report: Report) -> Iterator[str]:
    drawn = [chart for chart in _all_charts(report) if chart]
    if drawn:
        yield f'<section><h2>The data</h2><div class="charts">{"".join(drawn)}</div></section>\n'


def _figure(caption: str, chart: str) -> str:
    return f"<figure>{chart}<figcaption>{escape(caption)}</figcaption></figure>" if chart else ""


def _all_charts(report: Report) -> Iterator[str]:
    images = ImageStats()
    for stats in report.image_stats.values():
        add_counts(images.sizes, stats.sizes)
        add_counts(images.aspects, stats.aspects)
        add_counts(images.file_sizes, stats.file_sizes)
    limits = report.contract.image
    pairs = {}
    for text, count in images.sizes.items():
        width, _, height = text.partition(" ")
        pairs[int(width), int(height)] = count
    if limits is not None:
        least, most = limits.side_min or 1, limits.side_max or 8192
        title = "Sizes: width across, height up, in pixels"
        yield _figure(title, sizes(title, pairs, side_min=least, side_max=most))
        marks = [
            Limit(value, f"{value:g}") for value in (limits.aspect_min, limits.aspect_max) if value
        ]
        title = "Aspect ratios: width / height"
        yield _figure(title, aspects(title, images.aspects, limits=marks))
        title = "File sizes of images"
        marks = [Limit(limits.bytes_max, f"at most {_decimal(limits.bytes_max)}")]
        yield _figure(title, histogram(title, images.file_sizes, limits=marks, label=_binary))
    for kind, stats_of_kind in report.text_stats.items():
        for name, counts in stats_of_kind.lengths.items():
            title = f"Characters per {name} ({kind})"
            caption = report.contract.caption if name == "caption" else None
            marks = [Limit(caption.chars_max, f"at most {caption.chars_max:,}")] if caption else []
            yield _figure(title, histogram(title, counts, limits=marks))


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
