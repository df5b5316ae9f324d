"""The mergeable result of one check: exact counts, the first findings, statistics."""

from collections.abc import Iterable

import msgspec

from bedrock_tuning.dataset.statistics import (
    ImageStats,
    TextStats,
    add_counts,
    add_fingerprints,
    join_hashes,
)
from bedrock_tuning.rules.finding import Finding, first


class CheckResult(msgspec.Struct, kw_only=True):
    """The result of one check; `merge` joins several, `checking.conclude` makes a report of them.

    counts: findings per rule id, exact. findings: the first ones per rule id. text_stats: by kind,
    one per checked manifest. image_stats: by kind. JSON by msgspec.json, bytes as base64.
    """

    counts: dict[str, int] = msgspec.field(default_factory=dict)
    findings: dict[str, list[Finding]] = msgspec.field(default_factory=dict)
    text_stats: dict[str, TextStats] = msgspec.field(default_factory=dict)
    image_stats: dict[str, ImageStats] = msgspec.field(default_factory=dict)

    def records(self, kind: str) -> int:
        """Records in the manifest of a kind."""
        return self.text_stats.get(kind, TextStats()).records

    def images(self, kind: str) -> int:
        """References to images of a kind that were checked."""
        return self.image_stats.get(kind, ImageStats()).checked

    def fingerprint(self, kind: str) -> str:
        """What makes a dataset of this kind the same: manifest's SHA-256, ":", images' sum."""
        text = self.text_stats.get(kind, TextStats())
        return f"{text.sha256}:{self.image_stats.get(kind, ImageStats()).fingerprint}"

    def to_json(self) -> bytes:
        """For the next step of the state machine."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> "CheckResult":
        """Reads what to_json wrote; raises msgspec.ValidationError for anything else."""
        return msgspec.json.decode(data, type=cls)


def merge(partials: Iterable[CheckResult]) -> CheckResult:
    """Joins results into one; any sharding of the same checks gives exactly the same result.

    Raises ValueError when two of them checked a manifest of the same kind: a manifest is one
    stream, only its images are sharded.
    """
    result = CheckResult()
    hashes: dict[str, list[bytes]] = {}
    for partial in partials:
        add_counts(result.counts, partial.counts)
        for rule, findings in partial.findings.items():
            result.findings[rule] = first([*result.findings.get(rule, []), *findings])
        for kind, text in partial.text_stats.items():
            if kind in result.text_stats:
                raise ValueError(f"the {kind} manifest was checked twice")
            result.text_stats[kind] = text
        for kind, images in partial.image_stats.items():
            _merge_images(result.image_stats.setdefault(kind, ImageStats()), images)
            hashes.setdefault(kind, []).append(images.hashes)
    for kind, parts in hashes.items():
        stats = result.image_stats[kind]
        stats.hashes = join_hashes(parts)
        _sort(stats)
    return CheckResult(
        counts=dict(sorted(result.counts.items())),
        findings=dict(sorted(result.findings.items())),
        text_stats=dict(sorted(result.text_stats.items())),
        image_stats=dict(sorted(result.image_stats.items())),
    )


def _sort(stats: ImageStats) -> None:
    # Equal results are also equal as JSON.
    stats.formats = dict(sorted(stats.formats.items()))
    stats.sizes = dict(sorted(stats.sizes.items()))
    stats.aspects = dict(sorted(stats.aspects.items()))
    stats.file_sizes = dict(sorted(stats.file_sizes.items()))
    if stats.folders.counts is not None:
        stats.folders.counts = dict(sorted(stats.folders.counts.items()))


def _merge_images(into: ImageStats, other: ImageStats) -> None:
    into.checked += other.checked
    into.hashed += other.hashed
    into.fingerprint = add_fingerprints(into.fingerprint, other.fingerprint)
    add_counts(into.formats, other.formats)
    add_counts(into.sizes, other.sizes)
    add_counts(into.aspects, other.aspects)
    add_counts(into.file_sizes, other.file_sizes)
    into.folders.merge(other.folders)
