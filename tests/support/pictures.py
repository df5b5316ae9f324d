"""Small real images of every kind for tests, drawn with Pillow, and a source that serves them."""

import hashlib
import io
import random
import struct
import zlib
from collections.abc import Mapping, Sequence

from PIL import Image

from bedrock_tuning.dataset.images.source import ByteRange, Denied, Fetched, FetchResult, Missing


def png(
    width: int = 300, height: int = 300, *, mode: str = "RGB", noise: int = 0, **options: object
) -> bytes:
    """A PNG of a blurred pattern; another `noise` gives another pattern."""
    # What Pillow packs best takes it ten times as long.
    return _saved(_picture(width, height, mode, noise), "PNG", **{"compress_level": 1, **options})


def jpeg(
    width: int = 300, height: int = 300, *, mode: str = "RGB", noise: int = 0, **options: object
) -> bytes:
    """A JPEG, see png."""
    return _saved(_picture(width, height, mode, noise), "JPEG", **options)


def _picture(width: int, height: int, mode: str, noise: int) -> Image.Image:
    pattern = random.Random(noise).randbytes(64)  # noqa: S311
    return Image.frombytes("L", (8, 8), pattern).resize((width, height)).convert(mode)


def _saved(picture: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def with_exif(data: bytes, orientation: int, *, padding: int = 0, order: str = ">") -> bytes:
    """A JPEG with an EXIF segment in front that gives its orientation and is so much longer."""
    mark = {">": b"MM", "<": b"II"}[order]
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = mark + struct.pack(f"{order}HIH", 42, 8, 1) + entry + bytes(4 + padding)
    body = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def with_segments(data: bytes, *lengths: int) -> bytes:
    """A JPEG with segments of these many bytes in front of its own, as cameras write them."""
    segments = (b"\xff\xe2" + struct.pack(">H", length + 2) + bytes(length) for length in lengths)
    return data[:2] + b"".join(segments) + data[2:]


def with_chunk(data: bytes, name: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk behind IHDR."""
    crc = zlib.crc32(name + body)
    chunk = struct.pack(">I4s", len(body), name) + body + struct.pack(">I", crc)
    return data[:33] + chunk + data[33:]


def animated_png() -> bytes:
    """A PNG of two frames."""
    frames = [_picture(300, 300, "RGB", n) for n in (1, 900)]
    return _saved(frames[0], "PNG", save_all=True, append_images=frames[1:])


class Folder:
    """An ImageSource over images in memory; counts what is asked of it."""

    def __init__(
        self, objects: Mapping[str, bytes], *, denied: Sequence[str] = (), longest: int = 1 << 30
    ) -> None:
        self.objects = dict(objects)
        self.ranges: list[ByteRange] = []
        self._denied = set(denied)
        self._longest = longest

    def fetch(self, ranges: Sequence[ByteRange]) -> list[FetchResult]:
        """One answer per range."""
        self.ranges += ranges
        return [self._one(each) for each in ranges]

    def _one(self, wanted: ByteRange) -> FetchResult:
        if wanted.key in self._denied:
            return Denied(wanted.key, "AccessDenied")
        data = self.objects.get(wanted.key)
        if data is None:
            return Missing(wanted.key)
        part = data[wanted.start : wanted.start + min(wanted.length, self._longest)]
        return Fetched(part, len(data), hashlib.md5(data).hexdigest())  # noqa: S324 an ETag is MD5
