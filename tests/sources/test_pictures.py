"""Small pictures of images of somebody else's: as many as can be decoded, and never an error."""

import base64
import io
import struct
import zlib

import PIL.Image
import pytest

from bedrock_tuning.dataset.images.source import ByteRange, Fetched, FetchResult, Missing
from bedrock_tuning.sources import pictures
from tests.support.pictures import jpeg, png


def decoded(uri: str) -> PIL.Image.Image:
    kind, _, text = uri.partition(";base64,")
    assert kind == "data:image/jpeg"
    return PIL.Image.open(io.BytesIO(base64.b64decode(text)))


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(300, 200), (160, 107)),
        (jpeg(200, 800), (40, 160)),
        (png(100, 50), (100, 50)),
    ],
)
def test_a_picture_becomes_one_of_at_most_160_pixels(data: bytes, size: tuple[int, int]) -> None:
    with decoded(pictures.thumbnail(data)) as image:
        assert (image.size, image.mode) == (size, "RGB")


@pytest.mark.parametrize(
    "format", ["JPEG", "MPO", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "HEIF"]
)
def test_what_telephones_cameras_and_web_pages_write_has_one(
    format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if format == "HEIF":
        # As `tuning fix` does; here for this test only.
        monkeypatch.setattr(PIL.Image, "OPEN", dict(PIL.Image.OPEN))
        monkeypatch.setattr(PIL.Image, "ID", [*PIL.Image.ID])
        pytest.importorskip("pillow_heif").register_heif_opener()
    out = io.BytesIO()
    more = [PIL.Image.new("RGB", (32, 16))] if format == "MPO" else []
    PIL.Image.new("RGB", (32, 16)).save(out, format, save_all=bool(more), append_images=more)
    with decoded(pictures.thumbnail(out.getvalue())) as image:
        assert image.size == (32, 16)


def test_a_picture_of_a_page_takes_few_bytes() -> None:
    with decoded(pictures.thumbnail(png(300, 200))) as image:
        # The roughest step of JPEG's colours at quality 70.
        assert max(image.quantization[1]) == 59  # type: ignore[attr-defined]


def test_a_picture_that_is_large_and_no_danger_is_opened_without_a_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    side = 10_000
    head = b"IHDR" + struct.pack(">II", side, side) + b"\x08\0\0\0\0"
    data = png(8, 8)
    whole = data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]
    with pictures.picture(whole) as image:
        assert image.size == (side, side)
    assert not recwarn.list


@pytest.mark.parametrize("data", [b"", b"%!PS no picture", png(300, 200)[:60]])
def test_what_cannot_be_decoded_has_none(data: bytes) -> None:
    assert pictures.thumbnail(data) == ""


def test_pillow_is_told_to_find_its_decoders_where_it_has_not_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = dict(PIL.Image.OPEN)
    monkeypatch.setattr(PIL.Image, "OPEN", {})
    monkeypatch.setattr(PIL.Image, "init", lambda: PIL.Image.OPEN.update(known))
    assert pictures.thumbnail(png(8, 8)) != ""


def test_without_pillow_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "find_spec", lambda _: None)
    assert pictures.thumbnail(png(300, 200)) == ""


def test_programs_of_the_system_are_handed_nothing() -> None:
    """Pillow would give PostScript to one."""
    text = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EOF\n"
    with pytest.raises(PIL.UnidentifiedImageError), pictures.picture(text):
        pass


class Source:
    """Images by key. asked: what was read."""

    def __init__(self, **images: bytes) -> None:
        self._images = images
        self.asked: list[ByteRange] = []

    def fetch(self, ranges: list[ByteRange]) -> list[FetchResult]:
        self.asked += ranges
        return [
            Fetched(data=self._images[each.key], size=9, etag="e")
            if each.key in self._images
            else Missing(each.key)
            for each in ranges
        ]


def test_of_several_images_those_are_shown_that_can_be_read_and_decoded() -> None:
    source = Source(a=png(300, 200), b=b"broken")
    found = pictures.thumbnails(source, ["a", "b", "c"])  # type: ignore[arg-type]
    assert [*found] == ["a"]
    assert source.asked == [ByteRange(key, 0, 1 << 25) for key in ("a", "b", "c")]
