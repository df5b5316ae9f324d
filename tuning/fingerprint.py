"""Fingerprints of datasets: the same data is the same run, an image is found twice."""

import hashlib
import struct
import zlib

from tuning.partial import HASH_BYTES

_SAMPLE = 512


def image_fingerprint(*, key: str, size: int, etag: str) -> int:
    """SHA-256 over one image's key, size and ETag; the dataset's is the sum modulo 2^256."""
    # Size and ETag hold no newline, so the text can be cut in one way only.
    text = f"{size}\n{etag}\n{key}"
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


def image_hash(*, line: int, key: str, size: int, etag: str) -> bytes:
    """16 bytes: 8 that equal images share (ETag and size), 4 of the line, 4 of the key's CRC-32."""
    content = hashlib.blake2b(f"{size}\n{etag}".encode(), digest_size=8).digest()
    return content + struct.pack(">II", line & 0xFFFFFFFF, zlib.crc32(key.encode()))


def record_hash(*, line: int, content: bytes | memoryview) -> bytes:
    """16 bytes: 8 that equal records share, 4 of the line, 4 of the length.

    Long records: CRC-32 of all bytes and Adler-32 of three samples, since BLAKE2 over everything
    would take as long as all other checks. Two different records of one length are then taken for
    equal once in 2^32 pairs, if even their beginning, middle and end are the same.
    """
    size = len(content)
    if size <= 4 * _SAMPLE:
        digest = hashlib.blake2b(content, digest_size=8).digest()
    else:
        middle = size // 2
        sample = zlib.adler32(content[:_SAMPLE])
        sample = zlib.adler32(content[middle : middle + _SAMPLE], sample)
        sample = zlib.adler32(content[-_SAMPLE:], sample)
        digest = struct.pack(">II", zlib.crc32(content), sample)
    return digest + struct.pack(">II", line & 0xFFFFFFFF, size & 0xFFFFFFFF)


def unpack(entry: bytes) -> tuple[bytes, int, int]:
    """Content, line and key hash of one entry."""
    line, key = struct.unpack_from(">II", entry, HASH_BYTES - 8)
    return entry[:8], line, key
