"""Small datasets of real image files."""

import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

MODEL = "titan-image-generator-v2"


def picture(
    path: Path, *, number: int = 0, size: tuple[int, int] = (512, 512), **save: object
) -> Path:
    """A picture that no other number has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size, (number * 37 % 256, number * 59 % 256, 90))
    ImageDraw.Draw(image).ellipse((9, 9, 60 + number % 200, 200), fill=(250, number % 256, 0))
    image.save(path, **save)  # type: ignore[arg-type]
    return path


def ending(prepared: dict[str, Any], *, dropped_max: float = 0.05) -> int:
    """The exit code that `tuning prepare` owes to what it says of a dataset."""
    verdict = prepared["verdict"]
    rejected = verdict is not None and not verdict["valid"]
    return int(rejected or prepared["dropped"] > dropped_max)


def record(image: str, caption: str = "a dog on a red ground") -> str:
    """A line of a manifest with its newline."""
    return json.dumps({"image-ref": image, "caption": caption}) + "\n"


def dataset(folder: Path, *, count: int = 6, bucket: str = "train") -> Path:
    """A manifest beside its images, as the deployment wants it below pets/; returns its path."""
    lines = []
    for number in range(count):
        name = f"images/{number}.png"
        picture(folder / name, number=number)
        lines.append(record(f"s3://{bucket}/pets/{name}", f"a dog, picture {number}"))
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(lines), "utf-8")
    return manifest
