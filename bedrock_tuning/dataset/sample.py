"""Some records of a manifest, evenly spread over it, without reading all of it."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.s3_layout import split_uri

SHOWN: Final = 24
# Longer lines are left out: a record with a picture has some hundred bytes.
_PIECE: Final = 64 << 10


class Sampled(NamedTuple):
    """A record with an image that is where it should be. caption: all that is said about it."""

    key: str
    caption: str


def sampled(read: Callable[[int, int], bytes], size: int, scope: DatasetScope) -> list[Sampled]:
    """Records with an image, at most SHOWN.

    read: so many bytes of the manifest from a start, fewer at its end. size: of the manifest.
    """
    result: list[Sampled] = []
    for line in _lines(read, size) if size else ():
        record = _record(line, scope)
        if record is not None and record not in result:
            result.append(record)
    return result


def _lines(read: Callable[[int, int], bytes], size: int) -> Iterator[bytes]:
    if size <= SHOWN * _PIECE:
        lines = [line for line in read(0, size).splitlines() if line.strip()]
        count = min(SHOWN, len(lines))
        yield from (lines[place * len(lines) // count] for place in range(count))
        return
    for place in range(SHOWN):
        start = place * size // SHOWN
        piece = read(start, _PIECE)
        # But at its very start, a piece begins somewhere within a line.
        first, _, rest = piece.partition(b"\n")
        yield first if not start else rest.partition(b"\n")[0]


def _record(line: bytes, scope: DatasetScope) -> Sampled | None:
    try:
        value = msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(value, dict):
        return None
    record = Record(line=1, value=value, scope=scope)
    images = [ref.uri for ref in record.refs if ref.kind == "image" and not ref.problem]
    return Sampled(split_uri(images[0])[1], " ".join(record.texts)) if images else None
