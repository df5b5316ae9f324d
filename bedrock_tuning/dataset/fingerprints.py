"""Fingerprints of datasets and hashes of their content: equal data, equal images and records."""

import hashlib
import struct
import zlib
from collections.abc import Iterator, Sequence

from bedrock_tuning.dataset.statistics import HASH_BYTES

_SAMPLE = 256
_TEXT_BITS = 24
_TEXT_MASK = (1 << _TEXT_BITS) - 1
_TWO = struct.Struct(">II")
_FOUR = struct.Struct(">IIII")


def image_fingerprint(*, key: str, size: int, etag: str) -> int:
    """SHA-256 over one image's key, size and ETag; the dataset's is the sum modulo 2^256."""
    # Size and ETag hold no newline, so the text can be cut in one way only.
    text = f"{size}\n{etag}\n{key}"
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


def image_hash(*, line: int, key: str, size: int, etag: str, text: int = 0) -> bytes:
    """16 bytes: 8 that equal images share (ETag and size), 4 of the line, 1 of the key, 3 of text.

    One byte is enough to tell copies from one image with several captions: a copy whose key has the
    same byte by chance, one in 256, is told only if its caption is the same, too.
    """
    content = hashlib.blake2b(f"{size}\n{etag}".encode(), digest_size=8).digest()
    tag = zlib.crc32(key.encode()) << _TEXT_BITS | text & _TEXT_MASK
    return content + _TWO.pack(line & 0xFFFFFFFF, tag & 0xFFFFFFFF)


def copies(group: Sequence["Occurrence"]) -> Iterator[tuple[int, bool]]:
    """The lines of a group of equal images that are copies, with whether under the same key.

    One image with several texts is no copy. group: as `groups` gives it.
    """
    first = group[0][1] >> _TEXT_BITS
    seen: set[int] = set()
    for line, tag in group:
        is_same = tag >> _TEXT_BITS == first
        if tag in seen or not is_same:
            yield line, is_same
        seen.add(tag)


def record_hash(*, line: int, content: bytes | memoryview) -> bytes:
    """16 bytes: 8 that equal records share, 4 of the line, 4 of the length.

    Long records: CRC-32 of all bytes and Adler-32 of both ends, since BLAKE2 over everything would
    take as long as all other checks. Two different records with equal ends are then taken for equal
    once in 2^32 pairs.
    """
    size = len(content)
    if size > 2 * _SAMPLE:
        ends = zlib.adler32(content[-_SAMPLE:], zlib.adler32(content[:_SAMPLE]))
        return _FOUR.pack(zlib.crc32(content), ends, line & 0xFFFFFFFF, size & 0xFFFFFFFF)
    digest = hashlib.blake2b(content, digest_size=8).digest()
    return digest + _TWO.pack(line & 0xFFFFFFFF, size & 0xFFFFFFFF)


# Line, and the last four bytes of an entry: for an image hashes of its key and of its text.
Occurrence = tuple[int, int]


def _entries(hashes: bytes) -> Iterator[tuple[bytes, Occurrence]]:
    for at in range(0, len(hashes), HASH_BYTES):
        yield hashes[at : at + 8], _TWO.unpack_from(hashes, at + HASH_BYTES - 8)


def groups(hashes: bytes) -> Iterator[list[Occurrence]]:
    """Occurrences of each content that occurs more than once, first line first.

    hashes: sorted entries of HASH_BYTES, as `dataset.statistics.join_hashes` leaves them.
    """
    last = b""
    group: list[Occurrence] = []
    for content, occurrence in _entries(hashes):
        if content != last:
            if len(group) > 1:
                yield group
            group, last = [], content
        group.append(occurrence)
    if len(group) > 1:
        yield group


def shared(one: bytes, other: bytes) -> Iterator[tuple[int, int]]:
    """For each entry of `other` whose content is in `one` too: the first line there, its line."""
    contents = {content for content, _ in _entries(other)}
    first: dict[bytes, int] = {}
    for content, (line, _) in _entries(one):
        if content in contents:
            first.setdefault(content, line)
    for content, (line, _) in _entries(other):
        if content in first:
            yield first[content], line
