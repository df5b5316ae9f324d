"""Length of a video from its header: MP4 and QuickTime (boxes), Matroska and WebM (EBML)."""

import struct
from collections.abc import Generator
from typing import Final, NamedTuple

# Bounds the requests per video: a file has few boxes beside its data, and most are near the front.
BOXES_MAX: Final = 64
# Bytes that hold the name and length of a box, and bytes that are read of its content.
_HEAD: Final = 16
_CONTENT: Final = 32
_EBML, _SEGMENT, _INFO, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1F43B675
_SCALE, _DURATION = 0x2AD7B1, 0x4489
_NANOSECONDS: Final = 1_000_000_000
_SCALE_DEFAULT: Final = 1_000_000


class Length(NamedTuple):
    """seconds: None where the header does not tell. end: bytes that had to be read.

    problem: why the file cannot be a whole video. truncated: because it ends too early.
    """

    seconds: float | None
    end: int
    problem: str = ""
    truncated: bool = False


# Yields the offset from which bytes are needed, is sent those bytes, returns the length.
Steps = Generator[int, bytes, Length]


class _Window:
    """The bytes at hand: data from offset base, of a file of so many bytes."""

    def __init__(self, data: bytes, size: int) -> None:
        self.data, self.base, self.size = data, 0, size

    def at(self, start: int, count: int) -> Generator[int, bytes, bytes]:
        """Up to count bytes from start, fetched if they are not at hand; fewer at the end."""
        count = min(count, max(0, self.size - start))
        is_inside = self.base <= start and start + count <= self.base + len(self.data)
        if count and not is_inside:
            self.data, self.base = (yield start), start
        return self.data[start - self.base : start - self.base + count]


def boxes(data: bytes, size: int) -> Steps:
    """Length of an MP4 or QuickTime file: `mvhd` inside `moov`, which may stand behind the data.

    Streams cut into fragments may leave it open; then the length is not known.
    """
    window, at = _Window(data, size), 0
    for _ in range(BOXES_MAX):
        if at == size:
            break
        head = yield from window.at(at, _HEAD)
        if len(head) < 8:
            return Length(None, size, "the file ends inside a box", truncated=True)
        length, name = struct.unpack_from(">I4s", head)
        start = 8
        if length == 1 and len(head) == _HEAD:
            (length,), start = struct.unpack_from(">Q", head, 8), 16
        elif length == 0:
            length = size - at
        if length < start:
            return Length(None, at + start, "a box is broken")
        if at + length > size:
            return Length(None, size, f"the file ends inside its {_box_name(name)}", truncated=True)
        if name == b"mvhd":
            content = yield from window.at(at + start, _CONTENT)
            return Length(_movie_seconds(content), min(at + start + _CONTENT, size))
        # Inside of moov the next box is its first child, elsewhere the next one.
        at += start if name == b"moov" else length
    return Length(None, min(at, size))


def _box_name(name: bytes) -> str:
    text = name.decode("ascii", "replace")
    return f'box "{text}"' if text.isprintable() else "box"


def _movie_seconds(content: bytes) -> float | None:
    if len(content) < _CONTENT:
        return None
    form, at = (">IQ", 20) if content[0] == 1 else (">II", 12)
    scale, duration = struct.unpack_from(form, content, at)
    unknown = duration in (0, 0xFFFFFFFF if content[0] != 1 else 0xFFFFFFFFFFFFFFFF)
    return None if unknown or not scale else float(duration / scale)


def ebml(data: bytes, size: int) -> Steps:
    """Length of a Matroska or WebM file: `Duration` in the segment's `Info`, before the data."""
    window, at = _Window(data, size), 0
    scale, duration = _SCALE_DEFAULT, 0.0
    last = size
    for _ in range(BOXES_MAX):
        if at >= last:
            break
        head = yield from window.at(at, _HEAD)
        name, first = _number(head, 0, keep=True)
        length, start = _number(head, first, keep=False)
        if name is None or not start:
            return Length(None, min(at + _HEAD, size), "an element is broken")
        if length is not None and at + start + length > size:
            return Length(None, size, "the file ends inside its data", truncated=True)
        if name == _CLUSTER or (length is None and name != _SEGMENT):
            break
        if name in (_SCALE, _DURATION):
            content = yield from window.at(at + start, min(length or 0, 8))
            if name == _SCALE:
                scale = int.from_bytes(content)
            elif len(content) == length and length in (4, 8):
                (duration,) = struct.unpack(">f" if length == 4 else ">d", content)
        if name == _INFO and length is not None:
            last = at + start + length
        # Segment and Info are entered, everything else is passed.
        at += start if name in (_SEGMENT, _INFO) else start + (length or 0)
    seconds = duration * scale / _NANOSECONDS
    return Length(seconds if 0 < seconds < float("inf") else None, min(at, size))


def _number(head: bytes, at: int, *, keep: bool) -> tuple[int | None, int]:
    """A number of EBML and where it ends; keep: with its mark, as names are written.

    None for an open length; an end of 0 if there is no number.
    """
    width = 9 - head[at].bit_length() if at < len(head) else 9
    if width > 8 or at + width > len(head):
        return None, 0
    value = int.from_bytes(head[at : at + width])
    if keep:
        return value, at + width
    value &= (1 << 7 * width) - 1
    return (None if value == (1 << 7 * width) - 1 else value), at + width
