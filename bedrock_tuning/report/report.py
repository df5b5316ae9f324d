"""The result of a check as data: what is wrong with a dataset, or that nothing is."""

from typing import Final

import msgspec

from bedrock_tuning.catalogue import DatasetContract
from bedrock_tuning.dataset.statistics import ImageStats, TextStats
from bedrock_tuning.rules import BY_NAME
from bedrock_tuning.rules.finding import FINDINGS_PER_RULE, Finding
from bedrock_tuning.rules.rule import Severity

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
    sums. findings: the first ones of each rule, by kind and line. findings_per_rule: how many of
    each rule the list of all findings holds (rejected.jsonl). records: of both manifests.
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
    findings_per_rule: int = FINDINGS_PER_RULE
    findings: list[Finding]
    exemptions: list[Exemption]
    text_stats: dict[str, TextStats]
    image_stats: dict[str, ImageStats]
    contract: DatasetContract
    training_time: str
    price: Price | None

    def counts_of(self, severity: Severity) -> dict[str, int]:
        """The counts of the rules that speak with this severity here, exceptions considered."""
        severities = {exemption.rule: exemption.severity for exemption in self.exemptions}
        return {
            name: count
            for name, count in self.counts.items()
            if severities.get(name, BY_NAME[name].severity) == severity
        }

    @property
    def listed(self) -> int:
        """How many findings the list of all findings holds."""
        return sum(min(count, self.findings_per_rule) for count in self.counts.values())

    def to_json(self) -> bytes:
        """The published report; the hashes of images and records stay inside."""
        body = msgspec.to_builtins(self)
        for stats in (*body["text_stats"].values(), *body["image_stats"].values()):
            stats.pop("hashes", None)
        return msgspec.json.format(msgspec.json.encode(body), indent=2)
