"""Format and size of an image from its header: PNG, JPEG, GIF, WebP; a video's length.

Others are known by name only.
"""

import struct
import zlib
from collections.abc import Generator
from typing import Final

import msgspec

from bedrock_tuning.dataset.images.magic import MATROSKA, PNG, VIDEOS, sniff
from bedrock_tuning.dataset.images.video import boxes, ebml

# Bounds the work per image. Portrait photos keep megabytes of depth in hundreds of segments.
SEGMENTS_MAX: Final = 1024
JUNK_BYTES_MAX: Final = 64 << 10
READ_BYTES_MIN: Final = 1 << 10
_JPEG: Final = b"\xff\xd8\xff"
_FRAMES: Final = frozenset({*range(0xC0, 0xD0), 0xDE} - {0xC4, 0xC8, 0xCC})
# Markers without a segment: JPG, RST0-7, SOI, EOI, JPG0-13.
_BARE: Final = frozenset({0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)})
_ORIENTATION: Final = 0x0112
_GPS: Final = 0x8825


class Header(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What an image's header says.

    format: "png", "jpeg", "gif", "webp", or what the bytes are instead ("HTML", "TIFF", …).
    width, height: pixels as stored. bits: per channel. channels: of a JPEG; 4 is CMYK.
    orientation: of EXIF, 1 to 8; 5 to 8 swap the sides. located: EXIF says where it was taken.
    end: bytes that had to be read.
    problem: "" or why it is no image. truncated: the problem is that the file ends too early.
    seconds: length of a video; None where its header does not tell.
    """

    format: str
    width: int = 0
    height: int = 0
    bits: int = 8
    channels: int = 3
    animated: bool = False
    orientation: int = 1
    located: bool = False
    end: int = 0
    problem: str = ""
    truncated: bool = False
    seconds: float | None = None


# Yields the offset from which bytes are needed, is sent those bytes, returns the header.
HeaderParser = Generator[int, bytes, Header]


def reader(data: bytes, *, size: int) -> HeaderParser:
    """Reads a header from the object's first bytes, asking for more only where it must.

    data: from offset 0. size: of the whole object. Bytes sent later start at the offset asked for.
    Each time they are as many as the caller likes, at least READ_BYTES_MIN unless the object ends;
    the header does not depend on how many. Never raises for any bytes, and asks for no more than
    SEGMENTS_MAX segments and JUNK_BYTES_MAX between them.
    """
    if data.startswith(PNG) or (data and PNG.startswith(data)):
        return _png(data, size)
    if data.startswith(_JPEG) or (data and _JPEG.startswith(data)):
        return _jpeg(data, size)
    return _other(data, size)


def header(data: bytes) -> Header:
    """The header of an image that is in memory as a whole."""
    steps = reader(data, size=len(data))
    try:
        at = next(steps)
        while True:
            at = steps.send(data[at : at + (64 << 10)])
    except StopIteration as end:
        result: Header = end.value
        return result


def _cut(format: str, at: int) -> Header:
    return Header(format=format, end=at, problem="the file ends inside its header", truncated=True)


def _png(data: bytes, size: int) -> HeaderParser:
    if size < 33:
        return _cut("png", size)
    length, name = struct.unpack_from(">I4s", data, 8)
    if name != b"IHDR" or length != 13:
        return Header(format="png", end=33, problem="the first chunk is not IHDR")
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    (checksum,) = struct.unpack_from(">I", data, 29)
    if zlib.crc32(data[12:29]) != checksum:
        return Header(format="png", end=33, problem="the checksum of IHDR is wrong")
    if not width or not height:
        return Header(format="png", end=33, problem=f"its size is {width} × {height}")
    animated = located = truncated = False
    problem = ""
    base, at = 0, 33
    for _ in range(SEGMENTS_MAX):
        if at + 12 > size:
            truncated, problem = True, "the file ends before its image data"
            break
        if at + 8 > base + len(data):
            data, base = (yield at), at
            if len(data) < 8:
                truncated, problem = True, "the file ends before its image data"
                break
        length, name = struct.unpack_from(">I4s", data, at - base)
        if name == b"IDAT":
            # The chunk's own checksum and the IEND chunk must still follow.
            if at + 12 + length + 12 > size:
                truncated, problem = True, "the file ends inside its image data"
            break
        if name == b"IEND" or not name.isalnum():
            problem = "a chunk is broken" if name != b"IEND" else "there is no image data"
            break
        animated = animated or name == b"acTL"
        if name == b"eXIf":
            exif_end = min(at + 8 + length, at + READ_BYTES_MIN, size)
            if exif_end > base + len(data):
                data, base = (yield at), at
            located = _exif(data[at + 8 - base : exif_end - base])[1]
        at += 12 + length
    else:
        problem = f"no image data after {SEGMENTS_MAX} chunks"
    return Header(
        format="png",
        width=width,
        height=height,
        bits=bits,
        channels={0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(colour, 0),
        animated=animated,
        located=located,
        end=min(at + 8, size),
        problem=problem,
        truncated=truncated,
    )


def _jpeg(data: bytes, size: int) -> HeaderParser:
    orientation, located = 1, False
    base, at, segments, junk, reach = 0, 2, 0, 0, 0
    while segments < SEGMENTS_MAX and junk < JUNK_BYTES_MAX:
        if at + 4 > size:
            return _cut("jpeg", size)
        pos = at - base
        if pos + 10 > len(data) and base + len(data) < size:
            data, base, pos = (yield at), at, 0
        if pos + 4 > len(data):
            return _cut("jpeg", size)
        if data[pos] != 0xFF or data[pos + 1] == 0xFF:
            # Bytes between segments are no part of the format, and every reader skips them; fill
            # bytes are.
            mark = data.find(b"\xff", pos + 1)
            junk += (mark if mark >= 0 else len(data)) - pos
            at = base + (mark if mark >= 0 else len(data))
            continue
        marker = data[pos + 1]
        segments += 1
        if marker == 0 or marker in _BARE:
            at += 2
        elif marker in _FRAMES:
            frame = _frame(data, pos, at, size, max(reach, at + 10))
            return msgspec.structs.replace(frame, orientation=orientation, located=located)
        elif marker == 0xDA or marker < 0xC0:
            reason = "no frame header before the image data" if marker == 0xDA else "no marker"
            return Header(format="jpeg", end=at, problem=reason)
        else:
            length = max(2, int.from_bytes(data[pos + 2 : pos + 4]))
            if marker == 0xE1 and data[pos + 4 : pos + 10] == b"Exif\0\0":
                # What we need is in the first directory, which all cameras write at the beginning.
                reach = min(at + 2 + length, at + READ_BYTES_MIN, size)
                if reach > base + len(data):
                    data, base, pos = (yield at), at, 0
                orientation, located = _exif(data[pos + 10 : reach - base])
            at += 2 + length
    return Header(format="jpeg", problem="no frame header after many segments")


def _frame(data: bytes, pos: int, at: int, size: int, end: int) -> Header:
    if pos + 10 > len(data):
        return _cut("jpeg", size)
    length, bits, height, width, channels = struct.unpack_from(">HBHHB", data, pos + 2)
    truncated = at + 2 + length + 2 > size
    problem = "the file ends before its image data" if truncated else ""
    if not width or not height:
        problem = f"its size is {width} × {height}"
    return Header(
        format="jpeg",
        width=width,
        height=height,
        bits=bits,
        channels=channels,
        end=end,
        problem=problem,
        truncated=truncated,
    )


def _exif(tiff: bytes) -> tuple[int, bool]:
    """Orientation, 1 where none is given or it makes no sense; whether there is a place."""
    orientation, located = 1, False
    mark = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if mark is None or len(tiff) < 10:
        return orientation, located
    (offset,) = struct.unpack_from(f"{mark}I", tiff, 4)
    if offset + 2 > len(tiff):
        return orientation, located
    (count,) = struct.unpack_from(f"{mark}H", tiff, offset)
    start = offset + 2
    for entry in range(start, min(start + 12 * count, len(tiff) - 11), 12):
        tag, kind, _, value = struct.unpack_from(f"{mark}HHIH", tiff, entry)
        if tag == _ORIENTATION and kind == 3 and 1 <= value <= 8:
            orientation = value
        located = located or tag == _GPS
    return orientation, located


def _other(data: bytes, size: int) -> HeaderParser:
    format = sniff(data)
    if format in VIDEOS:
        length = yield from (ebml if format == MATROSKA else boxes)(data, size)
        return Header(format=format, **length._asdict())
    if format == "gif":
        if size < 10:
            return _cut(format, size)
        width, height = struct.unpack_from("<HH", data, 6)
        return Header(format=format, width=width, height=height, end=10)
    if format == "webp":
        return _webp(data, size)
    return Header(format=format, end=min(size, 32))


def _webp(data: bytes, size: int) -> Header:
    if len(data) < 30:
        return _cut("webp", size)
    animated = False
    match data[12:16]:
        case b"VP8X":
            animated = bool(data[20] & 2)
            width = 1 + int.from_bytes(data[24:27], "little")
            height = 1 + int.from_bytes(data[27:30], "little")
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
        case _:
            return Header(format="webp", end=30, problem="the first chunk is unknown")
    return Header(format="webp", width=width, height=height, animated=animated, end=30)
