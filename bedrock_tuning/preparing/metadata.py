"""Takes out of an image's file what says who took it and where: EXIF, XMP, IPTC, comments."""

import re
import struct
from collections.abc import Iterator
from typing import Final

from bedrock_tuning.dataset.images.magic import PNG

# What a decoder needs, and colours; everything else may hold names and places.
_CHUNKS: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD pHYs acTL fcTL fdAT".split()
)
# JFIF, ICC profile and Adobe's colour transform; APP0, APP2 and APP14.
_KEPT: Final = {0xE0: b"", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
_COMMENT: Final = 0xFE
_SCAN: Final = 0xDA
# The next marker in image data: no escaped 0xFF, no restart, no fill byte.
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def without_metadata(data: bytes) -> bytes:
    """The same pixels, bit by bit; the same bytes if nothing has to go or is not understood."""
    if data.startswith(PNG):
        parts = _png(data)
    elif data.startswith(b"\xff\xd8\xff"):
        parts = _jpeg(data)
    else:
        return data
    try:
        return b"".join(parts)
    except (struct.error, IndexError, ValueError):
        return data


def _png(data: bytes) -> Iterator[bytes]:
    yield PNG
    at = len(PNG)
    while True:
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ValueError("the file ends inside a chunk")
        if name in _CHUNKS:
            yield data[at:end]
        if name == b"IEND":
            return
        at = end


def _jpeg(data: bytes) -> Iterator[bytes]:
    """Segments up to the end of the image; what is behind it, telephones put there."""
    yield data[:2]
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker = data[at + 1] if at + 1 < len(data) else 0xFF
        if marker == 0xFF:
            at += 1
            if at + 1 >= len(data):
                raise ValueError("the file ends inside a marker")
            continue
        if marker == 0xD9:
            yield data[at : at + 2]
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        segment = data[at:end]
        if marker == _SCAN:
            match = _MARKER.search(data, end)
            if match is None:
                # Cut off, or without its end marker: decoders take it as it is.
                yield data[at:]
                return
            yield data[at : match.start()]
            end = match.start()
        elif marker in _KEPT:
            if segment[4:].startswith(_KEPT[marker]):
                yield segment
        elif not 0xE0 <= marker <= 0xEF and marker != _COMMENT:
            yield segment
        at = end
