"""The verdict on a dataset: joined results, dataset rules and agreed exceptions → one report."""

from collections.abc import Mapping

from bedrock_tuning.checking.result import CheckResult
from bedrock_tuning.config.customization import Customization
from bedrock_tuning.dataset.dataset import Dataset
from bedrock_tuning.dataset.requirements import Override, Requirements
from bedrock_tuning.report.report import Exemption, Price, Report
from bedrock_tuning.rules import BY_ID, BY_NAME, DATASET_RULES
from bedrock_tuning.rules.crash import run
from bedrock_tuning.rules.finding import (
    Findings,
    Listener,
    effective,
    finding,
    order,
    overridden,
)
from bedrock_tuning.rules.rule import Severity
from bedrock_tuning.run.cost import estimate, training_time


def conclude(
    partial: CheckResult,
    terms: Requirements,
    on_finding: Listener | None = None,
    *,
    job_region: str = "",
) -> Report:
    """Applies the dataset rules and the agreed exceptions to joined results.

    on_finding receives every finding of the dataset rules that is not silenced.
    job_region: the AWS Region in which the job would run; "" where nobody knows it.
    """
    dataset = Dataset(
        text_stats=partial.text_stats,
        image_stats=partial.image_stats,
        terms=terms,
        job_region=job_region,
    )
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
