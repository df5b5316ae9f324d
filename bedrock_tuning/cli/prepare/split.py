"""Deals images out to training and validation so that equal ones are never on both sides."""

import hashlib
from collections.abc import Mapping


def validation_digests(counts: Mapping[str, int], *, share: float, seed: int) -> frozenset[str]:
    """The digests whose records belong to the validation set.

    counts: records by the digest of their image's bytes, so copies stay together. share: of all
    records that training keeps, 0 to 1. The same digests, share and seed give the same answer,
    whatever the files are called; at least one image stays in training.
    """
    wanted = round(sum(counts.values()) * (1 - share))
    order = sorted(counts, key=lambda digest: hashlib.sha256(f"{seed}/{digest}".encode()).digest())
    chosen: set[str] = set()
    taken = 0
    for digest in order[:-1]:
        if taken >= wanted:
            break
        # A group of copies that is too big for what is still wanted stays in training.
        if taken + counts[digest] <= wanted:
            chosen.add(digest)
            taken += counts[digest]
    return frozenset(chosen)
