"""The reader of image headers, and the check of images, under any bytes."""

import io
import warnings
from collections.abc import Sequence
from typing import Final

from PIL import Image

from bedrock_tuning.checking import check_images
from bedrock_tuning.dataset.images.header import (
    JUNK_BYTES_MAX,
    READ_BYTES_MIN,
    SEGMENTS_MAX,
    Header,
    reader,
)
from bedrock_tuning.dataset.images.source import ByteRange, Fetched, FetchResult
from bedrock_tuning.dataset.scope import ImageRef
from tools.fuzz.demand import demand, effort
from tools.fuzz.manifest import subject

_WINDOWS: Final = (READ_BYTES_MIN, 1_500, 16 << 10, 64 << 10)
_NAMES: Final = ("1.png", "1.jpg", "1.webp", "1")
# A step reads on behind a segment, or behind the junk of one window.
_STEPS: Final = SEGMENTS_MAX + JUNK_BYTES_MAX // READ_BYTES_MIN + 8
# Decoding more would be the slowest part.
_PIXELS: Final = 1 << 14
_CALLS: Final = 2_000
_CALLS_PER_STEP: Final = 20


def check_image(data: bytes) -> None:
    """Demands all promises of one input: byte 0 chooses the file's name and how it is read."""
    if not data:
        return
    chosen, content = data[0], data[1:]
    whole, _ = _read(content, window=len(content) + READ_BYTES_MIN)
    (part, steps), calls = effort(lambda: _read(content, window=_WINDOWS[chosen % len(_WINDOWS)]))
    demand(part == whole, "the header does not depend on reads", part, whole)
    demand(steps <= _STEPS, "reads are bounded", steps)
    demand(calls <= _CALLS + _CALLS_PER_STEP * steps, "work is bounded", calls, steps)
    demand(0 <= whole.end <= max(len(content), 33), "nothing behind the end is needed", whole)
    if not whole.problem and whole.format in ("png", "jpeg"):
        demand(whole.width > 0 < whole.height, "a sound image has a size", whole)
    _demand_pillow(content, whole)
    _demand_check(content, _NAMES[chosen // len(_WINDOWS) % len(_NAMES)])


def _read(content: bytes, *, window: int) -> tuple[Header, int]:
    steps, least = 1, -1
    reading = reader(content[:window], size=len(content))
    try:
        at = next(reading)
        while True:
            demand(least < at <= len(content), "reading goes forward", least, at)
            steps, least = steps + 1, at
            at = reading.send(content[at : at + window])
    except StopIteration as done:
        found: Header = done.value
        return found, steps


def _demand_pillow(content: bytes, found: Header) -> None:
    """What Pillow opens has the same format and size here; what it decodes has no problem here."""
    seen = _pillow(content)
    if seen is None:
        return
    image, decodes = seen
    # Pillow does without the end of a file as long as all pixels are there.
    if decodes and not found.truncated:
        demand(not found.problem, "what Pillow decodes is sound", found, image)
    if not found.problem:
        ours = (found.format, found.width, found.height)
        demand(ours == image, "Pillow sees the same", ours, image)


def _pillow(content: bytes) -> tuple[tuple[str, int, int], bool] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Pillow raises whatever comes to its plugins' minds.
        try:
            image = Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "MPO"))
        except Exception:
            return None
        if len(getattr(image, "layer", ())) > getattr(image, "layers", 0):
            # A second frame header: no decoder takes it, and Pillow keeps the last one.
            return None
        format = "jpeg" if image.format == "MPO" else str(image.format).lower()
        size = (format, image.width, image.height)
        try:
            if image.width * image.height <= _PIXELS:
                image.load()
                return size, True
        except Exception:
            return size, False
        return size, False


class _One:
    """A source of one object."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.asked: list[ByteRange] = []

    def fetch(self, ranges: Sequence[ByteRange]) -> list[FetchResult]:
        """One answer per range."""
        self.asked += ranges
        return [
            Fetched(
                data=self._content[each.start : each.start + each.length],
                size=len(self._content),
                etag="0",
            )
            for each in ranges
        ]


def _demand_check(content: bytes, name: str) -> None:
    source = _One(content)
    partial = check_images([ImageRef(1, f"folder/{name}")], source, subject(0))
    demand("X001" not in partial.counts, "no rule fails", partial.findings.get("X001"))
    demand(partial.images("training") == 1, "the image is counted", partial)
    demand(len(source.asked) <= _STEPS, "requests are bounded", len(source.asked))
    longest = max(each.length for each in source.asked)
    demand(longest <= 64 << 10, "a request is small", longest)
