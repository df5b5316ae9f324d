"""The report for other tools: JSON Schema, SARIF, JUnit XML."""

from collections.abc import Mapping
from typing import Any, Final
from xml.etree import ElementTree

import msgspec

from bedrock_tuning.report.report import Report
from bedrock_tuning.rules import RULES
from bedrock_tuning.rules.finding import Finding, shorten
from bedrock_tuning.rules.rule import Severity
from bedrock_tuning.wording import printable

_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def report_schema() -> dict[str, Any]:
    """JSON Schema of what Report.to_json writes."""
    schema = msgspec.json.schema(Report)
    for name in ("TextStats", "ImageStats"):
        schema["$defs"][name]["properties"].pop("hashes")
    return {"title": "Report of Bedrock Tuning on a dataset", **schema}


def to_sarif(report: Report, *, manifests: Mapping[str, str]) -> bytes:
    """SARIF 2.1.0, one result per listed finding. manifests: path or URI of each manifest."""
    indexes = {rule.id: index for index, rule in enumerate(RULES)}
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
            "ruleId": finding.rule,
            "ruleIndex": indexes[finding.rule],
            "level": _LEVELS[finding.severity],
            "message": {"text": _sentence(finding)},
            "locations": _locations(finding, manifests),
        }
        for finding in report.findings
    ]
    run = {
        "tool": {"driver": {"name": "bedrock-tuning", "rules": rules}},
        "results": results,
        "properties": {"valid": report.valid, "records": report.records, "counts": report.counts},
    }
    body = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(body), indent=2)


def _sentence(finding: Finding) -> str:
    value = f" Value: {finding.value}." if finding.value else ""
    limit = f" Limit: {finding.limit}." if finding.limit else ""
    image = f" Image: {shorten(finding.key)}." if finding.key else ""
    return f"{finding.message}.{value}{limit}{image} {finding.fix}"


def _locations(finding: Finding, manifests: Mapping[str, str]) -> list[dict[str, Any]]:
    uri = manifests.get(finding.kind)
    if uri is None:
        return []
    location: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if finding.line is not None:
        location["region"] = {"startLine": finding.line}
    return [{"physicalLocation": location}]


def to_junit(report: Report) -> bytes:
    """JUnit XML: one test per rule; errors are failures, warnings and info its output."""
    silent_exemptions = {
        exemption.rule: exemption
        for exemption in report.exemptions
        if exemption.severity == "silent"
    }
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name=f"dataset for {report.model}",
        tests=str(len(RULES)),
        failures=str(
            len({finding.rule for finding in report.findings if finding.severity == Severity.ERROR})
        ),
        errors="0",
        skipped=str(len(silent_exemptions)),
    )
    for rule in RULES:
        case = ElementTree.SubElement(suite, "testcase", classname=rule.id[0], name=rule.name)
        findings = [finding for finding in report.findings if finding.rule == rule.id]
        if rule.name in silent_exemptions:
            ElementTree.SubElement(
                case, "skipped", message=printable(silent_exemptions[rule.name].reason)
            )
        if not findings:
            continue
        count = report.counts[rule.name]
        text = printable("\n".join(_line(finding) for finding in findings))
        if findings[0].severity == Severity.ERROR:
            message = f"{count:,} × {rule.summary}"
            ElementTree.SubElement(case, "failure", message=message, type=rule.id).text = text
        else:
            output = f"{findings[0].severity}: {count:,} × {rule.summary}\n{text}"
            ElementTree.SubElement(case, "system-out").text = output
    document: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return document


def _line(finding: Finding) -> str:
    where = finding.kind if finding.line is None else f"{finding.kind} {finding.line}"
    limit = f" ({finding.value}; limit: {finding.limit})" if finding.value and finding.limit else ""
    return f"{where}: {finding.message}{limit}"
