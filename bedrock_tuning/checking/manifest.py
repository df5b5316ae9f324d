"""Checks one manifest as its bytes arrive."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, overload

from bedrock_tuning.checking.fast_path_records import Proven, prover_for
from bedrock_tuning.checking.result import CheckResult
from bedrock_tuning.dataset.fingerprints import record_hash
from bedrock_tuning.dataset.json_lines import Line
from bedrock_tuning.dataset.line_blocks import BLOCK_BYTES, Blocks, Overlong, cut
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.references import folder_of
from bedrock_tuning.dataset.scope import DatasetScope, ImageRef
from bedrock_tuning.dataset.statistics import HASH_BYTES, TextStats, bucket, join_hashes
from bedrock_tuning.rules import LINE_RULES, record_rules
from bedrock_tuning.rules.crash import run
from bedrock_tuning.rules.finding import Findings, Listener, finding, shorten

# Where a proof fails, each eighth of the block is tried, and so on, down to so many lines.
_SMALLER: Final = 8
_FEW_LINES: Final = 3
_OUTSIDE_KEPT: Final = 20
_LENGTHS_KEPT: Final = 4096
_LEFT_BEHIND: Final = frozenset({"bucket", "folder"})
# Hashes of text records: the largest text dataset has 100,000 records.
_RECORD_HASHES_KEPT: Final = 1 << 17


class ImageRefs(Sequence[ImageRef]):
    """References in the order of lines; made one by one only when somebody asks for them."""

    def __init__(self, bucket: str) -> None:
        self._cut = len(f"s3://{bucket}/")
        self._runs: list[tuple[int, Sequence[str]]] = []
        self._made: list[ImageRef] = []
        self._length = 0

    def add_run(self, first: int, refs: Sequence[str]) -> None:
        """Adds whole references of consecutive lines."""
        self._runs.append((first, refs))
        self._length += len(refs)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[ImageRef]:
        start = self._cut
        for first, refs in self._runs:
            for line, ref in enumerate(refs, first):
                yield ImageRef(line, ref[start:])

    @overload
    def __getitem__(self, index: int) -> ImageRef: ...
    @overload
    def __getitem__(self, index: slice) -> list[ImageRef]: ...
    def __getitem__(self, index: int | slice) -> ImageRef | list[ImageRef]:
        if len(self._made) != self._length:
            self._made = list(self)
        return self._made[index]


class ManifestCheck:
    """Checks one manifest as its bytes arrive; memory does not grow with the manifest.

    feed chunks of any size in order, then finish. The result does not depend on how the bytes were
    cut. on_finding receives every finding that is not silenced; the Partial keeps the first ones
    and exact counts. References wait until some hundred KiB of lines are complete.
    """

    def __init__(
        self,
        subject: DatasetScope,
        on_finding: Listener | None = None,
        *,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self._subject = subject
        self._findings = Findings(overrides=subject.overrides, listener=on_finding)
        self._stats = TextStats()
        self._lengths: dict[str, Counter[int]] = {}
        self._hashes = bytearray()
        self._blocks = Blocks(block_bytes=block_bytes)
        self._prove = prover_for(subject)
        self._rules = record_rules(subject.contract.format)
        self._told: set[str] = set()
        self._refs = ImageRefs(subject.bucket)

    @property
    def lines(self) -> int:
        """How many lines were looked at so far."""
        return self._stats.lines

    def feed(self, chunk: bytes) -> Sequence[ImageRef]:
        """Takes the next bytes; returns images that completed records refer to."""
        self._stats.size += len(chunk)
        for block in self._blocks.feed(chunk):
            self._take(block)
        return self._give()

    def finish(self) -> tuple[Sequence[ImageRef], CheckResult]:
        """The last images, and the result."""
        for block in self._blocks.finish():
            self._take(block)
        stats = self._stats
        for name, lengths in sorted(self._lengths.items()):
            stats.lengths[name] = dict(sorted(_rounded(lengths).items()))
        stats.hashes = join_hashes([bytes(self._hashes)], most=_RECORD_HASHES_KEPT)
        stats.outside = dict(sorted(stats.outside.items()))
        stats.bucket_region = self._subject.bucket_region
        partial = CheckResult(
            counts=dict(sorted(self._findings.counts.items())),
            findings=self._findings.kept(),
            text_stats={self._subject.kind: stats},
        )
        return self._give(), partial

    def _give(self) -> ImageRefs:
        given, self._refs = self._refs, ImageRefs(self._subject.bucket)
        return given

    def _take(self, block: bytes | Overlong) -> None:
        if isinstance(block, Overlong):
            self._line(b"", block.length)
        elif self._quick(block):
            return
        elif self._prove is not None and block.count(b"\n") > _FEW_LINES:
            for part in cut(block, 0, len(block), most=max(1, len(block) // _SMALLER)):
                self._take(part)
        else:
            for data in block[:-1].split(b"\n"):
                self._line(data, len(data))

    def _quick(self, block: bytes) -> bool:
        # The one thing to say about carriage returns is said by a rule, once.
        if self._prove is None or (b"\r" in block and "L111" not in self._told):
            return False
        proven = self._prove(block, first=self._stats.lines + 1)
        if proven is not None:
            self._add(proven)
        return proven is not None

    def _add(self, proven: Proven) -> None:
        stats = self._stats
        stats.lines += proven.rows
        stats.records += proven.rows
        for name, lengths in proven.lengths.items():
            self._measure(name, lengths, empty=lengths[0])
        if stats.captions.counts is not None and proven.captions:
            stats.captions.add(Counter(proven.captions))
        if proven.refs:
            self._refs.add_run(proven.first, proven.refs)
        self._hash(proven.hashes)

    def _hash(self, hashes: bytes) -> None:
        self._stats.hashed += len(hashes) // HASH_BYTES
        self._hashes += hashes
        if len(self._hashes) >= 2 * HASH_BYTES * _RECORD_HASHES_KEPT:
            kept = join_hashes([bytes(self._hashes)], most=_RECORD_HASHES_KEPT)
            self._hashes = bytearray(kept)

    def _line(self, data: bytes, length: int) -> None:
        self._stats.lines += 1
        line = Line(number=self._stats.lines, data=data, length=length)
        self._run(LINE_RULES, line, line.number)
        if line.blank:
            return
        self._stats.records += 1
        if line.too_long or not isinstance(line.parsed.value, dict):
            return
        record = Record(line=line.number, value=line.parsed.value, subject=self._subject)
        self._run(self._rules, record, line.number)
        self._count(record)
        self._refer(record)
        if record.format != "image-caption":
            content = data.removesuffix(b"\r")
            self._hash(record_hash(line=line.number, content=content))

    def _run(self, rules: Sequence[Any], item: Line | Record, number: int) -> None:
        for rule, fault in run(rules, item, self._subject):
            if not (rule.once and rule.id in self._told):
                self._told.add(rule.id)
                kind = self._subject.kind
                self._findings.add(finding(rule, fault, kind=kind, line=number))

    def _count(self, record: Record) -> None:
        for name, length, empty in record.measured:
            self._measure(name, {length: 1}, empty=int(empty))
        caption = record.text("caption") if record.format == "image-caption" else None
        if caption is not None:
            self._stats.captions.add({caption: 1})

    def _measure(self, name: str, lengths: Mapping[int, int], *, empty: int) -> None:
        stats = self._stats
        known = self._lengths.get(name)
        if known is None:
            known = self._lengths[name] = Counter()
        for length, count in lengths.items():
            known[length] += count
        if len(known) > _LENGTHS_KEPT:
            self._lengths[name] = _rounded(known)
        stats.characters += sum(length * count for length, count in lengths.items())
        stats.longest[name] = max(stats.longest.get(name, 0), max(lengths))
        if empty:
            stats.empty[name] = stats.empty.get(name, 0) + empty

    def _refer(self, record: Record) -> None:
        for ref in record.refs:
            if not ref.place.problem:
                self._refs.add_run(record.line, (ref.uri,))
            elif ref.place.problem in _LEFT_BEHIND:
                outside, folder = self._stats.outside, shorten(folder_of(ref.uri))
                outside[folder] = outside.get(folder, 0) + 1
                if len(outside) > _OUTSIDE_KEPT:
                    del outside[max(outside)]


def _rounded(lengths: Counter[int]) -> Counter[int]:
    rounded: Counter[int] = Counter()
    for length, count in lengths.items():
        rounded[bucket(length)] += count
    return rounded
