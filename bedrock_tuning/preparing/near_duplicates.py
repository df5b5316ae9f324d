"""Near-equal pictures: the same photo saved again, resized or hardly cropped."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Final, NamedTuple

from bedrock_tuning.sources.pictures import picture

if TYPE_CHECKING:
    from PIL.Image import Image

# A difference hash of 64 bits, in bands: of two that differ in fewer bits than there are bands,
# one band is equal.
_SIDE: Final = 8
_BANDS: Final = 5
_BITS: Final = 64 // _BANDS + 1
_DISTANCE_MAX: Final = 4
# Mean difference of the colours of two tiny copies; pictures on white grounds have equal hashes.
_COLOURS_MAX: Final = 10
# Pictures that are all alike, as frames of a film, are compared with the first of them only.
_COMPARED: Final = 40


class Look(NamedTuple):
    """What a picture looks like from far away."""

    bits: int
    colours: bytes


def look_at(data: bytes) -> Look | None:
    """The look of a picture; None if it does not decode."""
    try:
        with picture(data) as image:
            # JPEG decodes at an eighth of its size for an eighth of the time.
            image.draft("RGB", (4 * _SIDE, 4 * _SIDE))
            return look_of(image)
    except Exception:
        # Decoders of broken data raise whatever they like; others tell of it.
        return None


def look_of(image: "Image") -> Look:
    """The look of a decoded picture."""
    from PIL.Image import Resampling

    small = image.resize((_SIDE + 1, _SIDE), Resampling.BOX, reducing_gap=8.0).convert("RGB")
    gray = small.convert("L").tobytes()
    bits = 0
    for row in range(_SIDE):
        for column in range(_SIDE):
            at = row * (_SIDE + 1) + column
            bits = bits << 1 | (gray[at] > gray[at + 1])
    return Look(bits, small.tobytes())


def are_near(one: Look, other: Look) -> bool:
    """Whether two pictures look the same."""
    if (one.bits ^ other.bits).bit_count() > _DISTANCE_MAX:
        return False
    distance = sum(abs(a - b) for a, b in zip(one.colours, other.colours, strict=True))
    return distance <= _COLOURS_MAX * len(one.colours)


def near_pairs(looks: Mapping[str, Look]) -> Iterator[tuple[str, str]]:
    """Pairs of names whose pictures look the same, each pair once."""
    buckets: dict[tuple[int, int], list[str]] = defaultdict(list)
    mask = (1 << _BITS) - 1
    for name, look in looks.items():
        for band in range(_BANDS):
            bucket = buckets[band, look.bits >> band * _BITS & mask]
            if len(bucket) < _COMPARED:
                bucket.append(name)
    pairs: set[tuple[str, str]] = set()
    for names in buckets.values():
        for pair in combinations(names, 2):
            if pair not in pairs and are_near(looks[pair[0]], looks[pair[1]]):
                pairs.add(pair)
                yield pair
