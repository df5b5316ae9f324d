"""What a simulated model of embeddings learns: which words go with which colors.

A linear map from an image's colors to the vectors of its captions, fitted to the training pairs. A
dataset whose captions say something about the colors is learned, also for pictures that were never
trained on; of one whose captions do not, nothing is. So a comparison of base and tuned model moves,
and moves for a reason. It is not what Bedrock does.
"""

import base64
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PAIRS_MAX: Final = 256
"""How many pairs of a dataset are learned from: decoding images takes time."""
_PAIRS_MIN: Final = 20
COLORS: Final = 6**3
"""How many colors are told apart."""
_RANK: Final = 24
"""How many directions of the map are kept: some tens of kilobytes per model."""
_RIDGE: Final = 1.0
"""How much evidence a color needs before it says something."""

Numbers = NDArray[Any]


def colors(image: Image.Image) -> Numbers:
    """How much of each color an image has; a vector of length 1."""
    small = image.convert("RGB").resize((48, 48), Image.Resampling.NEAREST)
    levels = np.asarray(small).reshape(-1, 3) // 43
    counts = np.bincount(levels @ np.array([36, 6, 1]), minlength=COLORS)
    shares: Numbers = np.sqrt(counts / counts.sum())
    return shares


def fit(color_rows: Sequence[Numbers], word_rows: Sequence[Numbers]) -> str | None:
    """The map as text, kept with the model; None if it says nothing about pairs it did not see.

    color_rows, word_rows: colors and words of each training pair.
    """
    if len(color_rows) < _PAIRS_MIN:
        return None
    images, texts = np.stack(color_rows), np.stack(word_rows)
    texts = texts - texts.mean(axis=0)
    split = len(images) * 4 // 5
    trial = images[split:] @ _solve(images[:split], texts[:split])
    if (trial * texts[split:]).sum() <= (trial * trial).sum() / 2:
        return None
    left_vectors, sizes, right_vectors = np.linalg.svd(_solve(images, texts), full_matrices=False)
    parts = np.concatenate([(left_vectors * sizes)[:, :_RANK].T, right_vectors[:_RANK]], axis=1)
    return base64.b64encode(parts.astype(np.float16).tobytes()).decode()


def _solve(images: Numbers, texts: Numbers) -> Numbers:
    square = images.T @ images + _RIDGE * np.eye(COLORS)
    solved: Numbers = np.linalg.solve(square, images.T @ texts)
    return solved


def recall(learned: str, image: Numbers) -> Numbers:
    """The words that go with an image's colors, as a vector of length 1."""
    parts = np.frombuffer(base64.b64decode(learned), np.float16).astype(np.float64)
    parts = parts.reshape(_RANK, -1)
    words = (parts[:, :COLORS] @ image) @ parts[:, COLORS:]
    vector: Numbers = words / (np.linalg.norm(words) or 1.0)
    return vector
