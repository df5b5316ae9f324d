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

from bedrock_tuning.checking.fast_path_records import is_decided
from bedrock_tuning.dataset.record_formats import TEXT_FIELDS
from bedrock_tuning.dataset.scope import DatasetScope, locate
from bedrock_tuning.dataset.tokens import too_many_tokens
from bedrock_tuning.rules.caption import CONTROL
from bedrock_tuning.rules.finding import Findings

_CLASSES_MAX: Final = 4_096
_BLANK: Final = b" \t\r"


@dataclass(slots=True, eq=False, kw_only=True)
class RowClass:
    """What the rules found in the first row of a class: how many findings, by rule id.

    rows: how many later rows of the class were met and are not yet in the counts.
    """

    counts: Mapping[str, int]
    has_error: bool
    rows: int = 0


class ClassedRow(NamedTuple):
    """One row: what tells its class, its fields (None if the line is blank), its reference.

    problem: of the reference.
    """

    key: Hashable
    value: dict[str, Any] | None
    ref: str = ""
    problem: str = ""


_BLANK_ROW: Final = ClassedRow("blank", None)


class RowClasses:
    """The classes of one manifest's rows, in bounded memory.

    A class has everything that the rules in `fast_path_records.DECIDES` depend on: names and types
    of the fields, lengths as far as limits tell them apart, white space, control characters, and
    the problem of the reference.
    """

    def __init__(self, scope: DatasetScope, findings: Findings) -> None:
        contract, budget = scope.contract, scope.budget
        self.settled: dict[Hashable, RowClass] = {}
        self._open: dict[Hashable, RowClass] = {}
        self._findings = findings
        self._scope = scope
        self._prefixes = scope.prefixes
        self._decode = msgspec.json.Decoder().decode
        self._strings: dict[Hashable, int] = {}
        is_caption = contract.format == "image-caption"
        self._row = self._caption_row if is_caption else self._text_row
        self._edges: list[int] = []
        if contract.caption is not None:
            limits = contract.caption
            self._edges = [limits.chars_min, limits.chars_max + 1]
        self._edges.sort()
        names = TEXT_FIELDS.get(contract.format, ())
        self._limits = {name: budget.of_field(name) for name in names}
        self._budget = budget

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
            return _BLANK_ROW
        try:
            value = self._decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None if line.strip(_BLANK) else _BLANK_ROW
        if type(value) is not dict:
            return None
        names, types = tuple(value), tuple(map(type, value.values()))
        shape = names, types
        strings = self._strings.get(shape)
        if strings is None:
            # Nested values may hide a repeated key, and may be nested too deeply.
            if dict in types or list in types:
                return None
            strings = len(names) + types.count(str)
            if len(self._strings) < _CLASSES_MAX:
                self._strings[shape] = strings
        quotes, escapes = 2 * strings, b"\\" in line
        if escapes:
            if b"\\u0022" in line:
                return None
            texts = (*names, *(text for text in value.values() if type(text) is str))
            quotes += sum(text.count('"') for text in texts)
        # A repeated key has quotes of its own, and the decoder drops its first value.
        if line.count(b'"') != quotes:
            return None
        return self._row(value, shape, escapes)

    def _caption_row(self, value: dict[str, Any], shape: Hashable, escapes: bool) -> ClassedRow:
        caption, ref = value.get("caption"), value.get("image-ref")
        text: Hashable = None
        if type(caption) is str:
            control = escapes and CONTROL.search(caption) is not None
            is_long = too_many_tokens(caption, self._scope.contract.caption) > 0
            length = bisect_right(self._edges, len(caption))
            text = length, is_long, caption.isspace(), control
        if type(ref) is not str:
            return ClassedRow((shape, text), value)
        # The usual reference first: this is asked for every row.
        prefixes, problem = self._prefixes, ""
        if not ref.startswith(prefixes) or "/." in ref or ref in prefixes:
            problem = locate(ref, self._scope)
        return ClassedRow((shape, text, problem), value, ref, problem)

    def _text_row(self, value: dict[str, Any], shape: Hashable, _: bool) -> ClassedRow:
        verdict = self._budget.verdict
        flags: list[Hashable] = []
        texts: list[str] = []
        for name, most in self._limits.items():
            text = value.get(name)
            if type(text) is str:
                flags += (not text or text.isspace(), verdict((text,), most))
                texts.append(text)
        return ClassedRow((shape, *flags, verdict(texts, self._budget.record)), value)


def row_classes_for(scope: DatasetScope, findings: Findings) -> RowClasses | None:
    """The classes of a manifest's rows; None if the rules have to check every row."""
    if scope.budget.line_bytes is not None or not is_decided(scope):
        return None
    return RowClasses(scope, findings)
