"""Decodes every image in full with Pillow, for `tuning validate --deep`."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Final

from bedrock_tuning.checking import DatasetScope, ImageRef
from bedrock_tuning.checking.result import CheckResult
from bedrock_tuning.dataset.images.image import Image
from bedrock_tuning.dataset.images.magic import VIDEOS, sniff
from bedrock_tuning.dataset.images.source import ByteRange, Fetched, ImageSource
from bedrock_tuning.errors import UserError
from bedrock_tuning.rules.finding import Findings
from bedrock_tuning.rules.image import image_does_not_decode
from bedrock_tuning.rules.rule import run_rules
from bedrock_tuning.sources.pictures import picture

# Whole files are in memory, so few at a time.
_BATCH: Final = 16
_BYTES_MAX: Final = 1 << 28


class Decoder:
    """Decodes whole images; raises UserError where Pillow is not installed."""

    def __init__(self) -> None:
        if find_spec("PIL") is None:
            raise UserError(
                "--deep needs Pillow, which is not installed",
                fix="pip install 'bedrock-tuning[images]'",
            )
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="decode")

    def check(
        self,
        refs: Sequence[ImageRef],
        source: ImageSource,
        subject: DatasetScope,
        *,
        findings: Findings,
        tick: Callable[[int], None],
    ) -> CheckResult:
        """Adds findings of images that do not decode; refs: of images with a valid header."""
        for start in range(0, len(refs), _BATCH):
            batch = refs[start : start + _BATCH]
            answers = source.fetch([ByteRange(ref.key, 0, _BYTES_MAX) for ref in batch])
            problems = self._pool.map(_problem, answers)
            for ref, problem in zip(batch, problems, strict=True):
                image = Image(
                    line=ref.line,
                    key=ref.key,
                    outcome="undecodable" if problem else "",
                    reason=problem,
                )
                for rule, fault in run_rules([image_does_not_decode], image, subject):
                    findings.add(rule, fault, kind=subject.kind, line=ref.line, key=ref.key)
            tick(len(batch))
        return CheckResult(counts=dict(sorted(findings.counts.items())), findings=findings.kept())


def _problem(answer: object) -> str:
    """Why an image does not decode; "" if it does."""
    import PIL.Image

    if not isinstance(answer, Fetched):
        return "it can no longer be read"
    if sniff(answer.data) in VIDEOS:
        # Pillow decodes images only; other rules check whether the model takes videos.
        return ""
    try:
        # Pixels without measure are a finding of another rule; here they must not eat the memory.
        with picture(answer.data) as image:
            image.load()
    except PIL.UnidentifiedImageError:
        # Its own message names an object of Python.
        return "Pillow does not recognize it"
    except Exception as error:
        # Decoders of broken data raise whatever they like; each is the answer that we wanted.
        return " ".join(str(error).split()) or type(error).__name__
    return ""
