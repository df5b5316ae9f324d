"""The verdict on a dataset: merged results, dataset rules and agreed exceptions → one report."""

from collections.abc import Mapping

from bedrock_tuning.checking.result import CheckResult
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.dataset.dataset import Dataset, Requirements, SeverityOverride
from bedrock_tuning.report.report import Exemption, Price, Report
from bedrock_tuning.rules import BY_ID, BY_NAME, rules_for
from bedrock_tuning.rules.finding import NOBODY_HEARS, Findings, Heard, effective, order, overridden
from bedrock_tuning.rules.rule import Severity, run_rules
from bedrock_tuning.run.cost import estimate, training_time


def conclude(
    partial: CheckResult,
    requirements: Requirements,
    heard: Heard = NOBODY_HEARS,
    *,
    job_region: str = "",
) -> Report:
    """Applies the dataset rules and the agreed exceptions to merged results.

    job_region: the AWS Region in which the job would run; "" if unknown.
    """
    dataset = Dataset(
        text_stats=partial.text_stats,
        image_stats=partial.image_stats,
        requirements=requirements,
        job_region=job_region,
    )
    findings = Findings(requirements.overrides, heard)
    # If the file is not JSON Lines, no other rule about it can be decided.
    is_known = not any(text.foreign for text in partial.text_stats.values())
    for rule, fault in run_rules(rules_for(Dataset) if is_known else (), dataset, None):
        findings.add(rule, fault, kind="dataset", line=None)
    counted = dict(partial.counts)
    for id, count in findings.counts.items():
        counted[id] = counted.get(id, 0) + count
    groups = [*partial.findings.values(), *findings.kept().values()]
    shown = [overridden(item, requirements.overrides) for of_rule in groups for item in of_rule]
    sums, counts = _sums(counted, requirements.overrides)
    return Report(
        valid=not sums[Severity.ERROR],
        model=requirements.base_model.key,
        model_name=requirements.base_model.name,
        records=dataset.records,
        errors=sums[Severity.ERROR],
        warnings=sums[Severity.WARNING],
        infos=sums[Severity.INFO],
        counts=counts,
        findings_per_rule=heard.per_rule,
        findings=sorted((finding for finding in shown if finding is not None), key=order),
        exemptions=[
            Exemption(
                rule=name,
                severity=effective(BY_NAME[name].severity, override) or "silent",
                reason=override.reason,
                findings=sum(n for id, n in counted.items() if BY_ID[id].name == name),
            )
            for name, override in sorted(requirements.overrides.items())
            if name in BY_NAME
        ],
        text_stats=partial.text_stats,
        image_stats=partial.image_stats,
        contract=requirements.dataset,
        training_time=training_time(requirements.base_model),
        price=_price(dataset),
    )


def _price(dataset: Dataset) -> Price | None:
    if not isinstance(dataset.requirements, CustomizationSettings):
        return None
    text = dataset.text("training")
    price = estimate(
        customization=dataset.requirements,
        training_records=text.records,
        training_characters=text.characters,
    )
    return Price(
        lines=[str(line) for line in price.lines], total_usd=price.total_usd, known=price.known
    )


def _sums(
    counted: Mapping[str, int], overrides: Mapping[str, SeverityOverride]
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
