"""Finds equal content among the compact hashes that checks leave behind."""

from collections.abc import Iterator

from bedrock_tuning.dataset.fingerprints import unpack
from bedrock_tuning.dataset.statistics import HASH_BYTES

# Line, and the last four bytes of an entry: for an image a hash of its key.
Place = tuple[int, int]


def groups(hashes: bytes) -> Iterator[list[Place]]:
    """Places of each content that occurs more than once, first line first.

    hashes: sorted entries of HASH_BYTES, as `dataset.statistics.join_hashes` leaves them.
    """
    last = b""
    group: list[Place] = []
    for at in range(0, len(hashes), HASH_BYTES):
        content = hashes[at : at + 8]
        if content != last:
            if len(group) > 1:
                yield group
            group, last = [], content
        _, line, rest = unpack(hashes[at : at + HASH_BYTES])
        group.append((line, rest))
    if len(group) > 1:
        yield group


def shared(one: bytes, other: bytes) -> Iterator[tuple[int, int]]:
    """For each entry of `other` whose content is in `one` too: the first line there, its line."""
    first = {}
    wanted = {other[at : at + 8] for at in range(0, len(other), HASH_BYTES)}
    for at in range(0, len(one), HASH_BYTES):
        content = one[at : at + 8]
        if content in wanted and content not in first:
            first[content] = unpack(one[at : at + HASH_BYTES])[1]
    for at in range(0, len(other), HASH_BYTES):
        found = first.get(other[at : at + 8])
        if found is not None:
            yield found, unpack(other[at : at + HASH_BYTES])[1]
