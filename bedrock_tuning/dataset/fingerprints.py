"""Fingerprints of datasets: the same data is the same run, an image is found twice."""

import hashlib
import struct
import zlib

from bedrock_tuning.dataset.statistics import HASH_BYTES

_SAMPLE = 256
_TWO = struct.Struct(">II")
_FOUR = struct.Struct(">IIII")


def image_fingerprint(*, key: str, size: int, etag: str) -> int:
    """SHA-256 over one image's key, size and ETag; the dataset's is the sum modulo 2^256."""
    # Size and ETag hold no newline, so the text can be cut in one way only.
    text = f"{size}\n{etag}\n{key}"
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


def image_hash(*, line: int, key: str, size: int, etag: str) -> bytes:
    """16 bytes: 8 that equal images share (ETag and size), 4 of the line, 4 of the key's CRC-32."""
    content = hashlib.blake2b(f"{size}\n{etag}".encode(), digest_size=8).digest()
    return content + _TWO.pack(line & 0xFFFFFFFF, zlib.crc32(key.encode()))


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


def unpack(entry: bytes) -> tuple[bytes, int, int]:
    """Content, line and key hash of one entry."""
    line, key = _TWO.unpack_from(entry, HASH_BYTES - 8)
    return entry[:8], line, key
