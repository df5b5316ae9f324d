"""Fixing images: what comes out breaks no rule, or it is left out with a reason."""

import io
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from bedrock_tuning.catalogue import CaptionLimits, catalogue
from bedrock_tuning.checking import DatasetScope, ImageRef, check_images
from bedrock_tuning.dataset.images.source import ByteRange, Fetched
from bedrock_tuning.dataset.tokens import too_many_tokens
from bedrock_tuning.preparing import fix
from bedrock_tuning.preparing.fix import UnfixableError, fix_caption, fix_image
from tests.support.properties import examples

MODEL = catalogue()["titan-multimodal-embeddings-g1"]
CONTRACT = MODEL.datasets["FINE_TUNING"]
LIMITS = CONTRACT.image
assert LIMITS is not None
CAPTION = CaptionLimits(chars_min=3, chars_max=20)


class One:
    """A source that always brings the same file."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def fetch(self, ranges: Sequence[ByteRange]) -> list[Fetched]:
        return [
            Fetched(data=self.data[r.start : r.start + r.length], size=len(self.data), etag="e")
            for r in ranges
        ]


def findings(data: bytes, extension: str) -> dict[str, int]:
    subject = DatasetScope(model=MODEL, contract=CONTRACT, kind="training", bucket="b", folders=())
    return check_images([ImageRef(1, f"x{extension}")], One(data), subject).counts


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)  # type: ignore[arg-type]
    return out.getvalue()


def kinds(data: bytes) -> list[str]:
    assert LIMITS is not None
    return [change.kind for change in fix_image(data, LIMITS).changes]


@examples(25, suppress_health_check=[HealthCheck.too_slow])
@given(
    width=st.one_of(st.integers(1, 700), st.sampled_from([4095, 4096, 4097, 6000])),
    height=st.one_of(st.integers(1, 700), st.sampled_from([4095, 4096, 4097])),
    mode=st.sampled_from(["RGB", "RGBA", "L", "LA", "P", "1", "I;16", "CMYK"]),
    format=st.sampled_from(["PNG", "JPEG", "TIFF", "WEBP"]),
)
def test_what_is_fixed_breaks_no_rule(width: int, height: int, mode: str, format: str) -> None:
    assert LIMITS is not None
    image = Image.new(mode, (width, height))
    try:
        data = encoded(image, format)
    except (OSError, KeyError):
        return
    try:
        fixed = fix_image(data, LIMITS)
    except UnfixableError as error:
        assert error.kind in ("too small", "too long")  # noqa: PT017
        return
    assert findings(fixed.data, fixed.extension) == {}
    with Image.open(io.BytesIO(fixed.data)) as again:
        again.load()


def test_an_image_within_the_limits_keeps_its_bytes() -> None:
    assert LIMITS is not None
    for format in ("PNG", "JPEG"):
        data = encoded(Image.new("RGB", (300, 300)), format)
        fixed = fix_image(data, LIMITS)
        assert fixed.data == data
        assert not fixed.changes


def test_exif_orientation_moves_into_the_pixels() -> None:
    assert LIMITS is not None
    exif = Image.Exif()
    exif[0x0112] = 6
    fixed = fix_image(encoded(Image.new("RGB", (600, 300)), "JPEG", exif=exif), LIMITS)
    with Image.open(io.BytesIO(fixed.data)) as turned:
        assert turned.size == (300, 600)
        assert turned.getexif().get(0x0112, 1) == 1


def test_16_bits_keep_their_brightness() -> None:
    assert LIMITS is not None
    image = Image.new("I;16", (300, 300), 128 * 256)
    fixed = fix_image(encoded(image, "PNG"), LIMITS)
    with Image.open(io.BytesIO(fixed.data)) as reduced:
        assert (reduced.mode, reduced.getpixel((5, 5))) == ("L", 128)


def test_a_strip_is_padded_not_stretched() -> None:
    assert LIMITS is not None
    fixed = fix_image(encoded(Image.new("RGB", (3000, 300), "red"), "PNG"), LIMITS)
    with Image.open(io.BytesIO(fixed.data)) as padded:
        assert padded.size == (3000, 750)
        assert padded.getpixel((5, 5)) == (255, 255, 255)
        assert padded.getpixel((1500, 375)) == (255, 0, 0)


def test_too_many_bytes_become_a_jpeg_that_fits() -> None:
    assert LIMITS is not None
    noise = Image.effect_noise((2600, 2600), 80).convert("RGB")
    fixed = fix_image(encoded(noise, "PNG", compress_level=1), LIMITS)
    assert fixed.extension == ".jpg"
    assert findings(fixed.data, ".jpg") == {}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<html>", "HTML"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"hello, no picture", "text"),
        (bytes(range(128, 200)), "no image"),
        (b"", "the file is empty"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "HEIC and cannot be decoded"),
    ],
)
def test_what_is_no_picture_is_left_out_with_a_reason(data: bytes, words: str) -> None:
    assert LIMITS is not None
    with pytest.raises(UnfixableError, match=words) as caught:
        fix_image(data, LIMITS)
    assert "0x" not in str(caught.value)


def test_a_tiny_picture_is_left_out_rather_than_blurred() -> None:
    with pytest.raises(UnfixableError, match="too small"):
        kinds(encoded(Image.new("RGB", (20, 20)), "PNG"))


def test_captions_are_trimmed_and_cut_at_a_word() -> None:
    assert fix_caption("  a dog\n\x00 ", CAPTION)[0] == "a dog"
    text, changes = fix_caption("a dog on green grassland", CAPTION)
    assert text == "a dog on green grass"
    assert [change.kind for change in changes] == ["caption cut"]
    assert fix_caption("a dog", CAPTION) == ("a dog", [])


@pytest.mark.parametrize("caption", ["a dog and a cat " * 300, "犬が走る" * 300, "x" * 5_000])
def test_a_caption_is_cut_to_what_the_model_reads(caption: str) -> None:
    limits = CONTRACT.caption
    assert limits is not None
    text, changes = fix_caption(caption, limits)
    assert [change.kind for change in changes][-1] == "caption cut"
    assert too_many_tokens(caption[: len(text)], limits) == 0
    assert too_many_tokens(caption[: len(text) + 20], limits) > 0


@pytest.mark.parametrize("caption", ["", "   ", "\x00", "ab"])
def test_a_caption_that_says_nothing_is_left_out(caption: str) -> None:
    with pytest.raises(UnfixableError):
        fix_caption(caption, CAPTION)


def heic() -> bytes:
    import pillow_heif

    out = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (400, 300), "red")).save(out, format="HEIF")
    return out.getvalue()


def test_pictures_of_telephones_become_jpeg_or_png() -> None:
    assert LIMITS is not None
    fixed = fix_image(heic(), LIMITS)
    assert [change.kind for change in fixed.changes] == ["converted"]
    assert findings(fixed.data, fixed.extension) == {}
    with Image.open(io.BytesIO(fixed.data)) as image:
        assert image.size == (400, 300)


def test_without_the_package_for_them_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LIMITS is not None
    data = heic()
    monkeypatch.setattr(fix, "_reads_heic", lambda: False)
    monkeypatch.setattr(Image, "OPEN", {k: v for k, v in Image.OPEN.items() if k == "PNG"})
    monkeypatch.setattr(Image, "ID", ["PNG"])
    with pytest.raises(UnfixableError, match=r"HEIC; to read it: pip install .bedrock-tuning\[im"):
        fix_image(data, LIMITS)


def test_libvips_makes_of_a_large_photograph_what_pillow_makes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("pyvips")
    assert LIMITS is not None
    image = Image.effect_noise((90, 60), 60).convert("RGB").resize((5_000, 3_333))
    data = encoded(image, "JPEG", quality=90, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    made = []
    for has in (True, False):
        monkeypatch.setattr(fix, "_has_libvips", lambda has=has: has)
        made.append(fix_image(data, LIMITS))
        with pytest.raises(UnfixableError, match="cannot be decoded"):
            fix_image(data[: len(data) // 2], LIMITS)
    quick, slow = (Image.open(io.BytesIO(each.data)) for each in made)
    assert quick.size == slow.size == (4096, 2730)
    assert made[0].changes == made[1].changes
    assert max(ImageStat.Stat(ImageChops.difference(quick, slow)).rms) < 3
