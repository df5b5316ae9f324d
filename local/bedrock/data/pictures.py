"""Titan Image Generator as a simulation: real PNGs that depend on prompt, seed and model.

Each picture says on its face that it is simulated.
"""

import base64
import hashlib
import io
import random
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from bedrock_tuning.catalogue import BaseModel
from local.bedrock.errors import invalid

# Widths by height, also turned (from the model's page on request parameters).
SIZES: Final = {
    320: (704,),
    384: (576, 640, 704),
    448: (576,),
    512: (512,),
    640: (1152, 1173, 1408),
    768: (768, 1152, 1280, 1408),
    896: (1152,),
    1024: (1024,),
}
_BLOTS: Final = 8
"""A picture is as many coloured blots wide and high."""


class Texts(msgspec.Struct, rename="camel"):
    """What to draw, and what not."""

    text: Annotated[str, msgspec.Meta(min_length=1)]
    negative_text: Annotated[str, msgspec.Meta(min_length=1)] | None = None


class PictureConfig(msgspec.Struct, rename="camel", frozen=True):
    """How to draw, with the model's limits and defaults."""

    height: int = 1024
    width: int = 1024
    number_of_images: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    seed: Annotated[int, msgspec.Meta(ge=0, le=2_147_483_646)] = 42
    cfg_scale: Annotated[float, msgspec.Meta(ge=1.1, le=10)] = 8.0
    quality: Literal["standard", "premium"] = "standard"


class PictureBody(msgspec.Struct, rename="camel"):
    """InvokeModel's body; other tasks are not simulated."""

    task_type: Literal["TEXT_IMAGE"]
    text_to_image_params: Texts
    image_generation_config: PictureConfig = PictureConfig()


def generate(body: Mapping[str, Any], *, model: BaseModel, tuned: str | None) -> dict[str, Any]:
    """The answer to a TEXT_IMAGE body; `tuned` is the ARN of the custom model, if one is asked.

    Raises ValidationException for what the model's limits forbid.
    """
    try:
        request = msgspec.convert(body, PictureBody)
    except msgspec.ValidationError as error:
        raise invalid(f"Malformed input request: {error}") from None
    texts, config = request.text_to_image_params, request.image_generation_config
    chars_max = model.inference.text_chars_max
    for text in (texts.text, texts.negative_text or ""):
        if chars_max is not None and len(text) > chars_max:
            raise invalid(f"A text has {len(text)} characters, the model takes at most {chars_max}")
    height, width = config.height, config.width
    if max(height, width) not in SIZES.get(min(height, width), ()):
        raise invalid(f"height and width {height} × {width} are not among the model's sizes")
    recipe = f"{tuned}|{texts.text}|{texts.negative_text}|{config.cfg_scale}"
    images = [
        base64.b64encode(_draw(f"{recipe}|{config.seed + number}", (width, height))).decode()
        for number in range(config.number_of_images)
    ]
    return {"images": images, "error": None}


def _draw(recipe: str, size: tuple[int, int]) -> bytes:
    """A PNG of coloured blots that says that it is simulated."""
    from PIL import Image, ImageDraw

    seed = hashlib.sha256(recipe.encode()).digest()
    dice = random.Random(seed)  # noqa: S311 - has to be repeatable, protects nothing
    blots = Image.frombytes("RGB", (_BLOTS, _BLOTS), dice.randbytes(3 * _BLOTS**2))
    image = blots.resize(size, Image.Resampling.BICUBIC)
    ImageDraw.Draw(image).text((4, 4), "simulated, not drawn by Titan", stroke_width=1)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
