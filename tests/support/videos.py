"""Headers of videos built byte by byte: boxes of MP4 and QuickTime, elements of Matroska."""

import struct


def box(name: bytes, *content: bytes, large: bool = False) -> bytes:
    """A box; large: with its length in 64 bits."""
    body = b"".join(content)
    if large:
        return struct.pack(">I4sQ", 1, name, 16 + len(body)) + body
    return struct.pack(">I4s", 8 + len(body), name) + body


def mvhd(duration: int, *, scale: int = 1_000, version: int = 0) -> bytes:
    """The box that tells the length of a movie: duration / scale seconds."""
    form = ">B3xQQIQ" if version else ">B3xIIII"
    return box(b"mvhd", struct.pack(form, version, 0, 0, scale, duration), bytes(80))


def mp4(
    seconds: float = 10, *, brand: bytes = b"isom", data: int = 500, front: bool = True
) -> bytes:
    """An MP4 whose moov box stands before or behind its data."""
    moov = box(b"moov", mvhd(round(seconds * 1_000)), box(b"trak", bytes(200)))
    mdat = box(b"mdat", bytes(data))
    parts = (moov, mdat) if front else (mdat, moov)
    return b"".join((box(b"ftyp", brand, bytes(12)), box(b"free"), *parts))


def element(name: int, content: bytes, *, width: int = 4) -> bytes:
    """An element with its length in so many bytes; 0: the length is left open."""
    head = name.to_bytes((name.bit_length() + 7) // 8)
    if not width:
        return head + b"\x01" + b"\xff" * 7 + content
    return head + (len(content) | 1 << 7 * width).to_bytes(width) + content


def matroska(
    seconds: float = 10, *, scale: int = 1_000_000, open_end: bool = False, single: bool = False
) -> bytes:
    """A WebM whose Info stands behind a SeekHead and before the data."""
    duration = struct.pack(">f" if single else ">d", seconds * 1e9 / scale)
    info = element(0x2AD7B1, scale.to_bytes(4)) + element(0x4489, duration, width=1)
    inside = (
        element(0x114D9B74, bytes(40))
        + element(0xEC, bytes(4_000))
        + element(0x1549A966, info)
        + element(0x1F43B675, bytes(500), width=0 if open_end else 4)
    )
    kind = element(0x1A45DFA3, element(0x4282, b"webm", width=1), width=1)
    return kind + element(0x18538067, inside, width=0 if open_end else 8)
