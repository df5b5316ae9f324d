"""The report for machines that are not ours: JSON Schema, SARIF, JUnit XML; and as plain text."""

from collections.abc import Mapping
from typing import Any, Final
from xml.etree import ElementTree

import msgspec

from bedrock_tuning.report.report import Report
from bedrock_tuning.rules import RULES
from bedrock_tuning.rules.finding import Finding, shorten
from bedrock_tuning.rules.rule import Severity
from bedrock_tuning.wording import counted

_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT_FINDINGS: Final = 20


def report_schema() -> dict[str, Any]:
    """JSON Schema of what Report.to_json writes."""
    schema = msgspec.json.schema(Report)
    for name in ("TextStats", "ImageStats"):
        schema["$defs"][name]["properties"].pop("hashes")
    title = "Report of Bedrock Tuning on a dataset"
    return {"$schema": _DRAFT, "title": title, **schema}


def to_sarif(report: Report, *, manifests: Mapping[str, str]) -> bytes:
    """SARIF 2.1.0, one result per listed finding. manifests: path or URI of each manifest."""
    places = {rule.id: index for index, rule in enumerate(RULES)}
    rules = [
        {
            "id": rule.id,
            "name": rule.name,
            "shortDescription": {"text": rule.summary},
            "fullDescription": {"text": f"{rule.summary} {rule.explanation}".strip()},
            "help": {"text": rule.fix},
            "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        }
        for rule in RULES
    ]
    results = [
        {
            "ruleId": found.rule,
            "ruleIndex": places[found.rule],
            "level": _LEVELS[found.severity],
            "message": {"text": _sentence(found)},
            "locations": _locations(found, manifests),
        }
        for found in report.findings
    ]
    run = {
        "tool": {"driver": {"name": "bedrock-tuning", "rules": rules}},
        "results": results,
        "properties": {"valid": report.valid, "records": report.records, "counts": report.counts},
    }
    body = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(body), indent=2)


def _sentence(found: Finding) -> str:
    seen = f" Seen: {found.value}." if found.value else ""
    allowed = f" Allowed: {found.limit}." if found.limit else ""
    image = f" Image: {shorten(found.key)}." if found.key else ""
    return f"{found.message}.{seen}{allowed}{image} {found.fix}"


def _locations(found: Finding, manifests: Mapping[str, str]) -> list[dict[str, Any]]:
    uri = manifests.get(found.kind)
    if uri is None:
        return []
    place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if found.line is not None:
        place["region"] = {"startLine": found.line}
    return [{"physicalLocation": place}]


def to_junit(report: Report) -> bytes:
    """JUnit XML: one test per rule; errors are failures, warnings and hints are its output."""
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name=f"dataset for {report.model}",
        tests=str(len(RULES)),
        failures=str(len({f.rule for f in report.findings if f.severity == Severity.ERROR})),
        errors="0",
        skipped=str(sum(each.severity == "silent" for each in report.exemptions)),
    )
    silent = {each.rule: each for each in report.exemptions if each.severity == "silent"}
    for rule in RULES:
        case = ElementTree.SubElement(suite, "testcase", classname=rule.id[0], name=rule.name)
        found = [each for each in report.findings if each.rule == rule.id]
        if rule.name in silent:
            ElementTree.SubElement(case, "skipped", message=_xml(silent[rule.name].reason))
        if not found:
            continue
        count = report.counts[rule.name]
        text = _xml("\n".join(_line(each) for each in found))
        if found[0].severity == Severity.ERROR:
            message = f"{count:,} × {rule.summary}"
            ElementTree.SubElement(case, "failure", message=message, type=rule.id).text = text
        else:
            output = f"{found[0].severity}: {count:,} × {rule.summary}\n{text}"
            ElementTree.SubElement(case, "system-out").text = output
    written: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written


def _xml(text: str) -> str:
    # XML has no way to write most control characters.
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)


def _line(found: Finding) -> str:
    where = found.kind if found.line is None else f"{found.kind} {found.line}"
    seen = f" ({found.value}; allowed: {found.limit})" if found.value and found.limit else ""
    return f"{where}: {found.message}{seen}"


def to_text(report: Report) -> str:
    """A short summary for a mail or a log: verdict, counts, the first findings."""
    verdict = "VALID" if report.valid else "REJECTED"
    lines = [
        f"{verdict}: {counted(report.records, 'record')} for {report.model_name}, "
        f"{counted(report.errors, 'error')}, {counted(report.warnings, 'warning')}, "
        f"{counted(report.infos, 'hint')}"
    ]
    lines.append(f"training time: {report.training_time}")
    if report.price is not None:
        least = "" if report.price.known else "at least "
        lines.append(f"price of a run: {least}{report.price.total_usd:,.2f} USD")
    lines += [f"{count:>9,}  {name}" for name, count in report.counts.items()]
    ordered = sorted(report.findings, key=lambda found: found.severity != Severity.ERROR)
    lines += [f"{_line(found)}. {found.fix}" for found in ordered[:_TEXT_FINDINGS]]
    return "\n".join(lines) + "\n"
