"""Bytes of images: what a source brings, and how long a first range has to be."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from bedrock_tuning.dataset.images.header import READ_BYTES_MIN

RANGE_BYTES_MAX: Final = 64 << 10
# What a first range may be: few bytes cost little, so the steps need not be finer.
_STEP: Final = 4 << 10
_LENGTHS: Final = (READ_BYTES_MIN, _STEP // 2, *range(_STEP, RANGE_BYTES_MAX + 1, _STEP))
# Where a header goes on behind the first range, its end is mostly near.
NEXT_BYTES: Final = 16 << 10
# So many headers of a kind are seen before the range changes, and about so many are remembered.
_LEARN_FROM: Final = 16
_REMEMBER: Final = 512
# A second request costs as much as some 64 KiB do: few images may need one, but not every image
# should pay for the deepest headers.
_MISSES_ALLOWED: Final = 0.07


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
    """There is no such object. near: a key like it that is there, where the source knows one."""

    key: str
    near: str = ""


class Denied(msgspec.Struct, frozen=True, gc=False):
    """The object may not be read."""

    key: str
    reason: str


FetchResult = Fetched | Missing | Denied


class ImageSource(Protocol):
    """Brings bytes of images: from S3, or from a folder on a laptop."""

    def fetch(self, ranges: Sequence[ByteRange]) -> Sequence[FetchResult]:
        """One answer per range, in the same order. Raises SourceError when it cannot go on."""
        ...


class FirstRange:
    """How many bytes to ask for first, learned from the headers seen so far, by file extension.

    Starts with RANGE_BYTES_MAX, which held every header of a public set of camera JPEGs, and
    shrinks to the shortest that would have held nearly all of them.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def length(self, extension: str) -> int:
        """Bytes to ask for first; at most RANGE_BYTES_MAX."""
        seen = self._seen.get(extension)
        return seen.length if seen is not None else RANGE_BYTES_MAX

    def learn(self, extension: str, length: int) -> None:
        """Remembers that the header of an image ended `length` bytes after its start."""
        # What no first range can hold says nothing about which to choose.
        if length <= RANGE_BYTES_MAX:
            seen = self._seen.get(extension)
            if seen is None:
                seen = self._seen[extension] = _Seen()
            seen.add(length)


class _Seen:
    """Headers of one extension, counted by the shortest range that holds them."""

    __slots__ = ("_counts", "_since", "length")

    def __init__(self) -> None:
        self.length = RANGE_BYTES_MAX
        self._counts = [0] * len(_LENGTHS)
        self._since = 0

    def add(self, length: int) -> None:
        self._counts[bisect_left(_LENGTHS, length)] += 1
        self._since += 1
        if self._since >= _LEARN_FROM:
            self._since = 0
            self._choose()

    def _choose(self) -> None:
        total = sum(self._counts)
        at, misses = len(_LENGTHS) - 1, 0
        while at:
            misses += self._counts[at]
            if misses > total * _MISSES_ALLOWED:
                break
            at -= 1
        self.length = _LENGTHS[at]
        if total > _REMEMBER:
            self._counts = [count // 2 for count in self._counts]


def extension_of(key: str) -> str:
    """What follows the last dot of a key's last segment, in lower case, or nothing."""
    name = key[key.rfind("/") + 1 :]
    dot = name.rfind(".")
    return name[dot + 1 :].lower() if dot >= 0 else ""
