"""One check of a dataset from here: its manifests, its images as far as they can be reached."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import msgspec

from bedrock_tuning.checking import DatasetScope, ImageRef, ManifestCheck, check_images
from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.result import CheckResult, merge
from bedrock_tuning.dataset.dataset import Requirements
from bedrock_tuning.dataset.images.source import ByteRange, FetchResult, ImageSource
from bedrock_tuning.progress import Meter, silent
from bedrock_tuning.report.report import Report
from bedrock_tuning.rules.finding import FINDINGS_PER_RULE, Finding, Findings, Heard
from bedrock_tuning.s3_layout import Kind
from bedrock_tuning.sources.manifests import Manifest
from bedrock_tuning.validating.decode import Decoder

# Images between two updates of a long check; the checker learns anew in each of these.
_SLICE: Final = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What one manifest is checked against, and where its images are read: None if nowhere.

    waived: on request; otherwise a finding says that they were not checked.
    """

    subject: DatasetScope
    source: ImageSource | None
    waived: bool = False


# Decides from a manifest's first bytes.
Locate = Callable[[Kind, Manifest, bytes], Reach]


@dataclass(kw_only=True)
class DatasetCheck:
    """The check of up to two manifests.

    bad: lines with an error, by kind. reached: by kind, once its manifest is checked.
    job_region: the AWS Region in which the job would run; "" if unknown.
    """

    terms: Requirements
    locate: Locate
    listener: Callable[[Finding], None] | None = None
    findings_per_rule: int = FINDINGS_PER_RULE
    meter: Meter = silent
    decoder: Decoder | None = None
    job_region: str = ""
    bad: dict[str, set[int]] = field(default_factory=dict)
    reached: dict[Kind, Reach] = field(default_factory=dict)
    _partials: list[CheckResult] = field(default_factory=list)

    def run(self, manifests: dict[Kind, Manifest]) -> Report:
        """Checks every manifest; raises SourceError or UserError when bytes cannot be read."""
        # Where all images are must be known before the first is read: that is how copies are found.
        opened = [(kind, manifest, manifest.chunks()) for kind, manifest in manifests.items()]
        firsts = [next(chunks, b"") for _, _, chunks in opened]
        reaches = [
            self.locate(kind, manifest, first)
            for (kind, manifest, _), first in zip(opened, firsts, strict=True)
        ]
        for (_, manifest, chunks), first, reach in zip(opened, firsts, reaches, strict=True):
            self._manifest(manifest, reach, chain([first], chunks))
        merged = merge(self._partials)
        return conclude(merged, self.terms, self._heard, job_region=self.job_region)

    @property
    def _heard(self) -> Heard:
        return Heard(self.listener, self._mark, self.findings_per_rule)

    def _mark(self, kind: str, line: int) -> None:
        self.bad.setdefault(kind, set()).add(line)

    def _manifest(self, manifest: Manifest, reach: Reach, chunks: Iterable[bytes]) -> None:
        kind = reach.subject.kind
        self.reached[kind] = reach
        check = ManifestCheck(reach.subject, self._heard)
        unseen = 0
        waiting = done = told = 0
        # Where each record has its image, images are what takes the time.
        by_image = reach.source is not None and reach.subject.contract.format == "image-caption"
        unit = "images" if by_image else "records"
        with self.meter(f"checking the {kind} manifest", unit) as progress:

            def tell(reached: float, *, images: int = 0) -> None:
                """How many bytes of the manifest are done with."""
                nonlocal told
                count = images if by_image else check.lines - told
                told = check.lines
                progress.update(share=reached / max(1, manifest.size), count=count)

            def look(refs: Sequence[ImageRef], *, span: int) -> int:
                """Checks images that stand for so many bytes of the manifest."""
                if reach.source is None:
                    tell(done + span)
                    return len(refs)
                ticks = 0

                def tick(count: int) -> None:
                    nonlocal ticks
                    ticks += count
                    tell(done + span * min(1.0, ticks / len(refs)), images=count)

                for start in range(0, len(refs), _SLICE):
                    self._images(refs[start : start + _SLICE], reach, reach.source, tick)
                return 0

            for chunk in chunks:
                waiting += len(chunk)
                refs = check.feed(chunk)
                if len(refs):
                    unseen += look(refs, span=waiting)
                    done, waiting = done + waiting, 0
                else:
                    tell(done + waiting)
            refs, partial = check.finish()
            unseen += look(refs, span=waiting)
        if unseen and not reach.waived:
            partial.text_stats[kind] = msgspec.structs.replace(
                partial.text_stats[kind], unseen=unseen
            )
        self._partials.append(partial)

    def _images(
        self,
        refs: Sequence[ImageRef],
        reach: Reach,
        source: ImageSource,
        tick: Callable[[int], None],
    ) -> None:
        if not refs:
            return
        subject = reach.subject
        counted = _Counted(source, (lambda _: None) if self.decoder else tick)
        self._partials.append(check_images(refs, counted, subject, self._heard))
        bad = self.bad.get(subject.kind, set())
        if self.decoder is not None:
            sound = [ref for ref in refs if ref.line not in bad]
            tick(len(refs) - len(sound))
            findings = Findings(subject.overrides, self._heard)
            self._partials.append(
                self.decoder.check(sound, source, subject, findings=findings, tick=tick)
            )


class _Counted:
    """An image source that counts the images whose first bytes it read."""

    def __init__(self, source: ImageSource, tick: Callable[[int], None]) -> None:
        self._source = source
        self._tick = tick

    def fetch(self, ranges: Sequence[ByteRange]) -> Sequence[FetchResult]:
        answers = self._source.fetch(ranges)
        self._tick(sum(not wanted.start for wanted in ranges))
        return answers
