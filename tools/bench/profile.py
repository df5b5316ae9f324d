"""Where the time of a row goes: each question of the proof of image records, measured alone.

checking/fast_path_records.py asks the same in one function, whose parts a profiler cannot tell
apart: they are loops inside of C functions.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from io import BytesIO
from itertools import repeat
from operator import contains
from pathlib import Path
from typing import Any, Final

import msgspec

from tools.bench.row_peers import ImageRow

_BLOCK: Final = 256 << 10
_TIMES: Final = 5


def profile(path: Path) -> dict[str, float]:
    """Nanoseconds per row of each step, the best of a few times."""
    data = path.read_bytes()
    blocks = _blocks(data)
    decoder = msgspec.json.Decoder(ImageRow)
    rows = [decoder.decode_lines(block) for block in blocks]
    refs = [[row.ref for row in each] for each in rows]
    captions = [[row.caption for row in each] for each in rows]
    count = sum(map(len, rows))
    steps: Mapping[str, tuple[Callable[[Any], object], list[Any]]] = {
        "decode a block, whatever the lines": (decoder.decode_lines, blocks),
        "decode line by line": (lambda block: list(map(decoder.decode, BytesIO(block))), blocks),
        "take references and captions": (_take, rows),
        "count lengths of captions": (lambda each: Counter(map(len, each)), captions),
        "no caption is white space": (lambda each: any(map(str.isspace, each)), captions),
        "references begin with the prefix": (lambda each: (min(each), max(each)), refs),
        "no reference has dots": (lambda each: any(map(contains, each, repeat("/."))), refs),
        "no key is given twice (quotes)": (lambda block: block.count(b'"'), blocks),
    }
    return {what: _best(step, over) / count * 1e9 for what, (step, over) in steps.items()}


def _take(rows: list[ImageRow]) -> tuple[list[str], list[str]]:
    return [row.ref for row in rows], [row.caption for row in rows]


def _blocks(data: bytes) -> list[bytes]:
    found, start = [], 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + _BLOCK) + 1
        found.append(data[start:end])
        start = end
    return found


def _best(step: Callable[[Any], object], over: list[Any]) -> float:
    best = float("inf")
    for _ in range(_TIMES):
        began = time.process_time()
        for each in over:
            step(each)
        best = min(best, time.process_time() - began)
    return best
