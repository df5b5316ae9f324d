"""Draws a dataset of real image files with captions, every picture different, and a broken one."""

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from bedrock_tuning import s3_layout

_COLOURS: Final = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink")
_SHAPES: Final = {"triangles": 3, "squares": 4, "hexagons": 6, "circles": 32}
"""Sides of each."""
_SIDES: Final = (256, 400)
# Models that draw take nothing smaller.
_LARGE: Final = (512, 640)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One drawn file: where it lies below the customization's folder, and what it shows."""

    path: str
    caption: str


def draw_pictures(
    folder: Path, *, count: int, seed: int, prefix: str, sides: tuple[int, int] = _SIDES
) -> Iterator[Picture]:
    """Draws `count` pictures into folder/images, half PNG, half JPEG; sides: least and most pixels.

    The same seed draws the same pictures; different seeds or numbers never draw the same picture.
    """
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        # Pictures, not secrets: reproducible on purpose.
        dice = random.Random(f"{seed}/{number}")  # noqa: S311
        shape = dice.choice(sorted(_SHAPES))
        back, front = dice.sample(_COLOURS, 2)
        width, height = dice.randint(*sides), dice.randint(*sides)
        image = Image.new("RGB", (width, height), back)
        pen = ImageDraw.Draw(image)
        for _ in range(dice.randint(8, 30)):
            circle = (dice.randint(0, width), dice.randint(0, height), dice.randint(6, 50))
            pen.regular_polygon(circle, _SHAPES[shape], rotation=dice.randint(0, 90), fill=front)
        name = f"{prefix}-{number:05d}.{'png' if number % 2 else 'jpg'}"
        if number % 2:
            image.save(images / name, compress_level=1)
        else:
            image.save(images / name, quality=dice.randint(80, 95))
        yield Picture(path=f"images/{name}", caption=f"{front} {shape} on {back} ground")


# What people would say of a picture.
_SAID: Final = (
    "{front} {shape} on {back} ground",
    "a picture of {front} {shape}",
    "{shape} in {front}, and behind them everything is {back}",
    "a {back} sheet with {front} {shape} on it",
    "many {front} {shape}",
)
_SUBJECTS: Final = ("Ron the dog", "Smila the cat")
_SCENES: Final = (
    "lying on a white bed", "sitting on a tile floor", "asleep in a car seat", "in the snow",
    "looking out of a window", "on a sofa", "in a basket", "under the table", "on the stairs",
    "in the garden",
)  # fmt: skip


def collect(folder: Path, *, count: int, pets: bool = False) -> int:
    """Draws pictures and writes captions.csv beside them, as people keep them; returns its rows.

    Each picture has five captions. pets: one each, and the picture stands in for a photograph.
    """
    rows = []
    sides = _LARGE if pets else _SIDES
    pictures = draw_pictures(folder, count=count, seed=0, prefix="picture", sides=sides)
    for number, picture in enumerate(pictures):
        if pets:
            scene, subject = divmod(number, len(_SUBJECTS))
            captions = [f"{_SUBJECTS[subject]} {_SCENES[scene % len(_SCENES)]}"]
        else:
            front, shape, _, back, _ = picture.caption.split(" ")
            captions = [template.format(front=front, shape=shape, back=back) for template in _SAID]
        rows += [(picture.path, text) for text in captions]
    with (folder / "captions.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("image", "caption"), *rows])
    return len(rows)


def manifest(pictures: list[Picture], *, bucket: str, customization: str) -> bytes:
    """The JSONL manifest that refers to the pictures where they will lie in S3."""
    place = s3_layout.uri(bucket, s3_layout.folder(customization))
    rows = [
        {"image-ref": f"{place}{picture.path}", "caption": picture.caption} for picture in pictures
    ]
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def break_it(folder: Path, pictures: list[Picture], *, bucket: str, customization: str) -> bytes:
    """Breaks a dataset the way people do, and returns its manifest.

    A web page saved as .jpg, a truncated PNG, an empty JPEG, a picture that is too small and one
    that is too long, a reference to a missing file, to another bucket and to a web address, a
    caption that is too long, a wrong key, and a line that is not JSON.
    """
    (folder / pictures[0].path).write_text("<!DOCTYPE html><title>404</title>")
    truncated = folder / pictures[1].path
    truncated.write_bytes(truncated.read_bytes()[:20])
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
    record = json.loads(lines[9])
    lines[9] = json.dumps({"image_ref": record["image-ref"], "caption": record["caption"]})
    lines[10] = lines[10].rstrip("}")
    return ("\n".join(lines) + "\n").encode()
