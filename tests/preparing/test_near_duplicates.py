"""Pictures that look the same are found, and others are not taken for them."""

import io

from PIL import Image

from bedrock_tuning.preparing.near_duplicates import look_at, near_pairs
from tests.support.pictures import jpeg, png


def photo(noise: int) -> Image.Image:
    image = Image.open(io.BytesIO(png(400, 300, mode="RGB", noise=noise)))
    image.load()
    return image


def saved(image: Image.Image, format: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def near(**pictures: bytes) -> set[tuple[str, str]]:
    looks = {name: look for name, data in pictures.items() if (look := look_at(data)) is not None}
    return set(near_pairs(looks))


def test_the_same_photo_saved_resized_and_hardly_cropped_is_near() -> None:
    image = photo(1)
    assert near(a=saved(image), b=saved(image, quality=40)) == {("a", "b")}
    assert near(a=saved(image), b=saved(image.resize((200, 150)), "PNG")) == {("a", "b")}
    assert near(a=saved(image), b=saved(image.crop((3, 3, 397, 297)))) == {("a", "b")}


def test_other_photos_are_not() -> None:
    assert near(**{f"p{n}": jpeg(noise=n) for n in range(60)}) == set()


def test_white_and_black_are_not() -> None:
    plain = {name: saved(Image.new("RGB", (300, 300), name)) for name in ("white", "black", "red")}
    assert near(**plain) == set()


def test_what_does_not_decode_has_no_look() -> None:
    assert look_at(b"<html>") is None


def test_a_thousand_equal_pictures_do_not_take_for_ever() -> None:
    look = look_at(jpeg())
    assert look is not None
    pairs = list(near_pairs({str(n): look for n in range(2_000)}))
    assert 0 < len(pairs) < 2_000
