"""Checks images through a source that brings ranges of bytes: format, size, and what rules say."""

from collections import Counter
from collections.abc import Sequence
from math import log2
from typing import Final

from bedrock_tuning.checking.result import CheckResult
from bedrock_tuning.dataset.fingerprints import image_fingerprint, image_hash
from bedrock_tuning.dataset.images.header import Reader, reader
from bedrock_tuning.dataset.images.image import Image, ImageProof
from bedrock_tuning.dataset.images.source import (
    NEXT_BYTES,
    Answer,
    ByteRange,
    Denied,
    Fetched,
    FirstRange,
    ImageSource,
    Missing,
    extension_of,
)
from bedrock_tuning.dataset.scope import DatasetScope, ImageRef
from bedrock_tuning.dataset.statistics import ImageStats, bucket, join_hashes
from bedrock_tuning.rules import IMAGE_RULES
from bedrock_tuning.rules.crash import run
from bedrock_tuning.rules.finding import Findings, Listener, finding

# Images that are asked for together: so many, and no more than these bytes that may come at once.
BATCH: Final = 1024
_BATCH_BYTES: Final = 16 << 20
_KEY_BYTES_MAX: Final = 1024


def check_images(
    refs: Sequence[ImageRef],
    source: ImageSource,
    subject: DatasetScope,
    on_finding: Listener | None = None,
) -> CheckResult:
    """Checks the images that records refer to, in batches of one source call each.

    Any split of the references into several calls, merged, gives the same result. Raises what the
    source raises: SourceError when it cannot go on.
    """
    check = _Check(source, subject, on_finding)
    start = 0
    while start < len(refs):
        start += check.batch(refs[start : start + BATCH])
    return check.partial()


class _Check:
    def __init__(
        self, source: ImageSource, subject: DatasetScope, listener: Listener | None
    ) -> None:
        self._source = source
        self._subject = subject
        self._findings = Findings(overrides=subject.overrides, listener=listener)
        self._proof = ImageProof(subject.contract.image)
        self._first = FirstRange()
        self._hashes: list[bytes] = []
        self._fingerprint = 0
        self._checked = 0
        self._formats: Counter[str] = Counter()
        self._sizes: Counter[tuple[int, int]] = Counter()
        self._bytes: Counter[int] = Counter()
        self._folders: Counter[str] = Counter()

    def batch(self, refs: Sequence[ImageRef]) -> int:
        """Looks at the first of these images, as many as fit; returns how many.

        One fetch for all, then one more for those that need it.
        """
        fetchable: list[ImageRef] = []
        ranges: list[ByteRange] = []
        taken, room = 0, _BATCH_BYTES
        for ref in refs:
            length = self._first.length(extension_of(ref.key))
            if length > room:
                break
            taken += 1
            if len(ref.key) * 4 > _KEY_BYTES_MAX < len(ref.key.encode()):
                self._judge(Image(line=ref.line, key=ref.key, outcome="key"))
                continue
            room -= length
            fetchable.append(ref)
            ranges.append(ByteRange(ref.key, 0, length))
        waiting: list[tuple[_Visit, ByteRange]] = []
        for ref, answer in zip(fetchable, self._source.fetch(ranges), strict=True):
            self._proceed(_Visit(ref), answer, waiting)
        while waiting:
            visits, ranges = [visit for visit, _ in waiting], [each for _, each in waiting]
            waiting = []
            for visit, answer in zip(visits, self._source.fetch(ranges), strict=True):
                self._proceed(visit, answer, waiting)
        return taken

    def _proceed(
        self, visit: "_Visit", answer: Answer, waiting: list[tuple["_Visit", ByteRange]]
    ) -> None:
        image, at = visit.take(answer)
        if image is not None:
            self._judge(image)
        else:
            waiting.append((visit, ByteRange(visit.key, at, NEXT_BYTES)))

    def _judge(self, image: Image) -> None:
        subject = self._subject
        if not self._proof.holds(image):
            for rule, fault in run(IMAGE_RULES, image, subject):
                found = finding(rule, fault, kind=subject.kind, line=image.line, key=image.key)
                self._findings.add(found)
        self._checked += 1
        header = image.header
        if header is None:
            return
        self._first.learn(extension_of(image.key), header.end)
        size, etag = image.size, image.etag
        self._fingerprint += image_fingerprint(key=image.key, size=size, etag=etag)
        self._hashes.append(image_hash(line=image.line, key=image.key, size=size, etag=etag))
        self._formats[header.format] += 1
        self._bytes[bucket(size)] += 1
        self._folders[image.key.removeprefix(subject.folder).rpartition("/")[0]] += 1
        if image.sized is not None:
            self._sizes[header.width, header.height] += 1

    def partial(self) -> CheckResult:
        """Everything seen so far."""
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
            image_stats={self._subject.kind: stats},
        )


class _Visit:
    """One image on its way: what was read so far."""

    __slots__ = ("_reader", "etag", "key", "line", "size")

    def __init__(self, ref: ImageRef) -> None:
        self.key = ref.key
        self.line = ref.line
        self.size = -1
        self.etag = ""
        self._reader: Reader | None = None

    def take(self, answer: Answer) -> tuple[Image | None, int]:
        """The finished image, or None and the offset from which bytes are needed."""
        match answer:
            case Missing():
                return Image(line=self.line, key=self.key, outcome="missing", reason=answer.near), 0
            case Denied():
                return (
                    Image(line=self.line, key=self.key, outcome="denied", reason=answer.reason),
                    0,
                )
        if self._reader is not None and (answer.etag, answer.size) != (self.etag, self.size):
            return Image(line=self.line, key=self.key, outcome="changed"), 0
        try:
            return None, self._next(answer)
        except StopIteration as done:
            return (
                Image(
                    line=self.line,
                    key=self.key,
                    header=done.value,
                    size=self.size,
                    etag=self.etag,
                ),
                0,
            )

    def _next(self, answer: Fetched) -> int:
        if self._reader is None:
            self.size, self.etag = answer.size, answer.etag
            self._reader = reader(answer.data, size=answer.size)
            return next(self._reader)
        return self._reader.send(answer.data)
