"""Vectors of many texts and images, asked of a model once and kept on disk.

A call that was answered is never paid for again: vectors are kept by model, length and the input's
hash, so that a command that was stopped goes on where it was.
"""

import hashlib
import sqlite3
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import click

from bedrock_tuning.client.asking import ask_all
from bedrock_tuning.client.inference import AskedModel
from bedrock_tuning.serving import questions

# Below the 2,000 requests a minute of Titan Multimodal Embeddings (docs/facts/inference.md): a call
# takes some 200 ms.
_AT_ONCE: Final = 6

Done = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingInput:
    """One input. identity: the same for the same input. load: reads it when it has to be asked."""

    identity: str
    load: Callable[[], str | bytes]

    @property
    def key(self) -> bytes:
        """32 bytes that stand for the identity."""
        return hashlib.sha256(self.identity.encode()).digest()


def of_text(text: str) -> EmbeddingInput:
    """A text as an input."""
    return EmbeddingInput(identity=f"text {text}", load=lambda: text)


def of_file(file: Path) -> EmbeddingInput:
    """An image file as an input, known by its content, whatever its name."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return EmbeddingInput(identity=f"image {digest}", load=file.read_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedder:
    """One model at one length. folder: of the cache. length: None for the model's own."""

    model: AskedModel
    length: int | None = None
    folder: Path = field(
        default_factory=lambda: Path(click.get_app_dir("bedrock-tuning")) / "embeddings"
    )

    def unknown(self, items: Sequence[EmbeddingInput]) -> int:
        """How many different inputs have to be asked for, and so paid for."""
        keys = {item.key for item in items}
        with self._cache() as cache:
            return sum(_read(cache, key) is None for key in keys)

    def vectors(
        self, items: Sequence[EmbeddingInput], *, done: Done = lambda _: None
    ) -> list[list[float]]:
        """One vector per input. done: called with the number of inputs that have just got one."""
        items_by_key = {item.key: item for item in items}
        with self._cache() as cache:
            vectors = {
                key: vector for key in items_by_key if (vector := _read(cache, key)) is not None
            }
            done(len(vectors))

            def keep(key: bytes, vector: list[float]) -> None:
                vectors[key] = vector
                _write(cache, key, vector)
                done(1)

            calls = {
                key: partial(self._ask, item)
                for key, item in items_by_key.items()
                if key not in vectors
            }
            ask_all(calls, at_once=_AT_ONCE, keep=keep)
        return [vectors[item.key] for item in items]

    def _ask(self, item: EmbeddingInput) -> list[float]:
        content = item.load()
        text, image = (content, None) if isinstance(content, str) else (None, content)
        question = questions.embedding(text=text, image=image, length=self.length)
        return [float(number) for number in self.model.ask(question)["embedding"]]

    @contextmanager
    def _cache(self) -> Iterator[sqlite3.Connection]:
        """The vectors of this model: a custom model's by its own ARN, whatever serves it."""
        model = self.model.tuned or self.model.id
        name = hashlib.sha256(f"{model} {self.length}".encode()).hexdigest()[:32]
        self.folder.mkdir(parents=True, exist_ok=True)
        # Each vector is kept at once, whatever ends this process; the log saves a wait for the disk
        # at each of them.
        connection = sqlite3.connect(self.folder / f"{name}.sqlite", isolation_level=None)
        with closing(connection) as cache:
            cache.execute("PRAGMA journal_mode = WAL")
            cache.execute("PRAGMA synchronous = NORMAL")
            cache.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB)")
            yield cache


def _read(cache: sqlite3.Connection, key: bytes) -> list[float] | None:
    row = cache.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
    return None if row is None else list(array("d", row[0]))


def _write(cache: sqlite3.Connection, key: bytes, vector: Sequence[float]) -> None:
    row = (key, array("d", vector).tobytes())
    cache.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?)", row)
