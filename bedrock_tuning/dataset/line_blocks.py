"""Cuts a stream of bytes into blocks of whole lines, in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bedrock_tuning.dataset.json_lines import LINE_BYTES_MAX

# Large enough that work per block does not count, small enough for a processor's cache.
BLOCK_BYTES: Final = 256 << 10


@dataclass(slots=True, eq=False)
class OversizedLine:
    """A line of more than LINE_BYTES_MAX bytes, thrown away; length without its newline."""

    length: int


class Blocks:
    """Collects chunks of any size; gives out blocks, each of whole lines with their newlines.

    A block has at most block_bytes, or is one longer line. A last line without newline gets one.
    Holds at most LINE_BYTES_MAX and one chunk.
    """

    def __init__(self, *, block_bytes: int = BLOCK_BYTES) -> None:
        self._block_bytes = block_bytes
        self._pieces: list[bytes] = []
        self._held = 0
        self._wanted = block_bytes
        self._skipped: int | None = None

    def feed(self, chunk: bytes) -> Iterator[bytes | OversizedLine]:
        """Takes the next bytes, gives what they complete."""
        if self._skipped is not None:
            end = chunk.find(b"\n")
            if end < 0:
                self._skipped += len(chunk)
                return
            yield OversizedLine(self._skipped + end)
            self._skipped = None
            chunk = chunk[end + 1 :]
        self._pieces.append(chunk)
        self._held += len(chunk)
        if self._held >= self._wanted:
            yield from self._release()

    def finish(self) -> Iterator[bytes | OversizedLine]:
        """What is left when the stream has ended."""
        if self._skipped is not None:
            yield OversizedLine(self._skipped)
        elif self._held:
            yield from self._release()
            if self._skipped is not None:
                yield OversizedLine(self._skipped)
            elif self._held:
                last = b"".join((*self._pieces, b"\n"))
                yield from cut(last, 0, len(last), most=self._block_bytes)

    def _release(self) -> Iterator[bytes | OversizedLine]:
        *before, data = self._pieces
        start = 0
        if before:
            # Copy what waits and the first line of the new chunk, not the whole chunk.
            start = data.find(b"\n") + 1
            head = b"".join((*before, data[:start] if start else data))
            if start:
                yield from cut(head, 0, len(head), most=self._block_bytes)
            else:
                data = head
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        self._pieces, self._held = [rest], len(rest)
        # Without a newline wait for twice as much: tiny chunks must not be joined over and over.
        self._wanted = max(self._block_bytes, min(2 * self._held, LINE_BYTES_MAX + 1))
        if self._held > LINE_BYTES_MAX:
            self._pieces, self._held, self._wanted = [], 0, self._block_bytes
            self._skipped = len(rest)
        yield from cut(data, start, end, most=self._block_bytes)


def cut(data: bytes, start: int, end: int, *, most: int) -> Iterator[bytes | OversizedLine]:
    """Whole lines of data[start:end], which ends with a newline, in blocks of at most `most`."""
    while start < end:
        stop = data.rfind(b"\n", start, min(start + most, end)) + 1
        if not stop:
            stop = data.find(b"\n", start) + 1
        if stop - start - 1 > LINE_BYTES_MAX and data.find(b"\n", start) == stop - 1:
            yield OversizedLine(stop - start - 1)
        else:
            yield data[start:stop]
        start = stop
