"""Bytes of images: what a source brings, and how long a first range has to be."""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

RANGE_BYTES_MAX: Final = 64 << 10
_RANGE_BYTES_MIN: Final = 1 << 10
# So many headers of a kind are seen before the range shrinks, and so many are remembered.
_LEARN_FROM: Final = 16
_REMEMBER: Final = 512
# A second request costs more than the bytes it saves: at most this share of images may need one.
_MISSES_ALLOWED: Final = 0.04


class ByteRange(msgspec.Struct, frozen=True, gc=False):
    """Bytes start … start + length - 1 of one object; fewer when the object ends before."""

    key: str
    start: int
    length: int


class Fetched(msgspec.Struct, frozen=True, gc=False):
    """What a range brought. size, etag: of the whole object; etag without quotes.

    An empty object, or a range behind the end, is data b"" with the true size (S3 answers 416).
    """

    data: bytes
    size: int
    etag: str


class Missing(msgspec.Struct, frozen=True, gc=False):
    """There is no such object."""

    key: str


class Denied(msgspec.Struct, frozen=True, gc=False):
    """The object may not be read."""

    key: str
    reason: str


Answer = Fetched | Missing | Denied


class ImageSource(Protocol):
    """Brings bytes of images: from S3, or from a folder on a laptop."""

    def fetch(self, ranges: Sequence[ByteRange]) -> Sequence[Answer]:
        """One answer per range, in the same order. Raises SourceError when it cannot go on."""
        ...


class FirstRange:
    """How many bytes to ask for first, learned from the headers seen so far, by file extension.

    Starts with RANGE_BYTES_MAX, which held every header of a public set of camera JPEGs, and
    shrinks to the smallest power of two that would have held nearly all of them.
    """

    def __init__(self) -> None:
        self._needed: dict[str, list[int]] = {}
        self._lengths: dict[str, int] = {}

    def length(self, key: str) -> int:
        """Bytes to ask for first; at most RANGE_BYTES_MAX."""
        return self._lengths.get(_extension(key), RANGE_BYTES_MAX)

    def learn(self, key: str, needed: int) -> None:
        """Remembers that this image's header ended `needed` bytes after its start."""
        extension = _extension(key)
        seen = self._needed.setdefault(extension, [])
        seen.append(needed)
        if len(seen) % _LEARN_FROM:
            return
        del seen[:-_REMEMBER]
        length = RANGE_BYTES_MAX
        allowed = int(len(seen) * _MISSES_ALLOWED)
        while length > _RANGE_BYTES_MIN and sum(n > length // 2 for n in seen) <= allowed:
            length //= 2
        self._lengths[extension] = length


def _extension(key: str) -> str:
    name = key.rpartition("/")[2]
    return name.rpartition(".")[2].lower()[:8] if "." in name else ""
