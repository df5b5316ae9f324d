"""What an image's file says of places and people is gone, and its pixels are the same."""

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.preparing.fix import fix_image
from bedrock_tuning.preparing.metadata import without_metadata
from tests.support.pictures import jpeg, png

LIMITS = catalogue()["titan-multimodal-embeddings-g1"].datasets["FINE_TUNING"].image
NAME, PLACE = b"Ada Lovelace", (51.0, 30.0, 0.0)


def exif() -> Image.Exif:
    """EXIF with a photographer and a place."""
    found = Image.Exif()
    found[0x013B] = NAME.decode()
    found.get_ifd(0x8825).update({1: "N", 2: PLACE, 3: "W", 4: PLACE})
    return found


def camera_jpeg(**options: object) -> bytes:
    return jpeg(exif=exif(), comment=b"by Ada Lovelace", quality=90, **options)


def camera_png() -> bytes:
    text = PngInfo()
    text.add_text("Author", NAME.decode())
    text.add_itxt("XML:com.adobe.xmp", f"<x>{NAME.decode()}</x>")
    return png(pnginfo=text, exif=exif())


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("make", [camera_jpeg, camera_png])
def test_names_and_places_go_and_the_pixels_stay(make: "type[bytes]") -> None:
    data = make()
    assert NAME in data
    bare = without_metadata(data)
    assert NAME not in bare
    assert not opened(bare).getexif()
    assert opened(bare).tobytes() == opened(data).tobytes()


def test_fix_removes_them_without_encoding_anew() -> None:
    assert LIMITS is not None
    data = camera_jpeg()
    fixed = fix_image(data, LIMITS)
    assert [change.kind for change in fixed.changes] == ["metadata removed"]
    assert opened(fixed.data).tobytes() == opened(data).tobytes()


@pytest.mark.parametrize("size", [(600, 100), (5000, 3000)])
def test_an_image_that_is_encoded_anew_has_none_either(size: tuple[int, int]) -> None:
    assert LIMITS is not None
    image = Image.new("RGB", size, "red")
    image.info["comment"] = NAME
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif(), comment=NAME)
    assert NAME in out.getvalue()
    assert NAME not in fix_image(out.getvalue(), LIMITS).data


def test_what_telephones_put_behind_the_image_goes_too() -> None:
    data = jpeg() + b"\xff\xd8 a second picture, a film, a place"
    assert without_metadata(data) == jpeg()


def test_colours_stay() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for data in (jpeg(icc_profile=profile, exif=exif()), png(icc_profile=profile, exif=exif())):
        assert opened(without_metadata(data)).info["icc_profile"] == profile


@pytest.mark.parametrize("cut", [3, 30, 200, -1])
def test_a_broken_file_is_left_as_it_is_or_loses_nothing_of_its_pixels(cut: int) -> None:
    for data in (camera_jpeg()[:cut], camera_png()[:cut]):
        assert without_metadata(data) == data or len(without_metadata(data)) < len(data)


def test_a_file_of_another_format_is_not_touched() -> None:
    assert without_metadata(b"GIF89a") == b"GIF89a"
