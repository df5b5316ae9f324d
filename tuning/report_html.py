"""The report as one self-contained HTML page."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuning.report import Report


def page(report: "Report", *, thumbnails: Mapping[str, str]) -> str:
    """The whole page. thumbnails: data URIs of rejected images by key."""
    verdict = "valid" if report.valid else "rejected"
    rows = "".join(
        f"<tr><td>{escape(f.kind)}</td><td>{f.line or ''}</td><td>{escape(f.name)}</td>"
        f"<td>{escape(f.message)}</td><td>{escape(f.limit)}</td><td>{escape(f.fix)}</td></tr>"
        for f in report.findings
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Dataset {verdict}</title>"
        f"<h1>Dataset {verdict}</h1><p>{report.records:,} records, {report.errors:,} errors, "
        f"{report.warnings:,} warnings</p><table>{rows}</table></html>"
    )
