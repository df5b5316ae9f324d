"""One image that was checked, as the rules see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bedrock_tuning.dataset.images.header import Header
from bedrock_tuning.dataset.images.magic import MATROSKA, MP4, QUICKTIME

# Formats by file name extension; other extensions tell nothing.
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

# "": its header was read. Otherwise: no such object, access denied, overwritten during the check,
# key too long, or broken pixels behind a valid header (only if images are decoded in full).
FetchOutcome = Literal["", "missing", "denied", "changed", "key", "undecodable"]


@dataclass(slots=True, eq=False, kw_only=True)
class Image:
    """An image: the line that refers to it, its key, header (None if not read), size in bytes.

    reason: why it could not be read. Of a missing image: a similar key that exists, or "".
    """

    line: int
    key: str
    outcome: FetchOutcome = ""
    reason: str = ""
    header: Header | None = None
    size: int = 0
    etag: str = ""
    text: int = 0

    @property
    def sized(self) -> Header | None:
        """The header, if it is valid and states a size."""
        header = self.header
        if header is None or header.problem or not header.width or not header.height:
            return None
        return header
