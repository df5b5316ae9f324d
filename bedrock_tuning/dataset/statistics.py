"""What a dataset is like in numbers: bounded, mergeable statistics of manifests and images."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import msgspec

HASH_BYTES: Final = 16
HASHES_KEPT: Final = 1 << 20
CLASSES_KEPT: Final = 64
_CLASS: Final = 200
_FINGERPRINTS: Final = 1 << 256

Histogram = dict[int, int]
_Key = TypeVar("_Key")


class ValueCounts(msgspec.Struct, kw_only=True):
    """How often each value occurs, while there are at most CLASSES_KEPT different ones.

    counts is None once there were more: then the values are no classes. This state absorbs, so the
    result is the same in whatever order values are counted or merged.
    """

    counts: dict[str, int] | None = msgspec.field(default_factory=dict)

    def add(self, values: Mapping[str, int]) -> None:
        """Counts values."""
        if self.counts is None:
            return
        for text, count in values.items():
            value = text if len(text) <= _CLASS else f"{text[:_CLASS]}… {_digest(text)}"
            self.counts[value] = self.counts.get(value, 0) + count
        if len(self.counts) > CLASSES_KEPT:
            self.counts = None

    def merge(self, other: "ValueCounts") -> None:
        """Adds another count."""
        if other.counts is None:
            self.counts = None
        else:
            self.add(other.counts)


class TextStats(msgspec.Struct, kw_only=True):
    """What one manifest's text says about the whole dataset.

    records: lines that are not blank. size: in bytes. sha256: of all bytes, set by who read them.
    characters: of all texts together.
    lengths: characters (rounded by `bucket`) by text: "caption", "prompt", … and "record" for
    conversations; longest: the same, not rounded. captions: different ones with their counts.
    languages: of the first captions, how many are in which language, without unsure ones; judged:
    how many were examined.
    media: records with an image, a video or a document, by kind.
    outside: folders of images that the service role does not cover, the first by name.
    foreign: the file is no JSON Lines, so that nothing else is known of it.
    unseen: images that the checker could not reach and did not check.
    bucket_region: the AWS Region of the dataset's bucket; "" where nobody knows it.
    hashes: of text records, 16 bytes each: 8 of a hash of the content, 4 of the line, 4 of the
    length; at most the caller's bound, the smallest. hashed: how many there were.
    """

    lines: int = 0
    records: int = 0
    size: int = 0
    sha256: str = ""
    characters: int = 0
    empty: dict[str, int] = msgspec.field(default_factory=dict)
    lengths: dict[str, Histogram] = msgspec.field(default_factory=dict)
    longest: dict[str, int] = msgspec.field(default_factory=dict)
    captions: ValueCounts = msgspec.field(default_factory=ValueCounts)
    languages: dict[str, int] = msgspec.field(default_factory=dict)
    judged: int = 0
    media: dict[str, int] = msgspec.field(default_factory=dict)
    outside: dict[str, int] = msgspec.field(default_factory=dict)
    foreign: bool = False
    unseen: int = 0
    bucket_region: str = ""
    hashed: int = 0
    hashes: bytes = b""


class ImageStats(msgspec.Struct, kw_only=True):
    """What some images say about the whole dataset.

    fingerprint: sum modulo 2^256 of SHA-256 over key, size and ETag of each image, hexadecimal.
    hashes: 16 bytes per image: 8 of a hash of ETag and size, 4 of the line, 4 of a hash of the key;
    at most HASHES_KEPT, the smallest, so memory is bounded and any split gives the same set.
    hashed: how many there were.
    sizes: "width height" in pixels, both rounded by `bucket`. aspects: round(8 log2(width/height)).
    """

    checked: int = 0
    hashed: int = 0
    fingerprint: str = "0"
    hashes: bytes = b""
    formats: dict[str, int] = msgspec.field(default_factory=dict)
    sizes: dict[str, int] = msgspec.field(default_factory=dict)
    aspects: Histogram = msgspec.field(default_factory=dict)
    file_sizes: Histogram = msgspec.field(default_factory=dict)
    folders: ValueCounts = msgspec.field(default_factory=ValueCounts)


def add_counts(into: dict[_Key, int], other: Mapping[_Key, int]) -> None:
    """Adds one count to another."""
    for key, count in other.items():
        into[key] = into.get(key, 0) + count


def join_hashes(parts: Iterable[bytes], *, most: int = HASHES_KEPT) -> bytes:
    """All entries in ascending order, at most the `most` smallest."""
    blob = b"".join(parts)
    entries = sorted(blob[at : at + HASH_BYTES] for at in range(0, len(blob), HASH_BYTES))
    return b"".join(entries[:most])


def add_fingerprints(*hexadecimal: str) -> str:
    """The sum modulo 2^256 of fingerprints, as hexadecimal."""
    return f"{sum(int(value, 16) for value in hexadecimal) % _FINGERPRINTS:x}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def bucket(value: int) -> int:
    """The value rounded down to four binary digits: keeps a histogram small, within 12.5 %.

    What lies above such a number is one more than it, so that a value that is exactly at a limit is
    told from one that is beyond.
    """
    shift = max(0, value.bit_length() - 4)
    rounded = value >> shift << shift
    return rounded + (value > rounded)
