"""Headers of images: agreement with Pillow, truncation at every byte, hostile bytes."""

import io
import random
import struct
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bedrock_tuning.dataset.images.header import READ_BYTES_MIN, Header, header, reader
from tests.support import pictures
from tests.support.pictures import jpeg, png, with_chunk, with_exif, with_segments
from tests.support.properties import examples

FEW = examples(300)


def in_windows(data: bytes, window: int) -> tuple[Header, int]:
    """The header read in windows of so many bytes, and how many were read."""
    steps = reader(data[:window], size=len(data))
    reads = 1
    try:
        at = next(steps)
        while True:
            reads += 1
            at = steps.send(data[at : at + window])
    except StopIteration as done:
        return done.value, reads


def pillow(data: bytes) -> tuple[str, int, int] | None:
    """Format and size by Pillow; None when it cannot open the bytes."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            # A JPEG with further pictures behind it has a name of its own there.
            format = "jpeg" if image.format == "MPO" else str(image.format).lower()
            return format, image.width, image.height
    except Exception:
        return None


KINDS = [
    png(),
    png(mode="L"),
    png(mode="1"),
    png(mode="P"),
    png(mode="RGBA"),
    png(mode="LA"),
    png(mode="I;16"),
    png(1, 4096),
    png(optimize=True),
    pictures.animated_png(),
    with_chunk(png(), b"iCCP", bytes(100_000)),
    with_chunk(png(), b"teSt", b""),
    jpeg(),
    jpeg(mode="L"),
    jpeg(mode="CMYK"),
    jpeg(progressive=True),
    jpeg(4096, 1),
    jpeg(exif=Image.Exif()),
    jpeg(comment=b"\xff\xd9\xff\xc0" * 100),
    jpeg(icc_profile=b"x" * 200_000),
    with_exif(jpeg(), 6),
    with_exif(jpeg(), 8, order="<", padding=60_000),
    with_segments(jpeg(), *[65_533] * 40),
    with_segments(jpeg(), 0, 0, 0, 1),
    jpeg()[:2] + b"\xff" * 300 + jpeg()[3:],
    jpeg()[:2] + b"\xff\xd8" + jpeg()[2:],
    jpeg() + b"trailing bytes",
]


@pytest.mark.parametrize("data", KINDS, ids=range(len(KINDS)))
def test_format_and_size_are_those_that_pillow_sees(data: bytes) -> None:
    found = header(data)
    assert found.problem == ""
    assert (found.format, found.width, found.height) == pillow(data)


@pytest.mark.parametrize("data", KINDS, ids=range(len(KINDS)))
@pytest.mark.parametrize("window", [READ_BYTES_MIN, 1_500, 16 << 10, 64 << 10, 1 << 30])
def test_the_header_does_not_depend_on_the_size_of_reads(data: bytes, window: int) -> None:
    assert in_windows(data, window)[0] == header(data)


@FEW
@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.sampled_from(["RGB", "L", "CMYK"]),
    st.sampled_from(["JPEG", "PNG"]),
    st.lists(st.integers(0, 65_533), max_size=4),
)
def test_drawn_images_are_read_like_pillow_reads_them(
    width: int, height: int, mode: str, format: str, lengths: list[int]
) -> None:
    if format == "PNG":
        data = png(width, height, mode="RGB" if mode == "CMYK" else mode)
    else:
        data = with_segments(jpeg(width, height, mode=mode), *lengths)
    found = header(data)
    assert (found.format, found.width, found.height) == (format.lower(), width, height)
    assert (found.format, found.width, found.height) == pillow(data)


def test_what_a_header_tells_beside_the_size() -> None:
    assert header(jpeg(mode="CMYK")).channels == 4
    assert header(png(mode="I;16")).bits == 16
    assert header(pictures.animated_png()).animated
    assert not header(png()).animated
    for orientation in range(1, 9):
        for order in "<>":
            assert header(with_exif(jpeg(), orientation, order=order)).orientation == orientation
    assert header(with_exif(jpeg(), 9)).orientation == 1


def test_a_place_in_exif_is_seen_in_both_formats() -> None:
    place = Image.Exif()
    place.get_ifd(0x8825).update({1: "N", 2: (51.0, 30.0, 0.0)})
    elsewhere = Image.Exif()
    elsewhere[0x013B] = "somebody"
    for exif, located in ((place, True), (elsewhere, False)):
        tiff = exif.tobytes().removeprefix(b"Exif\0\0")
        data = (jpeg(exif=exif), with_chunk(png(), b"eXIf", tiff))
        assert [header(each).located for each in data] == [located, located]
        assert {in_windows(each, READ_BYTES_MIN)[0].located for each in data} == {located}


@pytest.mark.parametrize("data", [png(64, 64), jpeg(64, 64), with_exif(jpeg(64, 64), 6)])
def test_a_file_cut_inside_its_header_is_called_truncated(data: bytes) -> None:
    end = header(data).end
    for length in range(8, end):
        found = header(data[:length])
        assert found.truncated, length
        assert found.problem


def test_a_png_cut_inside_its_only_data_chunk_is_called_truncated() -> None:
    data = png()
    for share in (0.3, 0.5, 0.9):
        assert header(data[: int(len(data) * share)]).truncated


def test_a_png_cut_at_any_of_its_last_bytes_is_called_truncated() -> None:
    data = png(64, 64)
    for missing in range(1, 41):
        found = header(data[:-missing])
        assert (found.truncated, bool(found.problem)) == (True, True), missing
    assert header(data).problem == ""


@pytest.mark.parametrize("junk", [b"\x41", b"\x00" * 9, b"AB" * 50])
def test_junk_between_the_segments_of_a_jpeg_is_skipped(junk: bytes) -> None:
    data = jpeg(123, 45)
    for marker in (b"\xff\xdb", b"\xff\xc0"):
        at = data.index(marker)
        found = header(data[:at] + junk + data[at:])
        assert (found.width, found.height, found.problem) == (123, 45, "")


@pytest.mark.parametrize("marker", [0xC4, 0xC8, 0xCC])
def test_markers_between_the_frames_are_no_frame(marker: int) -> None:
    data = jpeg(123, 45)
    body = b"" if marker == 0xC8 else b"\x00\x0b\x08\x00\x07\x00\x07\x03\x01\x11\x00"
    at = data.index(b"\xff\xdb")
    found = header(data[:at] + bytes((0xFF, marker)) + body + data[at:])
    assert (found.width, found.height, found.problem) == (123, 45, "")


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\n <html lang=en>", "HTML"),
        (b"<?xml version='1.0'?><Error>", "XML"),
        (b'{"error": 404}', "JSON"),
        (b"BM" + bytes(60), "BMP"),
        (b"II*\0" + bytes(60), "TIFF"),
        (b"\0\0\0\x1cftypheic" + bytes(40), "HEIC"),
        (b"\0\0\0\x1cftypavif" + bytes(40), "AVIF"),
        (b"\0\0\0\x1cftypisom" + bytes(40), "MP4 video"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04", "a zip archive"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        (b"just words", "text"),
        (b"\x89PNG\r\n", "png"),
        (bytes(100), "unknown"),
        (b"", "unknown"),
    ],
)
def test_other_files_are_called_by_their_name(data: bytes, format: str) -> None:
    assert header(data).format == format


@pytest.mark.parametrize("format", ["GIF", "WEBP"])
@pytest.mark.parametrize(
    "options", [{}, {"lossless": True}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}]
)
def test_gif_and_webp_are_sized_too(format: str, options: dict[str, object]) -> None:
    file = io.BytesIO()
    Image.new("RGB", (123, 457), "red").save(file, format, **options)
    found = header(file.getvalue())
    assert (found.format, found.width, found.height) == (format.lower(), 123, 457)


def test_a_broken_checksum_or_a_wrong_first_chunk_is_a_problem() -> None:
    data = bytearray(png())
    data[20] ^= 1
    assert "checksum" in header(bytes(data)).problem
    assert "IHDR" in header(with_chunk(png(), b"x", b"")[33:].join([png()[:8], b""])).problem


def test_gigantic_declared_dimensions_cost_nothing() -> None:
    body = b"IHDR" + struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    data = png()[:8] + struct.pack(">I", 13) + body
    data += struct.pack(">I", zlib.crc32(body)) + struct.pack(">I4s", 10, b"IDAT") + bytes(40)
    found = header(data)
    assert (found.width, found.height, found.problem) == (2**31 - 1, 2**31 - 1, "")


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff" + b"\xff" * 3_000_000,
        b"\xff\xd8\xff" + b"\xd8\xff" * 1_500_000,
        b"\xff\xd8\xff\xe0\0\0" + b"\xff\xe0\0\0" * 700_000,
        b"\xff\xd8\xff\xe0\0\2" + b"\xff\xe0\0\2" * 700_000,
        b"\xff\xd8\xff\xe0\0\2" + b"junk" * 700_000,
        b"\xff\xd8\xff\xe0\0\2" + b"\xff\0" * 1_400_000,
        png()[:33] + struct.pack(">I4s", 0xFFFFFFFF, b"teXt") + bytes(3_000_000),
        png()[:33] + (struct.pack(">I4sI", 0, b"teXt", 0)) * 250_000,
        png()[:33] + bytes(3_000_000),
    ],
)
def test_loops_and_overflows_end_soon_with_a_problem(data: bytes) -> None:
    started = time.process_time()
    found, reads = in_windows(data, 16 << 10)
    assert time.process_time() - started < 0.5
    assert found.problem
    assert reads <= 20
    assert header(data) == found


@FEW
@given(
    st.binary(max_size=2_000), st.sampled_from([b"", png()[:8], png()[:33], jpeg()[:2], b"RIFF"])
)
def test_no_bytes_crash_the_reader(data: bytes, start: bytes) -> None:
    found = header(start + data)
    assert found == in_windows(start + data, READ_BYTES_MIN)[0]


@FEW
@given(st.sampled_from(KINDS), st.data())
def test_a_damaged_image_that_pillow_still_opens_has_the_same_size(
    data: bytes, draw: st.DataObject
) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        damaged[draw.draw(st.integers(0, min(len(data), 700) - 1))] = draw.draw(st.integers(0, 255))
    seen, found = pillow(bytes(damaged)), header(bytes(damaged))
    if seen is not None and not found.problem:
        assert (found.format, found.width, found.height) == seen


@pytest.mark.slow
def test_all_images_on_this_machine_are_read_like_pillow_reads_them() -> None:
    names = [p for p in Path("/usr/share").rglob("*") if p.suffix.lower() in (".png", ".jpg")]
    rng = random.Random(1)  # noqa: S311
    for path in rng.sample(names, min(len(names), 500)):
        data = path.read_bytes()
        seen = pillow(data)
        if seen is not None and seen[0] in ("png", "jpeg"):
            found = header(data)
            assert (found.format, found.width, found.height, found.problem) == (*seen, ""), path


def test_a_picture_of_another_brand_is_no_video() -> None:
    box = b"\0\0\0\x1cftypMiHB\0\0\0\0MiHEmif1heic"
    assert header(box + bytes(32)).format == "HEIF"
    assert header(box.replace(b"mif1heic", b"isommp41") + bytes(32)).format == "MP4 video"
