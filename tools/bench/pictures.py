"""Draws the pictures of the image benchmarks: small ones, and JPEGs as cameras write them.

Where a camera's JPEG says its size depends on what it writes before: EXIF with the maker's notes
and a thumbnail, XMP, a colour profile. In a public set of 88 camera JPEGs the frame header lay
within 4 KiB in 34 %, within 16 KiB in 81 % and within 64 KiB in all; the drawn ones are alike.
"""

import io
import json
import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageCms

from local.demo.dataset import draw_pictures

_LANDSCAPE: Final = ((4032, 3024), (1600, 1200))
# One in so many has the pixels of a camera; drawing 12 megapixels takes half a second.
_LARGE: Final = 10
# Share of the pictures, and bytes of what lies before the frame header.
_DEPTHS: Final = ((0.34, 1_200, 3_500), (0.81, 6_000, 16_000), (1.0, 17_000, 58_000))
_THUMBNAIL: Final = (160, 120)


def write_pictures(folder: Path, *, count: int) -> list[str]:
    """Draws so many pictures below the folder, half of them camera JPEGs; returns their paths.

    The other half are PNG and JPEG of 256 to 400 pixels. What was drawn before is used again.
    """
    listed = folder / f"{count}.json"
    if listed.exists():
        return [str(path) for path in json.loads(listed.read_text("utf-8"))]
    small = [each.path for each in draw_pictures(folder, count=count // 2, seed=1, prefix="drawn")]
    (folder / "camera").mkdir(parents=True, exist_ok=True)
    camera = [_camera(folder, number) for number in range(count - len(small))]
    # Mixed, as datasets are.
    paths = small + camera
    random.Random("mixed").shuffle(paths)  # noqa: S311
    listed.write_text(json.dumps(paths), "utf-8")
    return paths


def _camera(folder: Path, number: int) -> str:
    dice = random.Random(f"camera/{number}")  # noqa: S311
    size = _LANDSCAPE[0 if number % _LARGE == 0 else 1]
    # A few large dots, blown up, compress about as well as a photo of a plain scene.
    dots = Image.frombytes("RGB", (40, 30), dice.randbytes(40 * 30 * 3))
    image = dots.resize(size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=dice.randint(80, 93), progressive=dice.random() < 0.1)
    chance = dice.random()
    least, most = next((least, most) for share, least, most in _DEPTHS if chance <= share)
    depth = dice.randint(least, most)
    thumbnail = _thumbnail(image) if depth > 5_500 else b""
    profile = _profile() if dice.random() < 0.5 and depth - len(thumbnail) > 2_000 else b""
    exif = _exif(notes=max(64, depth - len(thumbnail) - len(profile) - 300), thumbnail=thumbnail)
    name = f"camera/IMG_{number:04d}.{dice.choice(('jpg', 'JPG', 'jpeg'))}"
    data = file.getvalue()
    segments = [(0xE1, b"Exif\0\0" + exif)]
    if profile:
        segments.append((0xE2, b"ICC_PROFILE\0\1\1" + profile))
    (folder / name).write_bytes(data[:2] + b"".join(map(_segment, segments)) + data[2:])
    return name


def _segment(segment: tuple[int, bytes]) -> bytes:
    marker, body = segment
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _thumbnail(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.resize(_THUMBNAIL).save(file, "JPEG", quality=75)
    return file.getvalue()


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


_ASCII, _SHORT, _LONG, _UNDEFINED = 2, 3, 4, 7
BenchPicture = tuple[int, int, int, bytes]


def _exif(*, notes: int, thumbnail: bytes) -> bytes:
    """TIFF with the directories that cameras write: the image's, EXIF with notes, the thumbnail's.

    Raises struct.error when all of it does not fit into one segment.
    """
    make, time = b"Bench Optical\0", b"2026:11:22 10:00:00\0"
    main_at = 8
    main_end = main_at + _length(5) + len(make) + len(time)
    notes_at = main_end + _length(2)
    thumb_at = notes_at + notes
    main = _directory(
        [
            (0x010F, _ASCII, len(make), struct.pack("<I", main_at + _length(5))),
            (0x0112, _SHORT, 1, struct.pack("<HH", 1, 0)),
            (0x0128, _SHORT, 1, struct.pack("<HH", 2, 0)),
            (0x0132, _ASCII, len(time), struct.pack("<I", main_at + _length(5) + len(make))),
            (0x8769, _LONG, 1, struct.pack("<I", main_end)),
        ],
        next_at=thumb_at if thumbnail else 0,
    )
    camera = _directory(
        [
            (0x9000, _UNDEFINED, 4, b"0232"),
            (0x927C, _UNDEFINED, notes, struct.pack("<I", notes_at)),
        ]
    )
    small = b""
    if thumbnail:
        small = _directory(
            [
                (0x0103, _SHORT, 1, struct.pack("<HH", 6, 0)),
                (0x0201, _LONG, 1, struct.pack("<I", thumb_at + _length(3))),
                (0x0202, _LONG, 1, struct.pack("<I", len(thumbnail))),
            ]
        )
    head = struct.pack("<2sHI", b"II", 42, main_at)
    return head + main + make + time + camera + bytes(notes) + small + thumbnail


def _length(entries: int) -> int:
    return 2 + 12 * entries + 4


def _directory(entries: Sequence[BenchPicture], *, next_at: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHI4s", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", next_at)
