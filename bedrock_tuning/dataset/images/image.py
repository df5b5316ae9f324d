"""One image that was looked at, as the rules see it."""

from collections.abc import Mapping
from typing import Final, Literal

from bedrock_tuning.catalogue import ImageLimits
from bedrock_tuning.dataset.images.header import Header
from bedrock_tuning.dataset.images.magic import MATROSKA, MP4, QUICKTIME
from bedrock_tuning.dataset.images.source import extension_of

# What names of files usually end with; other endings say nothing.
ENDINGS: Final[Mapping[str, str]] = {
    "png": "png",
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "jpe": "jpeg",
    "gif": "gif",
    "webp": "webp",
    "bmp": "BMP",
    "tif": "TIFF",
    "tiff": "TIFF",
    "heic": "HEIC",
    "avif": "AVIF",
    "mp4": MP4,
    "m4v": MP4,
    "mov": QUICKTIME,
    "mkv": MATROSKA,
    "webm": MATROSKA,
}

# "" looked at; else why not: no such object, not allowed, overwritten meanwhile, impossible key,
# broken pixels under a sound header (only where images are decoded in full).
Outcome = Literal["", "missing", "denied", "changed", "key", "undecodable"]


class Image:
    """An image: line refers to it, header is None unless bytes were read, size in bytes.

    reason: why it could not be read; of a missing one, a key like it that is there, or "".
    """

    __slots__ = ("etag", "header", "key", "line", "outcome", "reason", "size")

    def __init__(
        self,
        *,
        line: int,
        key: str,
        outcome: Outcome = "",
        reason: str = "",
        header: Header | None = None,
        size: int = 0,
        etag: str = "",
    ) -> None:
        self.line = line
        self.key = key
        self.outcome = outcome
        self.reason = reason
        self.header = header
        self.size = size
        self.etag = etag

    @property
    def sized(self) -> Header | None:
        """The header when it can be believed and tells a size."""
        header = self.header
        if header is None or header.problem or not header.width or not header.height:
            return None
        return header


class ImageProof:
    """Proves that no rule has a word for an image, so that no rule is asked: most images are right.

    It may fail for an image that is right; it never holds for one that a rule would speak of.
    """

    def __init__(self, limits: ImageLimits | None) -> None:
        self._formats = frozenset(limits.formats if limits else ()) & {"png", "jpeg"}
        if limits is not None:
            self._bytes = min(limits.bytes_max, limits.bytes_warn or limits.bytes_max)
            most = limits.pixels_max or 1 << 62
            self._pixels = min(most, limits.pixels_warn or most)
            self._least = limits.side_min or 1
            self._most = limits.side_max or 1 << 31
            self._low = limits.aspect_min or 0.0
            self._high = limits.aspect_max or float("inf")

    def holds(self, image: Image) -> bool:
        """Whether the image is surely right."""
        header = image.header
        if header is None or header.problem or header.format not in self._formats:
            return False
        width, height = header.width, header.height
        if width <= height:
            least, most = width, height
        else:
            least, most = height, width
        return (
            0 < image.size <= self._bytes
            and self._least <= least
            and most <= self._most
            and width * height <= self._pixels
            and self._low * height <= width <= self._high * height
            and header.bits <= 8
            and header.orientation < 5
            and (header.channels in (1, 3) or header.format == "png")
            and not header.animated
            and ENDINGS.get(extension_of(image.key), header.format) == header.format
        )
