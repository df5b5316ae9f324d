"""Tables as people have them: CSV of all kinds, JSON, JSON Lines, Excel, Parquet, Arrow."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from itertools import dropwhile, islice, tee
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.dataset.documents import is_conversation, records_in
from bedrock_tuning.dataset.layouts.binary_tables import Keep, read_arrow, read_parquet, read_xlsx
from bedrock_tuning.dataset.layouts.names import IMAGE_NAME
from bedrock_tuning.dataset.layouts.reading import Table
from bedrock_tuning.dataset.layouts.splits import split_of_word
from bedrock_tuning.dataset.layouts.text import decode
from bedrock_tuning.errors import UserError
from bedrock_tuning.wording import counted

_DELIMITED: Final = (".csv", ".tsv", ".txt", ".token", ".data")
_JSON_LINES: Final = (".jsonl", ".jsonlines", ".ndjson", ".manifest")
_JSONS: Final = (".json", *_JSON_LINES)
_BINARY: Final = {
    ".parquet": read_parquet,
    ".arrow": read_arrow,
    ".feather": read_arrow,
    ".xlsx": read_xlsx,
    ".xls": read_xlsx,
}
TABLE_ENDINGS: Final = frozenset({*_DELIMITED, *_JSON_LINES, ".json", *_BINARY})
# Columns of a table that a message names.
_SHOWN: Final = 8
# All rows are in memory; larger ones are data that nobody typed, and come in Parquet.
_BYTES_MAX: Final = 1 << 30
_CELL_MAX: Final = 1 << 24
_DELIMITERS: Final = (",", ";", "\t", "|")
_SNIFFED: Final = 30
_NAME_FIRST: Final = re.compile(
    r"^([^\s,;|\"]+\.(?:jpe?g|png|webp|gif|bmp|tiff?))(?:[ ]*:[ ]*|[ ]+)(\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_SEPARATOR: Final = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)

# Takes a picture from a cell and gives the name under which it is kept.


def read_tables(path: Path, *, file: str, base: str, encoding: str, keep: Keep) -> Iterator[Table]:
    """The tables in a file; raises UserError with its place for one that cannot be read.

    A workbook has one for each of its sheets, called as in "pets.xlsx/train", and a JSON object of
    lists one for each split; any other file has one. keep: for images inside of cells.
    """
    reader = _BINARY.get(path.suffix.lower())
    if reader is None:
        yield from _by_split(_of_text(path, file=file, base=base, encoding=encoding))
        return
    for sheet, names, lines, notes in reader(path, keep):
        place = f"{file}/{sheet}" if sheet else file
        columns = _unique(names, place)
        yield Table(file=place, base=base, columns=columns, rows=list(lines), said=notes)


def _by_split(table: Table) -> Iterator[Table]:
    lists = table.value if isinstance(table.value, dict) else {}
    if not lists or not all(isinstance(v, list) and split_of_word(k) for k, v in lists.items()):
        yield table
        return
    for name, records in lists.items():
        rows = [(n, record) for n, record in enumerate(records, 1) if isinstance(record, dict)]
        yield _of_objects(rows, f"{table.file}/{name}", table.base, table.said)


def _of_text(path: Path, *, file: str, base: str, encoding: str) -> Table:
    size = path.stat().st_size
    suffix = path.suffix.lower()
    if size > _BYTES_MAX:
        raise UserError(
            f"the table has {size:,} bytes; {_BYTES_MAX:,} at most",
            where=file,
            fix="split it, or save it as Parquet",
        )
    text, note = decode(path.read_bytes(), where=file, encoding=encoding)
    notes = (note,) if note else ()
    start = text[:512].lstrip().lower()
    if start.startswith(("<!doctype", "<html", "<table")):
        raise UserError(
            "the table is HTML, not what its name says",
            where=file,
            fix="open it in a spreadsheet and save it as .xlsx or CSV",
        )
    if _is_json(text.lstrip(), suffix):
        return _json(text, file, base, notes, by_line=suffix in _JSON_LINES)
    columns, rows, extra = _parse_delimited(text, file)
    return Table(file=file, base=base, columns=columns, rows=rows, said=(*notes, *extra))


def _unique(columns: Sequence[str], file: str) -> tuple[str, ...]:
    names = tuple(columns)
    repeat = next((name for name in names if name and names.count(name) > 1), None)
    if repeat is not None:
        raise UserError(
            f'the column "{repeat}" is named twice', where=file, fix="rename or delete one of them"
        )
    return names


def _is_json(text: str, suffix: str) -> bool:
    """What a table is called says little: many that are called JSON Lines are CSV."""
    if text.startswith(("{", "[")):
        return suffix not in _DELIMITED
    # A text in quotes, behind which no other cell stands.
    return suffix in _JSONS and (not text or re.match(r'"[^"\n]*"\s*(?:\n|\Z)', text) is not None)


def _json(text: str, file: str, base: str, notes: tuple[str, ...], *, by_line: bool) -> Table:
    """One document, or one object per line whatever the file is called."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _of_objects(list(_lines(text, file)), file, base, notes)
    if is_conversation(value):
        value = {"messages": value}
    if isinstance(value, dict) and (layout := records_in(value, one_line=by_line)) is not None:
        value = layout.records
    elif by_line and isinstance(value, dict):
        return _of_objects([(1, value)], file, base, notes)
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return _of_objects(list(enumerate(value, 1)), file, base, notes)
    if isinstance(value, dict) and all(not isinstance(v, dict | list) for v in value.values()):
        # One line of JSON Lines, or captions by file name: a reader decides.
        return Table(
            file=file, base=base, columns=tuple(value), rows=[(1, value)], value=value, said=notes
        )
    return Table(file=file, base=base, value=value, said=notes)


_JSON: Final = json.JSONDecoder()
# Some write commas between the records.
_START: Final = re.compile(r"[^\s,]")


def _of_objects(
    rows: list[tuple[int, dict[str, Any]]], file: str, base: str, notes: tuple[str, ...]
) -> Table:
    columns: dict[str, None] = {}
    for _, row in rows:
        columns.update(dict.fromkeys(row))
    return Table(file=file, base=base, columns=tuple(columns), rows=rows, said=notes)


def _lines(text: str, file: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Objects with the lines on which they begin; each may be on several lines."""
    at, number = 0, 1
    while (begin := _START.search(text, at)) is not None:
        start = begin.start()
        number += text.count("\n", at, start)
        try:
            value, end = _JSON.raw_decode(text, start)
        except (ValueError, RecursionError):
            value, end = None, start
        if is_conversation(value):
            value = {"messages": value}
        if not isinstance(value, dict):
            raise UserError(
                f"line {number} is not a JSON object",
                where=file,
                fix="write one object in braces on each line, with names in double quotes",
            )
        yield number, value
        number += text.count("\n", start, end)
        at = end


def _parse_delimited(
    text: str, file: str
) -> tuple[tuple[str, ...], list[tuple[int, dict[str, Any]]], tuple[str, ...]]:
    """Columns and rows of a CSV, and its separator if it is not a comma."""
    match = _SEPARATOR.match(text)
    if match is not None:
        text = text[match.end() :]
    delimiter = match[1] if match is not None else _delimiter(text)
    matches = [_NAME_FIRST.match(line) for line in text.splitlines()[:_SNIFFED] if line.strip()]
    if matches and all(matches):
        # The name of an image, a colon or a blank, and its caption: no table, but often written.
        text = _NAME_FIRST.sub(r"\1\t\2", text)
        delimiter = "\t"
    cells = _below_title(_cells(text, delimiter, file))
    skipped = 1 if match is not None else 0
    first = next(cells, None)
    if first is None:
        return (), [], ()
    notes = () if delimiter == "," else (f"{file}: columns are separated by {_NAMED[delimiter]}",)
    if any(IMAGE_NAME.search(cell) for cell in first[1]):
        # There is no header: the first row is data.
        names = [f"column {n}" for n in range(1, len(first[1]) + 1)]
        every = [first, *cells]
        notes = (*notes, f"{file}: the first line names no columns")
    else:
        names, every = [name.strip() for name in first[1]], list(cells)
        _unique(names, file)
    rows = [
        (number + skipped, _row(names, values, delimiter))
        for number, values in every
        if any(values)
    ]
    return tuple(names), rows, notes


def _below_title(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """Rows without a title or comments above the names of the columns."""
    rows, head = tee(rows)
    wide = [sum(map(bool, row)) > 1 for _, row in islice(head, _SNIFFED)]
    titles = wide.index(True) if True in wide else 0
    # A list of names, with a comma in one of them, has no title.
    body = wide[titles:]
    return islice(rows, titles if 1 < sum(body) > len(body) / 2 else 0, None)


_NAMED: Final = {";": "semicolons", "\t": "tabs", "|": "|", ",": "commas"}


def _row(names: Sequence[str], values: Sequence[str], delimiter: str) -> dict[str, Any]:
    """Cells by column; commas that nobody quoted belong to the last column, a caption."""
    if len(values) > len(names) and len(names) > 1:
        last = len(names) - 1
        values = [*values[:last], delimiter.join(values[last:])]
    return dict(zip(names, values, strict=False))


def _cells(text: str, delimiter: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Number of the line that a row ends in, and its cells."""
    # The limit is the whole process's.
    before = csv.field_size_limit(_CELL_MAX)
    try:
        return iter(_rows(text, delimiter, file))
    finally:
        csv.field_size_limit(before)


def _rows(text: str, delimiter: str, file: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        strict=True,
        skipinitialspace=f'{delimiter} "' in text[:4_096],
    )
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        if '\\"' in text:
            # Spark and MySQL write a quote inside of a cell with a backslash.
            return _rows(text.replace('\\"', '""'), delimiter, file)
        trimmed = re.sub(rf'" +(?={re.escape(delimiter)}|\r?\n|\Z)', '"', text)
        if trimmed != text:
            return _rows(trimmed, delimiter, file)
        if "field limit" in str(error):
            raise UserError(
                f"row {reader.line_num}: a cell has more than {_CELL_MAX:,} characters",
                where=file,
                fix="close the quotes: an open quote swallows everything after it",
            ) from None
        if delimiter not in "\t|":
            raise UserError(f"row {reader.line_num}: {error}", where=file, fix="quote it") from None
        # Tables with tabs or bars are mostly written without quotes, and have some in their texts.
        stream = io.StringIO(text, newline="")
        reader = csv.reader(stream, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        return [(reader.line_num, row) for row in reader]


def _delimiter(text: str) -> str:
    """What divides the columns: what gives the first lines the most equal number of cells."""
    lines = [line for line in islice(text.splitlines(), _SNIFFED) if line.strip()]
    # Titles and comments above the names of the columns have nothing to divide.
    body = dropwhile(lambda line: not any(mark in line for mark in _DELIMITERS), lines)
    lines = list(body)
    if not lines:
        return ","

    def quality(delimiter: str) -> tuple[float, bool, int]:
        head = lines[0].count(delimiter)
        if not head:
            return 0.0, False, 0
        count = sum(line.count(delimiter) >= head for line in lines)
        # Without names of columns, a cell of the first line is the name of an image.
        has_image = any(IMAGE_NAME.search(cell) for cell in lines[0].split(delimiter))
        return count / len(lines), has_image, head

    return max(_DELIMITERS, key=quality)


def cells_shown(columns: Sequence[str]) -> str:
    """The columns of a table, for a message."""
    names = ", ".join(islice((name for name in columns if name), _SHOWN))
    count = len(columns) - _SHOWN
    return f"{names} and {counted(count, 'more column')}" if count > 0 else names or "nothing"
