"""Decides for a whole block of lines that it is clean, so that no line is read on its own.

Reading a line in Python and running every rule on it takes 20 µs, and nearly all lines of most
datasets are clean. A fast path decodes a block with msgspec into typed rows and then asks a few
questions about all rows at once. It may say no to a clean block – its lines are then checked one by
one – but it never says yes to a block with a line that a rule would report.

msgspec accepts these, so they are checked here: a repeated key, several records on one line, a
record on several lines, blank lines.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import filterfalse, repeat
from operator import contains
from typing import Any, Final, Protocol

import msgspec

from bedrock_tuning.catalogue import CaptionLimits, Format
from bedrock_tuning.dataset.fingerprints import record_hash
from bedrock_tuning.dataset.json_lines import Line
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.record_formats import TEXTS, Object, Text, shape_for
from bedrock_tuning.dataset.scope import DatasetScope, TextBudget, characters_in
from bedrock_tuning.dataset.tokens import caption_tokens, tokens_bound
from bedrock_tuning.rules import rules_for
from bedrock_tuning.rules.caption import CONTROL

# The rules that this fast path and the classes of faulty rows (row_classes.py) know, by format.
# Any other active rule switches both off. L111 is reported once: the caller waits for that.
_LINES: Final = frozenset({*(f"L{number}" for number in range(101, 113))})
_RECORDS: Final = "R101 R102 R103 R104 R105"
_DECIDES: Final[Mapping[Format, frozenset[str]]] = {
    "image-caption": frozenset(
        f"{_RECORDS} R201 R202 R203 R204 R205 R211 R212 R213 R214 R215".split()
    ),
    **dict.fromkeys(TEXTS, frozenset(f"{_RECORDS} R301 R302 R303 R304 R305".split())),
}
# Control characters enter a string only by an escape: \b, \f, \u000…, \u001….
_CONTROL_LETTERS: Final = frozenset(b"bf")
_CONTROL_DIGITS: Final = frozenset((b"000", b"001"))
# With more escapes than that it is faster to search the decoded texts.
_ESCAPES_PER_ROW: Final = 2
# With more quotes than one in this many bytes it is faster to split a block at all of them at once.
_BYTES_PER_QUOTE: Final = 200
_RETURN, _OPEN, _CLOSE, _QUOTE, _LETTER_U, _BACKSLASH = b'\r{}"u\\'


class CleanBlock(msgspec.Struct, gc=False):
    """A block without a fault.

    first: number of its first line. lengths: how often each length in characters occurs, by field.
    captions, refs: in the order of lines, if the format has them. hashes: of the records, if the
    format needs them.
    """

    first: int
    rows: int
    lengths: dict[str, Counter[int]]
    captions: Sequence[str] = ()
    refs: Sequence[str] = ()
    hashes: bytes = b""


class FastPath(Protocol):
    """Reads a block of whole lines, each with its newline, from number `first` on."""

    def __call__(self, block: bytes, *, first: int) -> CleanBlock | None:
        """The block's content, or None if it may not be clean."""


def decides_lines() -> bool:
    """Whether the fast paths decide every active rule of lines."""
    return all(rule.id in _LINES for rule in rules_for(Line))


def decides_records(scope: DatasetScope) -> bool:
    """Whether the fast paths decide every rule of records that is active for a manifest."""
    format = scope.contract.format
    rules = _DECIDES.get(format, frozenset())
    return all(rule.id in rules for rule in rules_for(Record, format))


def fast_path_for(scope: DatasetScope) -> FastPath | None:
    """The fast path for a manifest; None if every line has to be checked on its own."""
    contract, budget = scope.contract, scope.budget
    if not (decides_lines() and decides_records(scope)):
        return None
    if contract.format in TEXTS:
        return _Texts(shape_for(contract), budget)
    if contract.caption is None or budget.line_bytes is not None:
        return None
    return _Captions(scope, contract.caption)


def _decoder(shape: Object) -> msgspec.json.Decoder[Any]:
    fields = [
        (name.replace("-", "_"), str, msgspec.field(name=name))
        for name, inner in shape.required.items()
        if isinstance(inner, Text)
    ]
    row = msgspec.defstruct("Row", fields, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(row)


class _Captions:
    """Image references and captions: rows are short, so each question is about a whole block."""

    def __init__(self, scope: DatasetScope, limits: CaptionLimits) -> None:
        self._decode = _decoder(shape_for(scope.contract)).decode
        self._prefixes = scope.prefixes
        self._shortest = limits.chars_min
        self._longest = limits.chars_max
        self._tokens, self._ratio = limits.tokens_max or 0, limits.chars_per_token or 0.0
        if self._tokens and self._ratio:
            tokens = characters_in(self._tokens, self._ratio)
            self._longest = min(self._longest, tokens)

    def __call__(self, block: bytes, *, first: int) -> CleanBlock | None:
        """The block's content, or None if it may not be clean."""
        # Line by line: then no record spans lines, and none shares its line or is missing. A file
        # in memory hands out lines twice as fast as split, and keeps none of them.
        try:
            rows = list(map(self._decode, BytesIO(block)))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        refs = [row.image_ref for row in rows]
        captions = [row.caption for row in rows]
        lengths = Counter(map(len, captions))
        if min(lengths) < self._shortest or max(lengths) > self._longest:
            return None
        if self._ratio and max(lengths) > self._tokens and self._may_be_long(captions):
            return None
        if any(map(str.isspace, captions)) or not self._are_inside(refs):
            return None
        quotes = _escaped_quotes(block, most=_ESCAPES_PER_ROW * len(rows))
        if quotes is None:
            text = "".join(captions)
            if b"\\u0022" in block or CONTROL.search(text):
                return None
            quotes = text.count('"') + "".join(refs).count('"')
        # Two keys and two values need eight quotes; each key given twice needs two more at least.
        if block.count(b'"') != 8 * len(rows) + quotes:
            return None
        return CleanBlock(first, len(rows), {"caption": lengths}, captions, refs)

    def _may_be_long(self, captions: list[str]) -> bool:
        """Whether a caption in another script has more tokens than the model reads."""
        most, ratio = self._tokens, self._ratio
        return any(
            len(caption) > most and caption_tokens(caption, chars_per_token=ratio) > most
            for caption in filterfalse(str.isascii, captions)
        )

    def _are_inside(self, refs: list[str]) -> bool:
        """Whether every reference names an object in one of the folders."""
        prefixes = self._prefixes
        if len(prefixes) == 1:
            # What begins with a prefix is one interval in the order of strings: the ends suffice.
            least = min(refs)
            is_below = least.startswith(prefixes) and least not in prefixes
            is_inside = is_below and max(refs).startswith(prefixes)
        else:
            is_inside = all(map(str.startswith, refs, repeat(prefixes)))
            is_inside = is_inside and frozenset(prefixes).isdisjoint(refs)
        return is_inside and not any(map(contains, refs, repeat("/.")))


class _Texts:
    """Records of texts only: rows are long, so no question may read every byte twice."""

    def __init__(self, shape: Object, budget: TextBudget) -> None:
        self._decode = _decoder(shape).decode_lines
        self._names = tuple(name.replace("-", "_") for name in shape.required)
        self._quotes = 4 * len(self._names)
        self._budget = budget

    def __call__(self, block: bytes, *, first: int) -> CleanBlock | None:
        """The block's content, or None if it may not be clean."""
        try:
            rows = self._decode(block)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        hashes = self._hashes(block, first)
        # A newline between "}" and "{" is outside of these flat records. So if all lines begin and
        # end like that and there are as many as records, each holds one.
        if hashes is None or len(hashes) != len(rows):
            return None
        # Each key given twice needs four quotes more.
        if _framing_quotes(block) != self._quotes * len(rows):
            return None
        lengths: dict[str, Counter[int]] = {}
        for name in self._names:
            texts = [getattr(row, name) for row in rows]
            sizes = list(map(len, texts))
            if not all(sizes) or any(map(str.isspace, texts)):
                return None
            lengths[name] = Counter(sizes)
        return CleanBlock(first, len(rows), lengths, hashes=b"".join(hashes))

    def _hashes(self, block: bytes, first: int) -> list[bytes] | None:
        """A hash for each line, if each looks like one object and none may be too long."""
        view = memoryview(block)
        most, tokens = self._budget.line_bytes, self._budget.least
        ratio = self._budget.chars_per_token
        hashes: list[bytes] = []
        start, number = 0, first
        while (end := block.find(b"\n", start)) >= 0:
            stop = end - 1 if end > start and block[end - 1] == _RETURN else end
            if stop - start < 2 or block[start] != _OPEN or block[stop - 1] != _CLOSE:
                return None
            if most is not None and end - start > most:
                return None
            # No byte is more than one token.
            if (
                tokens is not None
                and stop - start > tokens
                and tokens_bound(block[start:stop], chars_per_token=ratio) > tokens
            ):
                return None
            hashes.append(record_hash(line=number, content=view[start:stop]))
            start, number = end + 1, number + 1
        return hashes or None


def _escaped_quotes(block: bytes, *, most: int) -> int | None:
    """Quotes written as \\"; None if there are many escapes, or one of a control character."""
    quotes = 0
    at = block.find(b"\\")
    while at >= 0:
        escaped = block[at + 1]
        most -= 1
        if escaped in _CONTROL_LETTERS or most < 0:
            return None
        if escaped == _LETTER_U and block[at + 2 : at + 5] in _CONTROL_DIGITS:
            return None
        quotes += escaped == _QUOTE
        at = block.find(b"\\", at + 2)
    return quotes


def _framing_quotes(block: bytes) -> int | None:
    """Quotes that are not escaped; None if a text may end with a backslash.

    Such a text hides the quote that ends it, and four of them would hide a repeated key.
    """
    find = block.find
    framing, at = 0, find(b'"')
    for _ in range(len(block) // _BYTES_PER_QUOTE):
        if at < 0:
            return framing
        if block[at - 1] != _BACKSLASH:
            framing += 1
        elif block[at - 2] == _BACKSLASH:
            return None
        at = find(b'"', at + 1)
    if at < 0:
        return framing
    # The piece before each quote tells whether it is escaped; of the first, two bytes are enough.
    start = max(0, at - 2)
    *pieces, _ = block[start:].split(b'"')
    escaped = sum(map(bytes.endswith, pieces, repeat(b"\\")))
    if escaped and any(map(bytes.endswith, pieces, repeat(b"\\\\"))):
        return None
    # One of the two may be a quote that is counted already.
    return framing + len(pieces) - block.count(b'"', start, at) - escaped
