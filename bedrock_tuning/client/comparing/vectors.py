"""Vectors of a run's model, kept in the output bucket: it can be compared when it is not served.

A file for each length of vectors. It holds what the inputs are known by, not the inputs.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bedrock_tuning.client.embedding import EmbeddingInput
from bedrock_tuning.client.reports import Folder
from bedrock_tuning.errors import UserError
from bedrock_tuning.serving.comparison import Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Half the size, and nearer than any two vectors that a rank tells apart.
_NUMBER: Final = "<f4"


class Vectors(msgspec.Struct, frozen=True, kw_only=True):
    """What a model answered. model: its ARN. by_key: numbers by EmbeddingInput.key."""

    model: str
    by_key: dict[bytes, bytes]

    def has(self, item: EmbeddingInput) -> bool:
        """Whether the model was asked this."""
        return item.key in self.by_key

    def of(self, items: Iterable[EmbeddingInput]) -> "list[NDArray[Any]]":
        """One vector per input."""
        import numpy as np

        return [np.frombuffer(self.by_key[item.key], _NUMBER) for item in items]


def file_name(length: int | None) -> str:
    """length: of the vectors."""
    return f"vectors-{length}.msgpack"


def kept(folder: Folder, length: int | None) -> Vectors | None:
    """What is kept of vectors of a length; raises UserError for a file that is something else."""
    name = file_name(length)
    body = folder.find(name)
    if body is None:
        return None
    try:
        return _decode(body)
    except (msgspec.DecodeError, ValueError) as error:
        raise UserError(
            f"these are not vectors that `tuning compare` kept ({error})",
            where=folder.uri(name),
            fix="serve that run's model and compare it again",
        ) from None


def _decode(body: bytes) -> Vectors:
    import numpy as np

    vectors = msgspec.msgpack.decode(body, type=Vectors)
    if len({*map(len, vectors.by_key.values())}) != 1:
        raise ValueError("they are not of one length")
    if not np.isfinite(np.frombuffer(b"".join(vectors.by_key.values()), _NUMBER)).all():
        raise ValueError("not all are numbers")
    return vectors


def keep(
    folder: Folder,
    length: int | None,
    *,
    model: str,
    items: Sequence[EmbeddingInput],
    vectors: Sequence[Vector],
) -> None:
    """Keeps them beside what is kept of the same model, if one of them is new."""
    import numpy as np

    try:
        previous = kept(folder, length)
    except UserError:
        # It is of no use to anybody.
        previous = None
    known_vectors = previous.by_key if previous is not None and previous.model == model else {}
    encoded = (np.asarray(vector, _NUMBER).tobytes() for vector in vectors)
    merged = known_vectors | dict(zip((item.key for item in items), encoded, strict=True))
    if len(merged) > len(known_vectors):
        body = msgspec.msgpack.encode(Vectors(model=model, by_key=merged))
        folder.write(file_name(length), body, "application/vnd.msgpack")
