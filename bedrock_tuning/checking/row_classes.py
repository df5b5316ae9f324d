"""Sorts rows into classes, so that the findings of many faulty rows are counted without the rules.

Once a rule has more findings than are listed, nobody reads the next ones: only their number counts.
All rows of one class have the same findings except for their words, so the rules run on the first
row of a class, and later rows are counted. A row without a class is checked by the rules.
"""

from bisect import bisect_right
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from bedrock_tuning.checking.fast_path_records import decides_lines, decides_records
from bedrock_tuning.dataset.foreign import foreign_format, is_told_by_values
from bedrock_tuning.dataset.json_lines import BYTE_ORDER_MARK, DEPTH_MAX, WHITE_SPACE, parse
from bedrock_tuning.dataset.record_formats import TEXT_FIELDS
from bedrock_tuning.dataset.scope import DatasetScope, characters_in, locate
from bedrock_tuning.dataset.tokens import too_many_tokens
from bedrock_tuning.rules.caption import CONTROL
from bedrock_tuning.rules.finding import Findings

_CLASSES_MAX: Final = 4_096
# Shapes remember names, and classes those of a record that gives one twice.
_NAMES_BYTES: Final = 1_000


@dataclass(slots=True, eq=False, kw_only=True)
class RowClass:
    """What the rules found in the first row of a class: how many findings, by rule id.

    rows: how many later rows of the class were met and are not yet in the counts.
    """

    counts: Mapping[str, int]
    has_error: bool
    rows: int = 0


class ClassedRow(msgspec.Struct, gc=False):
    """One row: what tells its class, its fields if it is an object, its reference.

    problem: of the reference. is_record: the line is not blank.
    """

    key: Hashable
    value: dict[str, Any] | None = None
    ref: str = ""
    problem: str = ""
    is_record: bool = True


class _Shape(NamedTuple):
    """What rows with the same names and types share.

    number: of the shape. quotes: in a line without escaped ones. by_values: whether values tell a
    format of other tools.
    """

    number: int
    quotes: int
    is_nested: bool
    by_values: bool


WHITE_SPACE_ROW: Final = ClassedRow("blank", is_record=False)
_SYNTAX_ROW: Final = ClassedRow("syntax")
_NO_OBJECT_ROW: Final = ClassedRow("no object")


class RowClasses:
    """The classes of one manifest's rows, in bounded memory.

    A class has everything that the rules in `fast_path_records._DECIDES` depend on. Of a line that
    is no object: why. Of a record: names and types of the fields, names that are given twice,
    lengths as far as limits tell them apart, white space, control characters, the problem of the
    reference, and the format of another tool. Conversations have no classes.
    """

    def __init__(self, scope: DatasetScope, findings: Findings) -> None:
        contract, budget = scope.contract, scope.budget
        self.settled: dict[Hashable, RowClass] = {}
        self._open: dict[Hashable, RowClass] = {}
        self._findings = findings
        self._scope = scope
        self._prefixes = scope.prefixes
        self._decode = msgspec.json.Decoder().decode
        self._shapes: dict[Hashable, _Shape] = {}
        is_caption = contract.format == "image-caption"
        self._row = self._caption_row if is_caption else self._text_row
        self._has_records = decides_records(scope)
        self._edges: list[int] = []
        if contract.caption is not None:
            limits = contract.caption
            tokens, ratio = limits.tokens_max or 0, limits.chars_per_token or 0.0
            self._edges = [limits.chars_min, limits.chars_max + 1, characters_in(tokens, ratio) + 1]
        self._edges.sort()
        names = TEXT_FIELDS.get(contract.format, ())
        self._limits = {name: budget.of_field(name) for name in names}
        self._budget, self._least = budget, budget.least

    def refresh(self) -> None:
        """Finds out of which classes further rows need only be counted."""
        for key, row_class in list(self._open.items()):
            if all(map(self._findings.is_settled, row_class.counts)):
                self.settled[key] = self._open.pop(key)

    def learn(self, row: ClassedRow, counts: Mapping[str, int], *, has_error: bool) -> None:
        """Remembers what the rules found in a row; counts without rules that report once."""
        if len(self._open) + len(self.settled) < _CLASSES_MAX and row.key not in self.settled:
            self._open.setdefault(row.key, RowClass(counts=counts, has_error=has_error))

    def count(self) -> None:
        """Adds the findings of the rows that were met."""
        for row_class in self.settled.values():
            if row_class.rows:
                for id, number in row_class.counts.items():
                    self._findings.count(id, number * row_class.rows)
                row_class.rows = 0

    def read(self, line: bytes) -> ClassedRow | None:
        """The row of a line without its newline; None if only the rules can judge it."""
        if not line:
            return WHITE_SPACE_ROW
        if self._budget.line_bytes is not None and len(line) > self._budget.line_bytes:
            return None
        try:
            value = self._decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _refused_row(line, error)
        if type(value) is not dict:
            if _may_be_deep(line):
                return _unread_row(line)
            return _NO_OBJECT_ROW if _repeated_names(line, value) == b"" else None
        if not self._has_records:
            return None
        names, types = tuple(value), tuple(map(type, value.values()))
        shape = self._shapes.get((names, types)) or self._new_shape(names, types)
        if shape is None:
            return None
        repeated: bytes | None = b""
        # The decoder drops the first value of a repeated name, whose quotes are in the line.
        if shape.is_nested or line.count(b'"') != shape.quotes:
            if _may_be_deep(line):
                return _unread_row(line)
            repeated = _repeated_names(line, value)
            if repeated is None:
                return None
        key: tuple[Hashable, ...] = shape.number, repeated
        if shape.by_values:
            foreign = foreign_format(value, self._scope.contract.format)
            key += (foreign and foreign.name,)
        return self._row(value, key, line)

    def _new_shape(self, names: tuple[str, ...], types: tuple[type, ...]) -> _Shape | None:
        """A shape, remembered; None if there are too many, or its names are too long."""
        if len(self._shapes) == _CLASSES_MAX or sum(map(len, names)) > _NAMES_BYTES:
            return None
        is_nested, quotes = dict in types or list in types, 2 * (len(names) + types.count(str))
        shape = _Shape(len(self._shapes), quotes, is_nested, is_told_by_values(names))
        self._shapes[names, types] = shape
        return shape

    def _caption_row(
        self, value: dict[str, Any], key: tuple[Hashable, ...], line: bytes
    ) -> ClassedRow:
        caption, ref = value.get("caption"), value.get("image-ref")
        if type(caption) is str:
            key += bisect_right(self._edges, len(caption)), caption.isspace()
            # Otherwise the length tells how many tokens there are.
            if not caption.isascii():
                key += "tokens", too_many_tokens(caption, self._scope.contract.caption) > 0
            if b"\\" in line:
                key += "control", CONTROL.search(caption) is not None
        if type(ref) is not str:
            return ClassedRow(key, value)
        # The usual reference first: this is asked for every row.
        prefixes, problem = self._prefixes, ""
        if not ref.startswith(prefixes) or "/." in ref or ref in prefixes:
            problem = locate(ref, self._scope)
        return ClassedRow((*key, problem), value, ref, problem)

    def _text_row(
        self, value: dict[str, Any], key: tuple[Hashable, ...], line: bytes
    ) -> ClassedRow:
        texts = {name: text for name in self._limits if type(text := value.get(name)) is str}
        key += tuple([not text or text.isspace() for text in texts.values()])
        # No byte is more than one token.
        if self._least is not None and len(line) > self._least:
            verdict = self._budget.verdict
            key += tuple([verdict((text,), self._limits[name]) for name, text in texts.items()])
            key += (verdict([*texts.values()], self._budget.record),)
        return ClassedRow(key, value)


def _may_be_deep(line: bytes) -> bool:
    return line.count(b"[") + line.count(b"{") > DEPTH_MAX


def _refused_row(line: bytes, error: Exception) -> ClassedRow | None:
    """The row of a line that the decoder does not take."""
    if not line.strip(WHITE_SPACE):
        return WHITE_SPACE_ROW
    # On line 1 the mark is no part of the text.
    if line.startswith(BYTE_ORDER_MARK):
        return None
    # What is not JSON by the decoder is not JSON by the parser either, unless for one of these. The
    # decoder refuses more: long numbers, halves of surrogate pairs.
    is_plain = type(error) is msgspec.DecodeError and line.isascii() and not _may_be_deep(line)
    if is_plain and b"\0" not in line and b"\\u" not in line:
        return _SYNTAX_ROW
    return _unread_row(line)


def _unread_row(line: bytes) -> ClassedRow | None:
    """The row of a line that cannot be read; None if it can."""
    cause = parse(line).cause
    return ClassedRow(cause) if cause else None


def _repeated_names(line: bytes, value: Any) -> bytes | None:
    """The names in a line if its object gives one twice, else b""; None if it takes the parser."""
    # Every second piece between quotes is outside of strings, where a colon follows each name.
    pieces = line.replace(b"\\\\", b"\\-").replace(b'\\"', b"\\'").split(b'"')
    outside = b"".join(pieces[::2])
    if outside.count(b":") == _count_names(value):
        return b""
    names = b'"'.join(
        [name for name, end in zip(pieces[1::2], pieces[2::2], strict=True) if b":" in end]
    )
    # Several objects may have the same name, each once.
    is_sure = outside.count(b"{") == 1 and len(names) <= _NAMES_BYTES
    return names if is_sure else None


def _count_names(value: Any) -> int:
    if type(value) is dict:
        return len(value) + sum(map(_count_names, value.values()))
    return sum(map(_count_names, value)) if type(value) is list else 0


def row_classes_for(scope: DatasetScope, findings: Findings) -> RowClasses | None:
    """The classes of a manifest's rows; None if the rules have to check every row."""
    return RowClasses(scope, findings) if decides_lines() else None
