"""Headers of every shape, cut and damaged anywhere; `python -m tests.dataset.headers` writes what
is read of them into headers.txt.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from bedrock_tuning.dataset.images.header import (
    JUNK_BYTES_MAX,
    READ_BYTES_MIN,
    SEGMENTS_MAX,
    Header,
    reader,
)
from bedrock_tuning.dataset.images.magic import _BRANDS, _MAGIC, _MARKUP
from bedrock_tuning.dataset.images.video import BOXES_MAX
from tests.support.videos import box, element, matroska, mp4, mvhd

HEADERS: Final = Path(__file__).with_name("headers.txt")
_USUAL: Final = msgspec.structs.asdict(Header(format=""))


def chunk(name: bytes, body: bytes = b"") -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I4s", len(body), name) + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    *chunks: bytes, sides: tuple[int, int] = (300, 20), bits: int = 8, colour: int = 2
) -> bytes:
    """A PNG whose picture is ten zero bytes."""
    form = struct.pack(">IIBBBBB", *sides, bits, colour, 0, 0, 0)
    body = (chunk(b"IHDR", form), *chunks, chunk(b"IDAT", bytes(10)), chunk(b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def frame(sides: tuple[int, int] = (300, 20), *, bits: int = 8, channels: int = 3) -> bytes:
    """What the segment of a frame holds."""
    return struct.pack(">BHHB", bits, sides[1], sides[0], channels) + bytes(3 * channels)


def jpeg(*segments: bytes, body: bytes | None = None) -> bytes:
    """A JPEG whose picture is ten zero bytes."""
    return b"".join(
        (b"\xff\xd8", *segments, segment(0xC0, body or frame()), b"\xff\xda", bytes(10))
    )


def exif(
    *entries: tuple[int, int, int], order: str = ">", offset: int = 8, count: int = -1
) -> bytes:
    """A directory of (tag, type, value)."""
    number = len(entries) if count < 0 else count
    head = (b"MM" if order == ">" else b"II") + struct.pack(f"{order}HI", 42, offset)
    rows = (struct.pack(f"{order}HHIHH", tag, kind, 1, value, 0) for tag, kind, value in entries)
    return head + bytes(offset - 8) + struct.pack(f"{order}H", number) + b"".join(rows)


def webp(name: bytes, body: bytes) -> bytes:
    """A WebP whose first chunk is this."""
    return b"RIFF\x40\0\0\0WEBP" + name + struct.pack("<I", len(body)) + body


_TURNED, _PLACE = (0x0112, 3, 6), (0x8825, 4, 26)
_EXIFS: Final[dict[str, bytes]] = {
    "turned": exif(_TURNED),
    "turned, Intel": exif(_TURNED, order="<"),
    "a place": exif(_PLACE),
    "a place behind others": exif((1, 3, 9), _TURNED, _PLACE, (2, 3, 7)),
    "a place before others": exif(_PLACE, (0x0113, 3, 3)),
    "no turn of type 4": exif((0x0112, 4, 6)),
    **{f"turn {value}": exif((0x0112, 3, value)) for value in (0, 1, 8, 9)},
    "two turns": exif((0x0112, 3, 3), _TURNED),
    "far away": exif(_TURNED, offset=600),
    "behind what is read": exif(_TURNED, offset=2_000),
    "more entries than there are": exif(_TURNED, count=9),
    "fewer entries than there are": exif((1, 3, 1), _TURNED, count=1),
    "no entries": exif(),
    "another order": b"XX" + exif(_TURNED)[2:],
}
_INFO, _SEGMENT, _CLUSTER = 0x1549A966, 0x18538067, 0x1F43B675


def _info(*parts: bytes) -> bytes:
    kind = element(0x1A45DFA3, element(0x4282, b"webm", width=1), width=1)
    return kind + element(_SEGMENT, element(_INFO, b"".join(parts)), width=8)


_SECONDS: Final = element(0x4489, struct.pack(">d", 7_500.0), width=1)


def files() -> Iterator[tuple[str, bytes]]:
    """Whole files by what is peculiar about them."""
    yield "png", png()
    for colour in range(8):
        yield f"png of color type {colour}", png(colour=colour, bits=16 if colour % 2 else 1)
    yield from ((f"png of {sides}", png(sides=sides)) for sides in ((0, 1), (1, 0), (1, 1)))
    for number in (SEGMENTS_MAX - 2, SEGMENTS_MAX - 1, SEGMENTS_MAX):
        yield f"png with {number} chunks before its picture", png(*[chunk(b"teXt")] * number)
    yield "moving png", png(chunk(b"acTL", bytes(8)))
    yield "png with a chunk of 5,000 bytes", png(chunk(b"iCCP", bytes(5_000)))
    yield "png with a chunk of a wrong name", png(chunk(b"te-t"))
    yield "png without a picture", png(chunk(b"IEND"))
    yield from ((f"png, EXIF: {name}", png(chunk(b"eXIf", data))) for name, data in _EXIFS.items())
    yield (
        "png, EXIF behind 990 bytes",
        png(chunk(b"teXt", bytes(940)), chunk(b"eXIf", exif(_PLACE))),
    )
    yield "png that begins with another chunk", png()[:8] + chunk(b"IDAT", bytes(13)) + png()[33:]
    yield "png whose first chunk is longer", png()[:8] + chunk(b"IHDR", bytes(14)) + png()[33:]
    yield "jpeg", jpeg()
    for channels in (1, 4):
        yield f"jpeg of {channels} channels", jpeg(body=frame(channels=channels, bits=12))
    yield from ((f"jpeg of {sides}", jpeg(body=frame(sides))) for sides in ((0, 1), (1, 0)))
    for name, data in _EXIFS.items():
        yield f"jpeg, EXIF: {name}", jpeg(segment(0xE1, b"Exif\0\0" + data))
    yield "jpeg, EXIF of another kind", jpeg(segment(0xE1, b"http:/" + exif(_TURNED)))
    yield "jpeg, EXIF in another segment", jpeg(segment(0xE2, b"Exif\0\0" + exif(_TURNED)))
    late = segment(0xE2, bytes(970)), segment(0xE1, b"Exif\0\0" + exif((1, 3, 1), _TURNED))
    yield "jpeg, EXIF behind 970 bytes", jpeg(*late)
    long = segment(0xE1, b"Exif\0\0" + exif(_TURNED) + bytes(3_000))
    yield "jpeg, a long EXIF", jpeg(long, segment(0xE2, bytes(9)))
    for number in (SEGMENTS_MAX - 1, SEGMENTS_MAX):
        yield f"jpeg with {number} segments before its frame", jpeg(*[segment(0xE2, b"")] * number)
    for number in (JUNK_BYTES_MAX - 1, JUNK_BYTES_MAX):
        yield f"jpeg with {number:,} bytes of junk", jpeg(segment(0xE2, b""), b"x" * number)
    yield "jpeg with fill bytes", jpeg(segment(0xE2, b""), b"\xff" * 9)
    for number in range(4):
        yield f"jpeg with a segment that says {number}", jpeg(struct.pack(">HH", 0xFFE2, number))
    yield "gif", b"GIF89a" + struct.pack("<HH", 300, 20) + bytes(30)
    yield "webp, lossy", webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 300, 0xC014))
    packed = (299 | 19 << 14 | 1 << 28).to_bytes(4, "little")
    yield "webp, lossless", webp(b"VP8L", b"\x2f" + packed + bytes(9))
    for flags in (0, 1, 2, 0xFF):
        sides = (299).to_bytes(3, "little") + (19).to_bytes(3, "little")
        yield f"webp, extended, flags {flags}", webp(b"VP8X", bytes((flags, 0, 0, 0)) + sides)
    yield "webp of another kind", webp(b"ALPH", bytes(20))
    yield "mp4", mp4(data=20)
    yield "mp4, length behind the data", mp4(data=20, front=False)
    yield "mp4, length behind 5,000 bytes", mp4(data=5_000, front=False)
    for duration, scale, version in (
        *((10_000, 1_000, 1), (0, 1_000, 0), (0, 1_000, 1), (5, 0, 0), (0xFFFFFFFF, 1_000, 0)),
        *((0xFFFFFFFE, 1_000, 0), (0xFFFFFFFF, 1_000, 1), ((1 << 64) - 1, 1_000, 1)),
    ):
        length = mvhd(duration, scale=scale, version=version)
        yield (
            f"mp4 of {duration} / {scale}, {version}",
            box(b"ftyp", b"isom") + box(b"moov", length),
        )
    short = box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd", bytes(12), b"\0\0\0\1\0\0\0\7"))
    yield "mp4 whose length is too short a box", short
    for large in (False, True):
        parts = box(b"free", b"x" * 9, large=large), box(b"moov", mvhd(10_000), large=large)
        yield f"mp4 with boxes of 64 bits: {large}", box(b"ftyp", b"isom") + b"".join(parts)
    rest = struct.pack(">I4s", 0, b"mdat") + bytes(40)
    yield "mp4 with a box up to the end", box(b"ftyp", b"isom") + rest
    for size in (2, 7, 8, 9):
        bad = struct.pack(">I4s", size, b"free") + bytes(40)
        yield f"mp4 with a box of {size} bytes", box(b"ftyp", b"isom") + bad
    bad = struct.pack(">I4sQ", 1, b"free", 15) + bytes(40)
    yield "mp4 with a broken large box", box(b"ftyp", b"isom") + bad
    yield "mp4 cut inside of a box with an odd name", box(b"ftyp", b"isom") + b"\0\0\1\0\0\1\2\3abc"
    for number in (BOXES_MAX - 4, BOXES_MAX - 3, BOXES_MAX - 2, BOXES_MAX - 1):
        many = box(b"free") * number
        yield f"mp4 with {number} more boxes", box(b"ftyp", b"isom") + many + box(b"moov", mvhd(9))
    yield "webm", matroska()
    yield "webm, live", matroska(open_end=True)
    yield "mkv of single precision", matroska(single=True)
    yield "mkv of another scale", matroska(scale=100_000)
    yield "mkv without a scale", _info(_SECONDS)
    yield "mkv with its scale behind", _info(_SECONDS, element(0x2AD7B1, b"\x01\0", width=1))
    yield "mkv of a length in 3 bytes", _info(element(0x4489, b"abc", width=1))
    yield "mkv of a negative length", _info(element(0x4489, struct.pack(">d", -1.0), width=1))
    yield "mkv of an endless length", _info(element(0x4489, struct.pack(">d", float("inf"))))
    yield "mkv with two infos", _info(_SECONDS) + element(_INFO, element(0x4489, bytes(8)))
    for width in (2, 3, 5, 6, 7, 8):
        yield (
            f"mkv with a number of {width} bytes",
            _info(element(0xEC, b"xyz", width=width), _SECONDS),
        )
    yield "mkv whose data stand before its info", _info()[:-5] + element(_CLUSTER, b"x") + _SECONDS
    yield "mkv with an element of open length", _info(element(0xEC, b"", width=0), _SECONDS)
    yield "mkv with a broken element", _info(b"\0" * 20, _SECONDS)
    for number in (BOXES_MAX - 5, BOXES_MAX - 4, BOXES_MAX - 3, BOXES_MAX - 2):
        yield f"mkv with {number} more elements", _info(*[element(0xEC, b"")] * number, _SECONDS)
    for magic, _ in (*_MAGIC, *_MARKUP, *_BRANDS.items()):
        known = b"\0\0\0\x20ftyp" + magic if magic in _BRANDS else magic
        yield str(known)[1:], known + b" 12345678901234567890123456789012"
    for data in (
        *(b"", b"\0\0\0\x20moov", b"\0\0\0\x20mdat", b"\0\0\0\x20wide", b"\0\0\0\x20ftypisom"),
        *(b"\xef\xbb\xbf <HTML>", b"words\tand\n\rlines", b"a\x0b", b"a\x1f", b"\xff\xfe", b"\x7f"),
        *(b"RIFF\0\0\0\0WAVE" + bytes(20), b"RIFX\0\0\0\0WEBP" + bytes(20)),
        *(b"x" * 511 + "é".encode(), b"x" * 511 + b"\0", b"x" * 512 + b"\0", b"x\xffx" * 9),
        *(b" " * 60 + b"<svg>", b" " * 61 + b"<svg>", b"\x89PN", b"\xff\xd8"),
    ):
        yield f"{str(data[:20])[1:]} of {len(data)} bytes", data


# Of these every length and every damaged byte is read.
_SMALL: Final = (
    *("png", "png, EXIF: turned", "jpeg", "jpeg, EXIF: a place behind others", "gif"),
    *("webp, lossy", "webp, lossless", "webp, extended, flags 2", "mp4", "mkv without a scale"),
)


def read(data: bytes, *, window: int, size: int | None = None) -> str:
    """What is read of a header in windows of so many bytes, and from where."""
    steps = reader(data[:window], size=len(data) if size is None else size)
    asked: list[int] = []
    try:
        at = next(steps)
        while True:
            asked.append(at)
            at = steps.send(data[at : at + window])
    except StopIteration as done:
        found: dict[str, Any] = msgspec.structs.asdict(done.value)
        told = [f"{name} {value}" for name, value in found.items() if value != _USUAL[name]]
        return ", ".join(told) + (f"; asked from {asked}" if asked else "")


def runs(found: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Equal results of neighbours in one line."""
    first, last, told = 0, -1, ""
    for number, text in found:
        if text != told or number != last + 1:
            if last >= first:
                yield f"  {first}–{last}: {told}"
            first, told = number, text
        last = number
    yield f"  {first}–{last}: {told}"


def written() -> str:
    """What is read of all headers."""
    lines: list[str] = []
    named = dict(files())
    for name, data in named.items():
        whole, pieces = read(data, window=1 << 20), read(data, window=READ_BYTES_MIN)
        lines += [name, f"  {whole}", *([f"  in pieces: {pieces}"] if pieces != whole else [])]
    for name in _SMALL:
        data = named[name]
        lines.append(f"{name}, cut to so many bytes")
        lines += runs((n, read(data[:n], window=1 << 20)) for n in range(len(data)))
        for value in (0, 0xFF):
            lines.append(f"{name}, the byte at this place is {value}")
            damaged = (
                (n, data[:n] + bytes((value,)) + data[n + 1 :]) for n in range(min(len(data), 200))
            )
            lines += runs((n, read(each, window=1 << 20)) for n, each in damaged)
    lines.append("jpeg with this marker before its frame")
    marked = (
        (n, jpeg(bytes((0xFF, n)) + struct.pack(">H", 11) + frame((7, 7), channels=1)))
        for n in range(256)
    )
    lines += runs((n, read(each, window=1 << 20)) for n, each in marked)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    HEADERS.write_text(written(), "utf-8")
