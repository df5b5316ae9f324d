"""Checks images through a source of byte ranges: headers are read, and every rule runs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import log2
from typing import Any, Final

from bedrock_tuning.checking.fast_path_images import image_fast_path
from bedrock_tuning.checking.result import CheckResult
from bedrock_tuning.dataset.fingerprints import image_fingerprint, image_hash
from bedrock_tuning.dataset.images.header import HeaderParser, reader
from bedrock_tuning.dataset.images.image import Image
from bedrock_tuning.dataset.images.source import (
    NEXT_BYTES,
    ByteRange,
    Denied,
    Fetched,
    FetchResult,
    FirstRange,
    ImageSource,
    Missing,
    extension_of,
)
from bedrock_tuning.dataset.scope import DatasetScope, ImageRef
from bedrock_tuning.dataset.statistics import ImageStats, bucket, join_hashes
from bedrock_tuning.rules import rules_for
from bedrock_tuning.rules.finding import NOBODY_HEARS, Findings, Heard
from bedrock_tuning.rules.rule import Fault, Rule, run_rules

# Images that are requested together, and how many bytes they may have in total.
BATCH: Final = 1024
_BATCH_BYTES: Final = 16 << 20
_KEY_BYTES_MAX: Final = 1024


def check_images(
    refs: Sequence[ImageRef],
    source: ImageSource,
    scope: DatasetScope,
    heard: Heard = NOBODY_HEARS,
) -> CheckResult:
    """Checks the images that records refer to, in batches of one source call each.

    Any split of the references into several calls, merged, gives the same result. Raises
    SourceError if the source cannot continue.
    """
    check = _Check(source, scope, Findings(scope.overrides, heard))
    start = 0
    while start < len(refs):
        start += check.batch(refs[start : start + BATCH])
    return check.result()


class _Check:
    def __init__(self, source: ImageSource, scope: DatasetScope, findings: Findings) -> None:
        self._source = source
        self._scope = scope
        self._findings = findings
        self._fast = image_fast_path(scope)
        self._rules = rules_for(Image)
        self._first = FirstRange()
        self._hashes: list[bytes] = []
        self._fingerprint = 0
        self._checked = 0
        self._formats: Counter[str] = Counter()
        self._sizes: Counter[tuple[int, int]] = Counter()
        self._bytes: Counter[int] = Counter()
        self._folders: Counter[str] = Counter()

    def batch(self, refs: Sequence[ImageRef]) -> int:
        """Checks the first of these images, as many as fit; returns how many.

        One fetch for all, then another for those that need more bytes.
        """
        fetchable: list[ImageRef] = []
        ranges: list[ByteRange] = []
        count, room = 0, _BATCH_BYTES
        for ref in refs:
            length = self._first.length(extension_of(ref.key))
            if length > room:
                break
            count += 1
            if len(ref.key.encode()) > _KEY_BYTES_MAX:
                self._judge(Image(line=ref.line, key=ref.key, outcome="key"))
                continue
            room -= length
            fetchable.append(ref)
            ranges.append(ByteRange(ref.key, 0, length))
        waiting: list[tuple[_Visit, ByteRange]] = []
        for ref, answer in zip(fetchable, self._fetch(ranges), strict=True):
            self._proceed(_Visit(ref), answer, waiting)
        while waiting:
            visits, ranges = [visit for visit, _ in waiting], [part for _, part in waiting]
            waiting = []
            for visit, answer in zip(visits, self._fetch(ranges), strict=True):
                self._proceed(visit, answer, waiting)
        return count

    def _fetch(self, ranges: Sequence[ByteRange]) -> Iterable[FetchResult]:
        """One answer per range; records with the same image share its bytes."""
        unique = list(dict.fromkeys(ranges))
        answers = dict(zip(unique, self._source.fetch(unique), strict=True))
        return map(answers.__getitem__, ranges)

    def _proceed(
        self, visit: "_Visit", answer: FetchResult, waiting: list[tuple["_Visit", ByteRange]]
    ) -> None:
        result = visit.take(answer)
        if isinstance(result, Image):
            self._judge(result)
        else:
            waiting.append((visit, ByteRange(visit.key, result, NEXT_BYTES)))

    def _judge(self, image: Image) -> None:
        scope = self._scope
        if self._fast is None or not self._fast.is_clean(image):
            for rule, fault in self._join_errors(run_rules(self._rules, image, scope)):
                self._findings.add(rule, fault, kind=scope.kind, line=image.line, key=image.key)
        self._checked += 1
        header = image.header
        if header is None:
            return
        self._first.learn(extension_of(image.key), header.end)
        key, size, etag = image.key, image.size, image.etag
        self._fingerprint += image_fingerprint(key=key, size=size, etag=etag)
        self._hashes.append(
            image_hash(line=image.line, key=key, size=size, etag=etag, text=image.text)
        )
        self._formats[header.format] += 1
        self._bytes[bucket(size)] += 1
        self._folders[scope.below(image.key).rpartition("/")[0]] += 1
        if image.sized is not None:
            self._sizes[header.width, header.height] += 1

    def _join_errors(
        self, faults: Iterable[tuple[Rule[Any], Fault]]
    ) -> Iterator[tuple[Rule[Any], Fault]]:
        """The faults of one image; its errors as one, however many limits it breaks."""
        errors: list[tuple[Rule[Any], Fault]] = []
        for rule, fault in faults:
            if self._findings.is_error(rule):
                errors.append((rule, fault))
            else:
                yield rule, fault
        if errors:
            (rule, first), *others = errors
            words = "; ".join((first.message, *(fault.message for _, fault in others)))
            yield rule, replace(first, message=words)

    def result(self) -> CheckResult:
        """Everything checked so far."""
        stats = ImageStats(
            checked=self._checked,
            hashed=len(self._hashes),
            fingerprint=f"{self._fingerprint % (1 << 256):x}",
            hashes=join_hashes(self._hashes),
            formats=dict(sorted(self._formats.items())),
            file_sizes=dict(sorted(self._bytes.items())),
        )
        sizes: Counter[str] = Counter()
        aspects: Counter[int] = Counter()
        for (width, height), count in self._sizes.items():
            sizes[f"{bucket(width)} {bucket(height)}"] += count
            aspects[round(8 * log2(width / height))] += count
        stats.sizes = dict(sorted(sizes.items()))
        stats.aspects = dict(sorted(aspects.items()))
        stats.folders.add(self._folders)
        return CheckResult(
            counts=dict(sorted(self._findings.counts.items())),
            findings=self._findings.kept(),
            image_stats={self._scope.kind: stats},
        )


class _Visit:
    """One image while its header is being read."""

    __slots__ = ("_reader", "etag", "key", "line", "size", "text")
    etag: str
    size: int

    def __init__(self, ref: ImageRef) -> None:
        self.key = ref.key
        self.line = ref.line
        self.text = ref.text
        self._reader: HeaderParser | None = None

    def take(self, answer: FetchResult) -> Image | int:
        """The finished image, or the offset from which bytes are needed."""
        match answer:
            case Missing():
                return Image(line=self.line, key=self.key, outcome="missing", reason=answer.near)
            case Denied():
                return Image(line=self.line, key=self.key, outcome="denied", reason=answer.reason)
        if self._reader is not None and (answer.etag, answer.size) != (self.etag, self.size):
            return Image(line=self.line, key=self.key, outcome="changed")
        try:
            return self._next(answer)
        except StopIteration as end:
            return Image(
                line=self.line,
                key=self.key,
                header=end.value,
                size=self.size,
                etag=self.etag,
                text=self.text,
            )

    def _next(self, answer: Fetched) -> int:
        if self._reader is None:
            self.size, self.etag = answer.size, answer.etag
            self._reader = reader(answer.data, size=answer.size)
            return next(self._reader)
        return self._reader.send(answer.data)
