"""Titan Multimodal Embeddings as a simulation: vectors that depend on the input and mean nothing.

Like the real ones they are unit vectors of 256, 384 or 1,024 numbers, equal for equal inputs
and near for near ones (shared words, similar pixels); unlike them they know nothing of the world.
Only a tuned model brings pictures near to words, by what it learned (local.bedrock.data.learning).
"""

import hashlib
import io
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from PIL import Image, UnidentifiedImageError

from bedrock_tuning.catalogue import BaseModel
from local.bedrock.data import learning
from local.bedrock.data.learning import Numbers
from local.bedrock.errors import BedrockError, invalid

FULL_LENGTH: Final = 1024
GRID: Final = 12
"""An image is reduced to a grid of this many by this many coloured cells."""
TUNED_SHARE: Final = 0.35
"""How far a tuned model moves a vector of length 1."""


class EmbeddingConfig(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """How long the vector shall be."""

    output_embedding_length: int | None = None


class EmbeddingBody(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """InvokeModel's body; the image comes in base64."""

    input_text: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    input_image: bytes | None = None
    embedding_config: EmbeddingConfig = EmbeddingConfig()


def embed(
    body: Mapping[str, Any], *, model: BaseModel, tuned: str | None, learned: str | None = None
) -> dict[str, Any]:
    """The answer to an InvokeModel body.

    `tuned` is the ARN of the custom model, if one is asked, and `learned` what it learned.

    Raises ValidationException for what the model's limits forbid.
    """
    try:
        request = msgspec.convert(body, EmbeddingBody)
    except msgspec.ValidationError as error:
        raise invalid(f"Malformed input request: {error}") from None
    text, image, limits = request.input_text, request.input_image, model.inference
    length = request.embedding_config.output_embedding_length
    length = limits.embedding_length_default or FULL_LENGTH if length is None else length
    if length not in limits.embedding_lengths:
        raise invalid(f"outputEmbeddingLength must be one of {list(limits.embedding_lengths)}")
    if text is None and image is None:
        raise invalid("Malformed input request: inputText or inputImage is required")
    tokens = 0
    vectors = []
    if text is not None:
        tokens = _count_tokens(text, model)
        vectors.append(_unit(_spread(_text_features(text))))
    if image is not None:
        if limits.image_bytes_max is not None and len(image) > limits.image_bytes_max:
            raise invalid(f"The image has {len(image)} bytes, at most {limits.image_bytes_max}")
        vectors.append(_image_vector(image, learned))
    vector: Numbers = np.mean(vectors, axis=0)
    if tuned is not None:
        # A tuned model moves every vector its own way.
        vector = vector + TUNED_SHARE * _unit(_direction(tuned))
    return {
        "embedding": _unit(vector[:length]).tolist(),
        "inputTextTokenCount": tokens,
        "message": None,
    }


def _count_tokens(text: str, model: BaseModel) -> int:
    """An estimate: at least a token per word, at least one per so many characters."""
    per_token = model.inference.chars_per_token or 1.0
    tokens = max(len(text.split()), math.ceil(len(text) / per_token))
    tokens_max = model.inference.text_tokens_max
    if tokens_max is not None and tokens > tokens_max:
        raise invalid(f"Input text has about {tokens} tokens; the model takes at most {tokens_max}")
    return tokens


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


def learn(pictures: Iterable[tuple[bytes, Sequence[str]]]) -> str | None:
    """What a model learns from pictures and their captions; None for nothing.

    A picture that cannot be decoded teaches nothing: what the model refuses is told elsewhere.
    """
    colors, targets = [], []
    for data, captions in pictures:
        with suppress(BedrockError), _open(data) as image:
            colors += [learning.colors(image)] * len(captions)
            targets += [_unit(_spread(_text_features(caption))) for caption in captions]
    return learning.fit(colors, targets)


def _image_vector(data: bytes, learned: str | None) -> Numbers:
    """The vector of an image; half of it are the words that the model has learned to see in it."""
    with _open(data) as image:
        vector = _unit(_spread(_image_features(image)))
        if learned is None:
            return vector
        words = learning.recall(learned, learning.colors(image))
    return _unit(vector + words)


@contextmanager
def _open(data: bytes) -> Iterator[Image.Image]:
    """Raises ValidationException for what the model cannot read."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format not in ("PNG", "JPEG"):
                raise invalid(f"The image is {image.format}; the model takes PNG and JPEG")
            image.load()
            yield image
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise invalid("Unable to process the provided image: it cannot be decoded") from None


def _image_features(image: Image.Image) -> Iterator[tuple[str, float]]:
    small = image.convert("RGB").resize((GRID, GRID), Image.Resampling.BOX)
    channels = small.tobytes()
    mean = sum(channels) / len(channels)
    for place, value in enumerate(channels):
        yield f"cell {place}", (value - mean) / 255
    yield "brightness", mean / 255


def _spread(features: Iterable[tuple[str, float]]) -> Numbers:
    """Every feature pulls the vector in a direction of its own, which its name decides."""
    spread: Numbers = np.sum([weight * _direction(name) for name, weight in features], axis=0)
    return spread


@lru_cache(maxsize=4096)
def _direction(name: str) -> Numbers:
    digest = hashlib.shake_256(name.encode()).digest(FULL_LENGTH)
    return np.frombuffer(digest, np.uint8) - 127.5


def _unit(vector: Numbers) -> Numbers:
    unit: Numbers = vector / (np.linalg.norm(vector) or 1.0)
    return unit
