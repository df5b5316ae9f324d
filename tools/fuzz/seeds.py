"""Inputs to start from: sound ones of every kind, and those that break careless readers."""

import io
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

from PIL import Image

from tools.fuzz.manifest import MODELS

_RECORDS: Final[tuple[dict[str, Any], ...]] = (
    {"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"},
    {"image-ref": "s3://bucket/folder/../2.jpg", "caption": 'ein "Hund" – größer 🐕'},
    {"prompt": "what is AWS", "completion": "it is Amazon Web Services"},
    {"input": "a long text " * 20},
    {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "be short"}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"text": "User: what is this"},
                    {
                        "image": {
                            "format": "png",
                            "source": {"s3Location": {"uri": "s3://bucket/folder/1.png"}},
                        }
                    },
                ],
            },
            {"role": "assistant", "content": [{"text": "a dog"}]},
        ],
    },
    {"system": "be short", "messages": [{"role": "user", "content": "hi"}]},
    {"messages": [{"role": "user", "content": "1 + 1"}], "reference_answer": {"n": 2}},
)
_LINE: Final = b'{"image-ref": "s3://bucket/folder/1.png", "caption": "%s"}'
_HOSTILE_LINES: Final = (
    b"",
    b"\r",
    b"\xef\xbb\xbf" + _LINE % b"a dog",
    _LINE % b"a dog" + b"\r",
    _LINE % b"\\ud83d",
    _LINE % b"\\ud83d\\ude00 \\u0000 \\b",
    _LINE % b"a\0dog",
    _LINE % b"\xed\xa0\x80",
    _LINE % b'a", "caption": "b',
    _LINE % b'a", "capt\\u0069on": "b',
    _LINE % b"x" * 2,
    _LINE % (b"very " * 200),
    b"[" * 200,
    b'{"a":' * 70 + b"1" + b"}" * 70,
    b"[{" * 100 + b"}]" * 100,
    b"1" * 5_000,
    b"-1e999999",
    b'{"n": 1' + b"0" * 400 + b".5e-400}",
    b"NaN",
    b'{"caption": -Infinity}',
    b"'single'",
    b'{"caption": "a",}',
    b'{"a":1}{"b":2}',
    b"\xff\xfe{\0}\0",
    b"\\" * 300,
    b'"' * 300,
    b'{"' + b"k" * 3_000 + b'": 1}',
    b"x" * 199 + "–".encode(),
    b'{"<script>alert(1)</script>": "]]>&amp;<!--"}',
)


def manifests() -> Iterator[bytes]:
    """Inputs of tools.fuzz.manifest: each line alone and all together, for every model."""
    lines = [
        *(json.dumps(record).encode() for record in _RECORDS),
        *(json.dumps(record, ensure_ascii=False).encode() for record in _RECORDS),
        *_HOSTILE_LINES,
    ]
    for number in range(len(MODELS)):
        yield bytes([number, number, 16]) + b"\n".join(lines)
        for line in lines:
            yield bytes([number, 1, 5]) + line + b"\n"


def images() -> Iterator[bytes]:
    """Inputs of tools.fuzz.images, each read in another way."""
    kinds = [*_sound_images(), *_hostile_images(), *_other_files(), *_videos()]
    for number, content in enumerate(kinds):
        yield bytes([number % 16]) + content


def _saved(format: str, *, mode: str = "RGB", size: tuple[int, int] = (9, 7), **more: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, format, **more)
    return file.getvalue()


def chunk(name: bytes, body: bytes, *, length: int | None = None) -> bytes:
    """A PNG chunk; length: what it says instead of the truth."""
    told = len(body) if length is None else length
    return struct.pack(">I4s", told, name) + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(width: int, height: int, *more: bytes) -> bytes:
    """A PNG of these declared dimensions with these chunks behind IHDR."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more)


def segment(marker: int, body: bytes, *, length: int | None = None) -> bytes:
    """A JPEG segment; length: what it says instead of the truth."""
    told = len(body) + 2 if length is None else length
    return struct.pack(">BBH", 0xFF, marker, told) + body


def frame(width: int, height: int, *, channels: int = 3) -> bytes:
    """A JPEG frame header with these declared dimensions."""
    tables = b"".join(bytes([number, 0x11, 0]) for number in range(channels))
    return segment(0xC0, struct.pack(">BHHB", 8, height, width, channels) + tables)


def _exif(entries: int, *, offset: int = 8) -> bytes:
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    return b"Exif\0\0II*\0" + struct.pack("<IH", offset, entries) + entry


def _sound_images() -> Iterator[bytes]:
    for mode in ("RGB", "RGBA", "L", "P", "1", "I;16"):
        yield _saved("PNG", mode=mode)
    for mode in ("RGB", "L", "CMYK"):
        yield _saved("JPEG", mode=mode)
    yield _saved("JPEG", progressive=True, icc_profile=b"x" * 3_000)
    jpeg = _saved("JPEG")
    yield jpeg[:2] + segment(0xE1, _exif(1)) + jpeg[2:]
    yield jpeg[:2] + b"\xff" * 20 + jpeg[2:]
    frames = [Image.new("RGB", (9, 7), colour) for colour in ("red", "blue")]
    yield _saved("PNG", save_all=True, append_images=frames)


def _hostile_images() -> Iterator[bytes]:
    start, end = b"\xff\xd8", segment(0xDA, bytes(10))
    yield png_of(2**31 - 1, 2**31 - 1, chunk(b"IDAT", b"x"), chunk(b"IEND", b""))
    yield png_of(0, 0, chunk(b"IDAT", b"x"))
    yield png_of(9, 9, chunk(b"teXt", b"x", length=0xFFFFFFFF))
    yield png_of(9, 9, chunk(b"IDAT", b"x", length=0x7FFFFFFF))
    yield png_of(9, 9, chunk(b"teXt", b"") * 1_100)
    yield png_of(9, 9, bytes(3_000))
    yield png_of(9, 9)[:20]
    yield start + frame(0xFFFF, 0xFFFF) + end
    yield start + frame(0, 9) + end
    yield start + frame(9, 9, channels=0) + end
    yield start + b"\xff" * 3_000
    yield start + b"\xff\xd8" * 1_500
    yield start + segment(0xE0, b"", length=0) * 1_100
    yield start + segment(0xE0, b"", length=2) * 1_100 + frame(9, 9) + end
    yield start + segment(0xE2, b"", length=0xFFFF) + b"x" * 100
    yield start + b"junk" * 800 + frame(9, 9) + end
    yield start + b"\xff\0" * 1_500 + frame(9, 9)
    yield start + segment(0xE1, _exif(0xFFFF)) + frame(9, 9) + end
    yield start + segment(0xE1, _exif(1, offset=0xFFFFFFFF)) + frame(9, 9) + end
    yield start + segment(0xE1, b"Exif\0\0") + frame(9, 9)[:7]
    yield start + end + frame(9, 9)
    yield start


def _other_files() -> Iterator[bytes]:
    for format in ("GIF", "WEBP", "BMP", "TIFF"):
        yield _saved(format)
    yield b"RIFF\xff\xff\xff\xffWEBPVP8X"
    yield b"GIF89a"
    yield b"<!DOCTYPE html><title>404</title>"
    yield b""


def _videos() -> Iterator[bytes]:
    movie = struct.pack(">I4sI4s20xIII80x", 116, b"moov", 108, b"mvhd", 0, 1_000, 5_000)
    kind = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0)
    data = struct.pack(">I4s9x", 17, b"mdat")
    yield kind + movie + data
    yield kind + data + movie
    yield kind + struct.pack(">I4sQ", 1, b"free", 16) * 100 + movie
    yield kind + struct.pack(">I4sQ", 1, b"mdat", 2**63)
    yield kind + bytes(3_000)
    yield data + movie
    duration = struct.pack(">HBd", 0x4489, 0x88, 5_000.0)
    info = struct.pack(">IB", 0x1549A966, 0x80 + len(duration)) + duration
    for size in (0x80 + len(info), 0xFF):
        yield b"\x1aE\xdf\xa3\x80" + struct.pack(">IB", 0x18538067, size) + info
    yield b"\x1aE\xdf\xa3" + b"\x01" + b"\xfe" * 7
    yield b"\x1aE\xdf\xa3\x80" * 700
