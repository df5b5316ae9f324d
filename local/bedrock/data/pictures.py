"""Titan Image Generator as a simulation: real PNGs that depend on prompt, seed and model.

Each picture says on its face that it is simulated.
"""

import base64
import hashlib
import io
import random
from collections.abc import Mapping
from typing import Any, Final

from bedrock_tuning.catalogue import BaseModel
from local.bedrock.errors import invalid

# Height and width that the model offers (from the model's page on request parameters).
_LANDSCAPE: Final = (
    (512, 512),
    (768, 768),
    (1024, 1024),
    (768, 1152),
    (384, 576),
    (768, 1280),
    (384, 640),
    (896, 1152),
    (448, 576),
    (768, 1408),
    (384, 704),
    (640, 1408),
    (320, 704),
    (640, 1152),
    (640, 1173),
)
SIZES: Final = frozenset(_LANDSCAPE) | {(width, height) for height, width in _LANDSCAPE}
SEED_MOST: Final = 2_147_483_646
SEED_USUAL: Final = 42
IMAGES_MOST: Final = 5
SCALE: Final = (1.1, 10.0)
_SHAPES: Final = 24


def generate(body: Mapping[str, Any], *, model: BaseModel, tuned: str | None) -> dict[str, Any]:
    """The answer to a TEXT_IMAGE body; `tuned` is the ARN of the custom model, if one is asked.

    Raises ValidationException for what the model's limits forbid.
    """
    if body.get("taskType") != "TEXT_IMAGE":
        raise invalid(f"The simulator draws taskType TEXT_IMAGE only, not {body.get('taskType')!r}")
    texts = body.get("textToImageParams") or {}
    prompt = _text(texts.get("text"), "text", model)
    if texts.get("negativeText") is not None:
        prompt += f" without {_text(texts['negativeText'], 'negativeText', model)}"
    config = body.get("imageGenerationConfig") or {}
    size = (config.get("height", 1024), config.get("width", 1024))
    if size not in SIZES:
        raise invalid(f"height and width {size[0]} × {size[1]} are not among the model's sizes")
    count = _whole(config.get("numberOfImages", 1), "numberOfImages", 1, IMAGES_MOST)
    seed = _whole(config.get("seed", SEED_USUAL), "seed", 0, SEED_MOST)
    scale = config.get("cfgScale", 8.0)
    if not isinstance(scale, int | float) or not SCALE[0] <= scale <= SCALE[1]:
        raise invalid(f"cfgScale must be between {SCALE[0]} and {SCALE[1]}, got {scale!r}")
    if config.get("quality", "standard") not in ("standard", "premium"):
        raise invalid("quality must be standard or premium")
    images = [
        base64.b64encode(_draw(f"{tuned}|{prompt}|{seed + number}|{scale}", size)).decode()
        for number in range(count)
    ]
    return {"images": images, "error": None}


def _text(text: Any, name: str, model: BaseModel) -> str:
    most = model.inference.text_chars_max
    if not isinstance(text, str) or not text:
        raise invalid(f"textToImageParams.{name} must be text of at least 1 character")
    if most is not None and len(text) > most:
        raise invalid(f"textToImageParams.{name} has {len(text)} characters, at most {most}")
    return text


def _whole(value: Any, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise invalid(f"{name} must be a whole number from {least} to {most}, got {value!r}")
    return value


def _draw(recipe: str, size: tuple[int, int]) -> bytes:
    """A PNG of coloured shapes; `size` is height and width in pixels."""
    from PIL import Image, ImageDraw

    height, width = size
    seed = hashlib.sha256(recipe.encode()).digest()
    dice = random.Random(seed)  # noqa: S311 - has to be repeatable, protects nothing
    image = Image.new("RGB", (width, height), _colour(dice))
    pen = ImageDraw.Draw(image)
    for _ in range(_SHAPES):
        x, y = dice.randrange(width), dice.randrange(height)
        extent = dice.randrange(min(size) // 16, min(size) // 3)
        box = (x - extent, y - extent, x + extent, y + extent)
        dice.choice((pen.ellipse, pen.rectangle))(box, fill=_colour(dice))
    pen.rectangle((0, height - 14, 200, height), fill=(0, 0, 0))
    pen.text((4, height - 13), "simulated, not drawn by Titan", fill=(255, 255, 255))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _colour(dice: random.Random) -> tuple[int, int, int]:
    return dice.randrange(256), dice.randrange(256), dice.randrange(256)
