"""Draws a dataset of real image files with captions, every picture different, and a broken one."""

import colorsys
import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

_HUES: Final = {
    "red": 0.0,
    "orange": 0.08,
    "yellow": 0.15,
    "green": 0.35,
    "teal": 0.48,
    "blue": 0.6,
    "purple": 0.77,
    "pink": 0.9,
}
_SIDE_MIN, _SIDE_MAX = 256, 400
Draw = Callable[[ImageDraw.ImageDraw, int, int, tuple[int, int, int], random.Random], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One drawn file: where it lies below the customization's folder, and what it shows."""

    path: str
    caption: str


def draw(folder: Path, *, count: int, seed: int, prefix: str) -> Iterator[Picture]:
    """Draws `count` pictures into folder/images; half PNG, half JPEG, sides of 256 to 400 pixels.

    The same seed draws the same pictures; different seeds or numbers never draw the same picture.
    """
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        # Pictures, not secrets: reproducible on purpose.
        dice = random.Random(f"{seed}/{number}")  # noqa: S311
        subject = dice.choice(sorted(_PATTERNS))
        back, front = dice.sample(sorted(_HUES), 2)
        width, height = dice.randint(_SIDE_MIN, _SIDE_MAX), dice.randint(_SIDE_MIN, _SIDE_MAX)
        image = _ground(width, height, back, dice)
        _PATTERNS[subject](ImageDraw.Draw(image), width, height, _colour(front, dice), dice)
        name = f"{prefix}-{number:05d}.{'png' if number % 2 else 'jpg'}"
        if number % 2:
            image.save(images / name, compress_level=1)
        else:
            image.save(images / name, quality=dice.randint(80, 95))
        yield Picture(path=f"images/{name}", caption=f"{front} {subject} on {back} ground")


def manifest(pictures: list[Picture], *, bucket: str, customization: str) -> bytes:
    """The JSONL manifest that refers to the pictures where they will lie in S3."""
    return "".join(
        json.dumps(
            {
                "image-ref": f"s3://{bucket}/{customization}/{picture.path}",
                "caption": picture.caption,
            },
            ensure_ascii=False,
        )
        + "\n"
        for picture in pictures
    ).encode()


def break_it(folder: Path, pictures: list[Picture], *, bucket: str, customization: str) -> bytes:
    """Breaks a dataset the way people do, and returns its manifest.

    A web page saved as .jpg, a truncated PNG, an empty JPEG, a picture that is too small and one
    that is too long, a reference to a missing file, to another bucket and to a web address, a
    caption that is too long, a wrong key, and a line that is not JSON.
    """
    (folder / pictures[0].path).write_text("<!DOCTYPE html><title>404</title>")
    cut = folder / pictures[1].path
    cut.write_bytes(cut.read_bytes()[:20])
    (folder / pictures[2].path).write_bytes(b"")
    Image.new("RGB", (200, 300), "red").save(folder / pictures[3].path)
    Image.new("RGB", (300, 1500), "blue").save(folder / pictures[4].path)
    lines = manifest(pictures, bucket=bucket, customization=customization).decode().splitlines()
    lines[5] = json.dumps(
        {"image-ref": f"s3://{bucket}/{customization}/images/missing.png", "caption": "nothing"}
    )
    lines[6] = json.dumps({"image-ref": "s3://someone-elses-bucket/a.png", "caption": "theirs"})
    lines[7] = json.dumps({"image-ref": "https://example.com/a.png", "caption": "on the web"})
    lines[8] = json.dumps({**json.loads(lines[8]), "caption": "very " * 600})
    spoilt = json.loads(lines[9])
    lines[9] = json.dumps({"image_ref": spoilt["image-ref"], "caption": spoilt["caption"]})
    lines[10] = lines[10].rstrip("}")
    return ("\n".join(lines) + "\n").encode()


def _colour(name: str, dice: random.Random) -> tuple[int, int, int]:
    hue = _HUES[name] + dice.uniform(-0.015, 0.015)
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, dice.uniform(0.6, 1), dice.uniform(0.6, 1))
    return round(red * 255), round(green * 255), round(blue * 255)


def _ground(width: int, height: int, name: str, dice: random.Random) -> Image.Image:
    """Two shades of one colour, blended along a random direction."""
    mask = Image.linear_gradient("L").rotate(dice.uniform(0, 360), expand=True)
    mask = mask.resize((width, height))
    first, second = (Image.new("RGB", (width, height), _colour(name, dice)) for _ in range(2))
    return Image.composite(first, second, mask)


def _stripes(
    pen: ImageDraw.ImageDraw,
    width: int,
    height: int,
    colour: tuple[int, int, int],
    dice: random.Random,
) -> None:
    step, lean = dice.randint(18, 60), dice.uniform(-1, 1)
    for x in range(-height, width + height, step):
        pen.line((x, 0, x + lean * height, height), fill=colour, width=step // 3)


def _squares(
    pen: ImageDraw.ImageDraw,
    width: int,
    height: int,
    colour: tuple[int, int, int],
    dice: random.Random,
) -> None:
    side = dice.randint(16, 56)
    for row, y in enumerate(range(0, height, side)):
        for x in range(side * (row % 2), width, 2 * side):
            pen.rectangle((x, y, x + side - 1, y + side - 1), fill=colour)


def _circles(
    pen: ImageDraw.ImageDraw,
    width: int,
    height: int,
    colour: tuple[int, int, int],
    dice: random.Random,
) -> None:
    for _ in range(dice.randint(8, 30)):
        x, y, radius = dice.randint(0, width), dice.randint(0, height), dice.randint(6, 50)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, width=4)


def _star(
    pen: ImageDraw.ImageDraw,
    width: int,
    height: int,
    colour: tuple[int, int, int],
    dice: random.Random,
) -> None:
    points, turn = dice.randint(5, 12), dice.uniform(0, math.tau)
    outer = min(width, height) * dice.uniform(0.25, 0.48)
    inner = outer * dice.uniform(0.3, 0.7)
    pen.polygon(
        [
            (
                width / 2 + radius * math.cos(turn + math.pi * i / points),
                height / 2 + radius * math.sin(turn + math.pi * i / points),
            )
            for i in range(2 * points)
            for radius in [inner if i % 2 else outer]
        ],
        fill=colour,
    )


def _waves(
    pen: ImageDraw.ImageDraw,
    width: int,
    height: int,
    colour: tuple[int, int, int],
    dice: random.Random,
) -> None:
    length, tall = dice.uniform(30, 120), dice.uniform(6, 30)
    for y in range(0, height, dice.randint(20, 50)):
        shift = dice.uniform(0, math.tau)
        line = [(x, y + tall * math.sin(x / length * math.tau + shift)) for x in range(0, width, 4)]
        pen.line(line, fill=colour, width=5)


_PATTERNS: Final[dict[str, Draw]] = {
    "stripes": _stripes,
    "squares": _squares,
    "circles": _circles,
    "star": _star,
    "waves": _waves,
}
