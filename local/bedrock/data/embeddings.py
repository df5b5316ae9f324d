"""Titan Multimodal Embeddings as a simulation: vectors that depend on the input and mean nothing.

Like the real ones they are unit vectors of 256, 384 or 1,024 numbers, equal for equal inputs
and near for near ones (shared words, similar pixels); unlike them they know nothing of the world.
"""

import base64
import binascii
import hashlib
import io
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from bedrock_tuning.catalogue import BaseModel
from local.bedrock.errors import invalid

FULL_LENGTH: Final = 1024
GRID: Final = 12
"""An image is reduced to a grid of this many by this many coloured cells."""
TUNED_SHARE: Final = 0.35
"""How far a tuned model moves a vector of length 1."""


def embed(body: Mapping[str, Any], *, model: BaseModel, tuned: str | None) -> dict[str, Any]:
    """The answer to an InvokeModel body; `tuned` is the ARN of the custom model, if one is asked.

    Raises ValidationException for what the model's limits forbid.
    """
    unknown = sorted(set(body) - {"inputText", "inputImage", "embeddingConfig"})
    if unknown:
        raise invalid(f"Malformed input request: extraneous key [{unknown[0]}] is not permitted")
    length = _length(body.get("embeddingConfig"), model)
    text, image = body.get("inputText"), body.get("inputImage")
    if text is None and image is None:
        raise invalid("Malformed input request: inputText or inputImage is required")
    tokens = 0
    vectors = []
    if text is not None:
        tokens = _count_tokens(text, model)
        vectors.append(_unit(_spread(_text_features(text))))
    if image is not None:
        vectors.append(_unit(_spread(_image_features(_image(image, model)))))
    vector = [sum(numbers) / len(vectors) for numbers in zip(*vectors, strict=True)]
    if tuned is not None:
        # A tuned model moves every vector its own way.
        own = _unit(list(_direction(tuned)))
        vector = [number + TUNED_SHARE * part for number, part in zip(vector, own, strict=True)]
    return {
        "embedding": _unit(vector[:length]),
        "inputTextTokenCount": tokens,
        "message": None,
    }


def _length(config: Any, model: BaseModel) -> int:
    allowed = model.inference.embedding_lengths
    default = model.inference.embedding_length_default or FULL_LENGTH
    length = default if config is None else config.get("outputEmbeddingLength", default)
    if length not in allowed:
        raise invalid(f"outputEmbeddingLength must be one of {list(allowed)}, got {length!r}")
    return int(length)


def _count_tokens(text: Any, model: BaseModel) -> int:
    """An estimate: at least a token per word, at least one per so many characters."""
    if not isinstance(text, str) or not text:
        raise invalid("Malformed input request: inputText must be a string of at least 1 character")
    per_token = model.inference.chars_per_token or 1.0
    tokens = max(len(text.split()), math.ceil(len(text) / per_token))
    most = model.inference.text_tokens_max
    if most is not None and tokens > most:
        raise invalid(f"Input text has about {tokens} tokens; the model takes at most {most}")
    return tokens


def _image(encoded: Any, model: BaseModel) -> bytes:
    try:
        data = base64.b64decode(encoded, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise invalid("Malformed input request: inputImage is not base64") from None
    most = model.inference.image_bytes_max
    if most is not None and len(data) > most:
        raise invalid(f"The image has {len(data)} bytes; the model takes at most {most}")
    return data


def _text_features(text: str) -> Iterator[tuple[str, float]]:
    words = re.findall(r"\w+", text.lower())
    for word in words:
        yield f"word {word}", 1.0
        for start in range(len(word) - 2):
            yield f"letters {word[start : start + 3]}", 0.3
    for pair in itertools.pairwise(words):
        yield f"pair {' '.join(pair)}", 0.5
    if not words:
        yield f"text {text}", 1.0


def _image_features(data: bytes) -> Iterator[tuple[str, float]]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format not in ("PNG", "JPEG"):
                raise invalid(f"The image is {image.format}; the model takes PNG and JPEG")
            small = image.convert("RGB").resize((GRID, GRID), Image.Resampling.BOX)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise invalid("Unable to process the provided image: it cannot be decoded") from None
    channels = small.tobytes()
    mean = sum(channels) / len(channels)
    for place, value in enumerate(channels):
        yield f"cell {place}", (value - mean) / 255
    yield "brightness", mean / 255


def _spread(features: Iterator[tuple[str, float]]) -> list[float]:
    """Every feature pulls the vector in a direction of its own, which its name decides."""
    vector = [0.0] * FULL_LENGTH
    for name, weight in features:
        vector = [
            number + weight * part for number, part in zip(vector, _direction(name), strict=True)
        ]
    return vector


@lru_cache(maxsize=4096)
def _direction(name: str) -> tuple[float, ...]:
    digest = hashlib.shake_256(name.encode()).digest(FULL_LENGTH)
    return tuple(byte - 127.5 for byte in digest)


def _unit(vector: list[float]) -> list[float]:
    norm = math.sqrt(sum(number * number for number in vector)) or 1.0
    return [number / norm for number in vector]
