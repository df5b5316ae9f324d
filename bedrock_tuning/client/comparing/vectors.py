"""Vectors of a run's model, kept in the output bucket: it can be compared when it is not served.

A file of NumPy's for each length of vectors. It holds what the inputs are known by, not the inputs,
and is read without pickle: who may write there cannot run anything where it is read.
"""

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bedrock_tuning.client.embedding import EmbeddingInput
from bedrock_tuning.client.reports import Folder
from bedrock_tuning.errors import UserError
from bedrock_tuning.serving.comparison import Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEY_BYTES: Final = 32
# Of a file that somebody else wrote, or that is not whole.
_UNREADABLE: Final = (
    *(ValueError, KeyError, OSError, EOFError, MemoryError, OverflowError, zipfile.BadZipFile),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """What a model answered. model: its ARN. by_key: vectors by EmbeddingInput.key."""

    model: str
    by_key: "dict[bytes, NDArray[Any]]" = field(default_factory=dict)

    def has(self, item: EmbeddingInput) -> bool:
        """Whether the model was asked this."""
        return item.key in self.by_key

    def of(self, items: Iterable[EmbeddingInput]) -> "list[NDArray[Any]]":
        """One vector per input."""
        return [self.by_key[each.key] for each in items]


def file_name(length: int | None) -> str:
    """length: of the vectors."""
    return f"vectors-{length}.npz"


def kept(folder: Folder, length: int | None) -> Vectors | None:
    """What is kept of vectors of a length; raises UserError for a file that is something else."""
    name = file_name(length)
    body = folder.find(name)
    if body is None:
        return None
    try:
        return _decoded(body)
    except _UNREADABLE as error:
        raise UserError(
            f"these are not vectors that `tuning compare` kept ({type(error).__name__})",
            where=folder.uri(name),
            fix="serve that run's model and compare it again",
        ) from None


def keep(
    folder: Folder,
    length: int | None,
    *,
    run: str,
    model: str,
    items: Sequence[EmbeddingInput],
    vectors: Sequence[Vector],
) -> None:
    """Keeps them beside what is kept of the same model, if one of them is new."""
    import numpy as np

    try:
        before = kept(folder, length)
    except UserError:
        # It is of no use to anybody.
        before = None
    known = before.by_key if before is not None and before.model == model else {}
    # Half the size, and nearer than any two vectors that a rank tells apart.
    asked = (np.asarray(vector, dtype=np.float32) for vector in vectors)
    found = known | dict(zip((each.key for each in items), asked, strict=True))
    if len(found) > len(known):
        body = _encoded(Vectors(model=model, by_key=found), run)
        folder.write(file_name(length), body, "application/zip")


def _encoded(vectors: Vectors, run: str) -> bytes:
    import numpy as np

    file = io.BytesIO()
    np.savez(
        file,
        model=np.asarray(vectors.model),
        run=np.asarray(run),
        keys=np.frombuffer(b"".join(vectors.by_key), dtype=np.uint8).reshape(-1, _KEY_BYTES),
        vectors=np.stack(list(vectors.by_key.values())),
    )
    return file.getvalue()


def _decoded(body: bytes) -> Vectors:
    """Raises one of _UNREADABLE. Nothing may be compressed: a small file has no large content."""
    import numpy as np

    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        if any(each.compress_type != zipfile.ZIP_STORED for each in archive.infolist()):
            raise ValueError("compressed")
    with np.load(io.BytesIO(body), allow_pickle=False) as file:
        model, keys, vectors = str(file["model"]), file["keys"], file["vectors"]
    fits = keys.dtype == np.uint8 and keys.ndim == 2 and keys.shape[1] == _KEY_BYTES
    if not fits or vectors.dtype != np.float32 or vectors.ndim != 2 or len(keys) != len(vectors):
        raise ValueError("other shapes")
    if not np.isfinite(vectors).all():
        raise ValueError("not numbers")
    return Vectors(model=model, by_key=dict(zip(map(bytes, keys), vectors, strict=True)))
