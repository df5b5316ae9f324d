"""Files that are no JSON Lines: recognised from their first bytes, so that one finding tells.

Without this every line of such a file would be a finding of its own.
"""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from bedrock_tuning.dataset.documents import Held, is_conversation, records_in
from bedrock_tuning.dataset.foreign import (
    UNKNOWN,
    Foreign,
    Way,
    command_for,
    is_hopeless,
    why_not_converted,
)
from bedrock_tuning.dataset.json_lines import BYTE_ORDER_MARK
from bedrock_tuning.dataset.layouts.text import utf_16_of
from bedrock_tuning.dataset.scope import DatasetScope

# How much is read to decide, and what is kept to count the records of a JSON array.
HEAD_BYTES: Final = 64 << 10
KEPT_BYTES: Final = 16 << 20
_LINES: Final = 20
_SAMPLE_BYTES: Final = 4_096
# Text has no zero bytes; of random ones every 256th is zero.
_BINARY_PARTS: Final = 1_000
_DELIMITERS: Final = ",\t;|"
_MAGIC: Final[Mapping[bytes, tuple[str, str]]] = {
    b"PAR1": ("a Parquet file", "table"),
    b"ARROW1": ("an Arrow file", "table"),
    b"PK\x03\x04": ("a ZIP archive or an Excel workbook", "table"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "table"),
    b"\x1f\x8b": ("compressed with gzip", "gunzip FILE"),
    b"BZh": ("compressed with bzip2", "bunzip2 FILE"),
    b"\xfd7zXZ": ("compressed with xz", "unxz FILE"),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "unzstd FILE"),
    b"%PDF": ("a PDF document", ""),
    b"SQLite format 3": ("an SQLite database", ""),
    b"\x89HDF": ("an HDF5 file", ""),
    b"\x93NUMPY": ("a NumPy array", ""),
    b"\x80\x04": ("a Python pickle", ""),
    b"\xff\xd8\xff": ("a JPEG image", ""),
    b"\x89PNG": ("a PNG image", ""),
    b"version https://git-lfs": ("a pointer of Git LFS", "git lfs pull"),
}
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
# A line that is an object, or that only lost its beginning.
_OBJECT: Final = re.compile(r"^\s*[{}]", re.MULTILINE)
_YAML: Final = re.compile(r"(?:---\s*$|- [\w-]+:\s|[\w-]+:(?:\s|$))")
# Excel takes the separator of a table from such a line.
_SEPARATOR: Final = re.compile(r'"?sep=.', re.IGNORECASE)
_RECORD_NEXT: Final = re.compile(r'.*\n\s*\{"')
_PAGE: Final = "a web page or XML"
# What S3 answers instead of an object, when that was saved as a file.
_REFUSED: Final = re.compile(r"<Error>\s*<Code>(\w{1,100})</Code>")
# Of a text in an old encoding: so many lines that are no UTF-8 are no accident.
_BAD_LINES: Final = 3
_HIGH: Final = re.compile(rb"[\x80-\xff]+")
# Characters of UTF-8, also those that lack their end; a lonely first byte only where a text ends.
_UTF_8: Final = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{1,2}|[\xf0-\xf4][\x80-\xbf]{1,3}"
    rb"|[\xc2-\xc5](?=[\"\r]|\Z)"
)
_UNDEFINED: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
# Of another array in the next line.
_NAMELESS: Final = re.compile(r"[ \t\r]*\n\s*\[")
_JSON: Final = json.JSONDecoder()


class Container:
    """What a file is instead of JSON Lines.

    name: in words. way: "json", "table" or "text" if its records can be converted, else a
    command, or "".
    first: its first record, if one could be read; count: how many there are, None if unknown.
    """

    def __init__(self, name: str, way: str, first: Any = None, *, count: int | None = None) -> None:
        self.name = name
        self.way = way
        self.first: Mapping[str, Any] = first if isinstance(first, dict) else {}
        self.count = count

    @property
    def can_be_converted(self) -> bool:
        """Whether `tuning prepare` reads its records."""
        return self.way in ("json", "table", "text")


class WholeFile:
    """A file as far as it was read: all of it up to KEPT_BYTES.

    is_complete: nothing follows.
    """

    def __init__(self, data: bytes, *, is_complete: bool = True) -> None:
        self.data = data
        self.is_complete = is_complete

    @cached_property
    def container(self) -> Container | None:
        """What the file is; None if it may be JSON Lines."""
        head = self.data[:HEAD_BYTES]
        if head[257:262] == b"ustar":
            return Container("a tar archive", "table")
        for magic, (name, way) in _MAGIC.items():
            if head.startswith(magic):
                return Container(name, way)
        several = head.count(b"\n") > 1
        if head[:2] in _UTF_16 and several:
            return Container("text in UTF-16", "iconv -f UTF-16 -t UTF-8 FILE")
        if several and (encoding := utf_16_of(head[:_SAMPLE_BYTES])):
            name = encoding.upper()
            return Container(f"text in {name}", f"iconv -f {name} -t UTF-8 FILE")
        if 0 not in head and (legacy := _legacy(head)) is not None:
            return legacy
        text = head.removeprefix(BYTE_ORDER_MARK).decode(errors="replace").lstrip()
        if text.startswith("["):
            return self._array(text)
        if text.startswith("{"):
            return self._objects(text)
        if text.startswith("<") and not _RECORD_NEXT.match(text):
            match = _REFUSED.search(text)
            return Container(f"an error of S3 ({match[1]})" if match else _PAGE, "")
        if several and head.count(0) > len(head) / _BINARY_PARTS:
            return Container("binary data", "")
        lines = text.splitlines()[:_LINES]
        if len(lines) > 1 and not _OBJECT.search(text):
            return _text(lines, is_cut=len(self.data) > len(head) or not self.is_complete)
        return None

    def _array(self, text: str) -> Container | None:
        if text[1:].strip() == "]":
            return Container("one JSON array", "json", count=0)
        turns, end = _value(text, 0)
        if is_conversation(turns) and text[end:].lstrip()[:1] in ("", "["):
            name = 'one array of turns per line, which belongs into {"messages": …}'
            return Container(name, "json", {"messages": turns})
        is_nameless = isinstance(turns, list) and not any(isinstance(turn, dict) for turn in turns)
        if turns and is_nameless and _NAMELESS.match(text, end):
            return Container("one array per line, whose values have no names", "")
        first, end = _value(text, 1)
        rest = text[end:].lstrip()
        # An array of numbers or texts is a wrong line.
        if not isinstance(first, dict) or rest[:1] not in (",", "]"):
            return None
        _, end = _value(text, 0)
        if end and text[end:].strip():
            return None
        return Container("one JSON array", "json", first, count=self._count())

    def _count(self) -> int | None:
        """Elements of the array, if all of it is there."""
        if not self.is_complete:
            return None
        data = self.data.removeprefix(BYTE_ORDER_MARK)
        try:
            return len(msgspec.json.decode(data, type=list[msgspec.Raw]))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None

    def _objects(self, text: str) -> Container | None:
        if self.is_complete and len(self.data) > HEAD_BYTES and "\n" not in text:
            # A document that is written without line ends.
            text = self.data.removeprefix(BYTE_ORDER_MARK).decode(errors="replace").strip()
        value, end = _value(text, 0)
        if end:
            rest = text[end:].strip()
            if "\n" in text[:end].strip():
                if rest.startswith("{"):
                    return Container("JSON objects on several lines each", "json", value)
                return _document(value) if not rest else None
            if not rest:
                layout = records_in(value, one_line=True)
                return None if layout is None else _container(layout)
            if rest.startswith("{") and _value(text, end)[1] and "\n" not in text.strip():
                place = "on lines that end with CR only" if "\r" in text[end:] else "on one line"
                return Container(f"JSON objects {place}", "json", value)
            if _COMMAS.match(text, end):
                return Container("JSON objects with commas between them", "json", value)
            return None
        first, _, second = text.partition("\n")
        if first.rstrip()[-1:] in ("{", "[", ",") and re.match(r"[ \t]+[\"\[{]", second):
            return Container("JSON on several lines", "json")
        if first.startswith("{'") and second.startswith("{'"):
            return Container("Python dictionaries", "")
        return None


# The first record is followed by a comma, and so is the second, or the file ends with it.
_COMMAS: Final = re.compile(r"[ \t\r]*,\s*\{.*\}[ \t\r]*(?:,[ \t\r]*\n|,?\s*\Z)")


def _container(layout: Held) -> Container:
    return Container(layout.name, "json", layout.records[0], count=len(layout.records))


def _legacy(head: bytes) -> Container | None:
    """A text in an encoding of old: its lines are no UTF-8, and nothing else in it is."""
    # The last line may be cut in the middle of a character; ASCII tells nothing.
    lines = [line for line in head.split(b"\n")[:-1] if not line.isascii()]
    bad = [line for line in lines if not _is_utf_8(line)]
    if len(bad) < max(_BAD_LINES, len(lines)):
        return None
    runs = [len(run) for line in bad for run in _HIGH.findall(line)]
    if 2 * sum(len(item) for line in bad for item in _UTF_8.findall(line)) > sum(runs):
        return Container("UTF-8 whose characters are cut in half", "")
    if sum(run == 1 for run in runs) > len(runs) / 2 and not _UNDEFINED.search(head):
        return Container("text in Windows-1252", "iconv -f CP1252 -t UTF-8 FILE")
    return Container("text in another encoding than UTF-8", "iconv -f ENCODING -t UTF-8 FILE")


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _value(text: str, start: int) -> tuple[Any, int]:
    """The JSON value from a place on, and where it ends; 0 if there is none."""
    while text[start : start + 1] in (" ", "\t", "\r", "\n") and start < len(text):
        start += 1
    try:
        return _JSON.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, 0


def _document(value: Mapping[str, Any]) -> Container:
    """One object on several lines, which may hold all records in a list, as in {"data": […]}."""
    layout = records_in(value, one_line=False)
    if layout is not None:
        return _container(layout)
    return Container("one JSON object on several lines", "json", value)


def _text(lines: Sequence[str], *, is_cut: bool) -> Container:
    if _SEPARATOR.fullmatch(lines[0]):
        lines = lines[1:]
    body = lines[:-1] if is_cut and len(lines) > 2 else lines
    for delimiter in _DELIMITERS:
        try:
            rows = list(csv.reader(body, delimiter=delimiter))
        except csv.Error:
            continue
        width = len(rows[0])
        if width > 1 and all(len(row) == width for row in rows if row):
            name = "a table (TSV)" if delimiter == "\t" else "a table (CSV)"
            return Container(name, "table", dict(zip(rows[0], rows[1] or rows[0], strict=False)))
    if any(map(_YAML.match, body)) and all(
        _YAML.match(line) or line.startswith((" ", "#")) for line in body if line.strip()
    ):
        return Container("YAML", "")
    return Container("plain text", "text")


def conversion(container: Container, foreign: Foreign | None, scope: DatasetScope) -> str:
    """The command that makes JSON Lines of the wanted format; "" if there is none."""
    if not container.can_be_converted:
        return container.way
    contract = scope.contract
    usual: Way = "images" if contract.format == "image-caption" else "texts"
    if usual == "texts" and foreign is UNKNOWN:
        foreign = None
    way: Way = "documents" if container.way == "text" else usual if foreign is None else foreign.way
    if container.first and usual == "texts":
        answered = not contract.teacher_answers
        why = why_not_converted(container.first, contract.format, answered=answered)
        if is_hopeless(why, foreign):
            return ""
    validates = contract.validation != "forbidden"
    return command_for(way, contract.format, scope.named, validation=validates)
