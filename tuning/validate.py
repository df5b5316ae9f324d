"""The checks themselves: a manifest from a stream of bytes, and images from a source."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Final

from tuning.finding import Findings, Listener, finding
from tuning.imagecheck import check_images
from tuning.manifest import LINE_BYTES_MAX, Line
from tuning.partial import Partial, TextStats, bucket
from tuning.record import Record
from tuning.references import folder_of, locate
from tuning.rules import LINE_RULES, RECORD_RULES
from tuning.rules.crash import run
from tuning.subject import ImageRef, Subject

__all__ = ["ImageRef", "ManifestCheck", "Subject", "check_images"]

_OUTSIDE_KEPT: Final = 20
_LEFT_BEHIND: Final = frozenset({"bucket", "folder"})


class ManifestCheck:
    """Checks one manifest as its bytes arrive; memory does not grow with the manifest.

    feed chunks of any size in order, then finish. The result does not depend on how the bytes were
    cut. on_finding receives every finding; the Partial keeps the first ones and exact counts.
    """

    def __init__(
        self, subject: Subject, on_finding: Listener | None = None, *, digest: bool = True
    ) -> None:
        self._subject = subject
        self._findings = Findings(overrides=subject.overrides, listener=on_finding)
        self._stats = TextStats()
        self._lengths: dict[str, Counter[int]] = {}
        self._digest = hashlib.sha256() if digest else None
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._told: set[str] = set()

    def feed(self, chunk: bytes) -> list[ImageRef]:
        """Takes the next bytes; returns the images that records completed by them refer to."""
        self._stats.size += len(chunk)
        if self._digest is not None:
            self._digest.update(chunk)
        refs: list[ImageRef] = []
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._wait(chunk[start:end])
            refs += self._line()
            start = end + 1
        self._wait(chunk[start:])
        return refs

    def finish(self) -> tuple[list[ImageRef], Partial]:
        """The images of a last line without newline, and the result."""
        refs = self._line() if self._waiting_bytes else []
        if self._digest is not None:
            self._stats.sha256 = self._digest.hexdigest()
        for name, lengths in sorted(self._lengths.items()):
            rounded: Counter[int] = Counter()
            for length, count in lengths.items():
                rounded[bucket(length)] += count
            self._stats.lengths[name] = dict(sorted(rounded.items()))
        partial = Partial(
            counts=dict(sorted(self._findings.counts.items())),
            findings=self._findings.kept(),
            text_stats={self._subject.kind: self._stats},
        )
        return refs, partial

    def _wait(self, piece: bytes) -> None:
        self._waiting_bytes += len(piece)
        if self._waiting_bytes > LINE_BYTES_MAX:
            self._waiting.clear()
        elif piece:
            self._waiting.append(piece)

    def _line(self) -> list[ImageRef]:
        self._stats.lines += 1
        line = Line(
            number=self._stats.lines, data=b"".join(self._waiting), length=self._waiting_bytes
        )
        self._waiting.clear()
        self._waiting_bytes = 0
        for rule, fault in run(LINE_RULES, line, self._subject):
            if rule.once and rule.id in self._told:
                continue
            self._told.add(rule.id)
            self._findings.add(finding(rule, fault, kind=self._subject.kind, line=line.number))
        if line.blank:
            return []
        self._stats.records += 1
        if line.too_long or not isinstance(line.parsed.value, dict):
            return []
        return self._record(
            Record(line=line.number, value=line.parsed.value, format=self._subject.contract.format)
        )

    def _record(self, record: Record) -> list[ImageRef]:
        for rule, fault in run(RECORD_RULES, record, self._subject):
            self._findings.add(finding(rule, fault, kind=self._subject.kind, line=record.line))
        for name, text in record.texts:
            self._lengths.setdefault(name, Counter())[len(text)] += 1
        caption = record.text("caption")
        if caption is not None:
            if not caption.strip():
                self._stats.empty["caption"] = self._stats.empty.get("caption", 0) + 1
            self._stats.captions.add({caption: 1})
        return list(self._refs(record))

    def _refs(self, record: Record) -> Iterable[ImageRef]:
        ref = record.text("image-ref")
        if ref is None:
            return
        place = locate(ref, self._subject)
        if not place.problem:
            yield ImageRef(line=record.line, key=place.key)
        elif place.problem in _LEFT_BEHIND:
            outside = self._stats.outside
            folder = folder_of(ref)
            outside[folder] = outside.get(folder, 0) + 1
            if len(outside) > _OUTSIDE_KEPT:
                del outside[max(outside)]
