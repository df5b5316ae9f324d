"""The verdict on a dataset: joined results, dataset rules and agreed exceptions → one report."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tuning import report_formats
from tuning.cost import estimate, training_time
from tuning.customization import Customization
from tuning.dataset import Dataset
from tuning.finding import (
    Finding,
    Findings,
    Listener,
    effective,
    finding,
    order,
    overridden,
)
from tuning.models import DatasetContract
from tuning.partial import ImageStats, Partial, TextStats, merge
from tuning.report_html import page
from tuning.rule import Override, Severity
from tuning.rules import BY_ID, BY_NAME, DATASET_RULES
from tuning.rules.crash import run
from tuning.terms import ModelTerms, Terms

__all__ = [
    "Exemption",
    "Finding",
    "ModelTerms",
    "Partial",
    "Price",
    "Report",
    "Terms",
    "conclude",
    "merge",
    "report_schema",
]

SCHEMA: Final = 1


class Exemption(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that a customization lowered or silenced, why, and how often it would have spoken."""

    rule: str
    severity: str
    reason: str
    findings: int


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What a run with this dataset costs, in US dollars, as far as prices are known.

    lines: positions in words. total_usd: of the known ones, a lower bound unless `known`.
    """

    lines: list[str]
    total_usd: float
    known: bool


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a dataset, or that nothing is.

    counts: findings by rule name, exact, silenced ones left out; errors, warnings, infos: their
    sums. findings: the first ones of each rule, by kind and line. records: of both manifests.
    contract: the limits that the dataset was judged by. training_time: in words. price: None when
    the dataset was checked for a model alone: it depends on the customization.
    """

    schema: int = SCHEMA
    valid: bool
    model: str
    model_name: str
    records: int
    errors: int
    warnings: int
    infos: int
    counts: dict[str, int]
    findings: list[Finding]
    exemptions: list[Exemption]
    text_stats: dict[str, TextStats]
    image_stats: dict[str, ImageStats]
    contract: DatasetContract
    training_time: str
    price: Price | None

    def counts_of(self, severity: Severity) -> dict[str, int]:
        """The counts of the rules that speak with this severity here, exceptions considered."""
        agreed = {each.rule: each.severity for each in self.exemptions}
        return {
            name: count
            for name, count in self.counts.items()
            if agreed.get(name, BY_NAME[name].severity) == severity
        }

    def to_json(self) -> bytes:
        """The published report; the hashes of images and records stay inside."""
        body = msgspec.to_builtins(self)
        for stats in (*body["text_stats"].values(), *body["image_stats"].values()):
            stats.pop("hashes", None)
        return msgspec.json.format(msgspec.json.encode(body), indent=2)

    def to_html(self, *, thumbnails: Mapping[str, str] | None = None) -> str:
        """One self-contained page. thumbnails: data URIs of rejected images by key."""
        return page(self, thumbnails=thumbnails or {})

    def to_sarif(self, *, manifests: Mapping[str, str]) -> bytes:
        """SARIF 2.1.0. manifests: path or URI of the manifest of each kind."""
        return report_formats.sarif(self, manifests=manifests)

    def to_junit(self) -> bytes:
        """JUnit XML: one test per rule."""
        return report_formats.junit(self)

    def to_text(self) -> str:
        """A short summary for a mail or a log."""
        return report_formats.text(self)


def report_schema() -> dict[str, Any]:
    """JSON Schema of the report that Report.to_json writes."""
    return report_formats.schema_of(Report)


def conclude(
    partial: Partial,
    terms: Terms,
    on_finding: Listener | None = None,
    *,
    job_region: str = "",
) -> Report:
    """Applies the dataset rules and the agreed exceptions to joined results.

    on_finding receives every finding of the dataset rules that is not silenced.
    job_region: the AWS Region in which the job would run; "" where nobody knows it.
    """
    dataset = Dataset(partial=partial, terms=terms, job_region=job_region)
    findings = Findings(overrides=terms.overrides, listener=on_finding)
    for rule, fault in run(DATASET_RULES, dataset, None):
        findings.add(finding(rule, fault, kind="dataset", line=None))
    counted = dict(partial.counts)
    for id, count in findings.counts.items():
        counted[id] = counted.get(id, 0) + count
    kept = [*partial.findings.values(), *findings.kept().values()]
    shown = [overridden(each, terms.overrides) for found in kept for each in found]
    sums, counts = _sums(counted, terms.overrides)
    return Report(
        valid=not sums[Severity.ERROR],
        model=terms.base_model.key,
        model_name=terms.base_model.name,
        records=dataset.records,
        errors=sums[Severity.ERROR],
        warnings=sums[Severity.WARNING],
        infos=sums[Severity.INFO],
        counts=counts,
        findings=sorted((each for each in shown if each is not None), key=order),
        exemptions=[
            Exemption(
                rule=name,
                severity=effective(BY_NAME[name].severity, override) or "silent",
                reason=override.reason,
                findings=sum(n for id, n in counted.items() if BY_ID[id].name == name),
            )
            for name, override in sorted(terms.overrides.items())
            if name in BY_NAME
        ],
        text_stats=partial.text_stats,
        image_stats=partial.image_stats,
        contract=terms.dataset,
        training_time=training_time(terms.base_model),
        price=_price(dataset),
    )


def _price(dataset: Dataset) -> Price | None:
    if not isinstance(dataset.terms, Customization):
        return None
    text = dataset.text("training")
    found = estimate(
        customization=dataset.terms,
        training_records=text.records,
        training_characters=text.characters,
    )
    return Price(
        lines=[str(line) for line in found.lines], total_usd=found.total_usd, known=found.known
    )


def _sums(
    counted: Mapping[str, int], overrides: Mapping[str, Override]
) -> tuple[dict[Severity, int], dict[str, int]]:
    """Findings by severity and by rule name, after the exceptions."""
    sums = dict.fromkeys(Severity, 0)
    counts: dict[str, int] = {}
    for id, count in counted.items():
        rule = BY_ID[id]
        severity = effective(rule.severity, overrides.get(rule.name))
        if severity is not None:
            sums[severity] += count
            counts[rule.name] = count
    return sums, dict(sorted(counts.items()))
