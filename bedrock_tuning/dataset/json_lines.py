"""Lines of a manifest: cut from a stream of bytes, and parsed strictly as RFC 8259 says."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, islice
from typing import Any, Final, NoReturn

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# Bounds memory. The longest legal record of any model, every character escaped, is far below it.
LINE_BYTES_MAX: Final = 4 << 20
# Of one kind in one record: a line of a million wrong names must not cost a million findings.
FAULTS_MAX: Final = 50
# Far above what any record needs, far below where Python's parser gives up.
DEPTH_MAX: Final = 64
WHITE_SPACE: Final = b" \t\r"
# An opening bracket is one level deeper, a closing one is one less; other bytes are no brackets.
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[{]}")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Line:
    """One line of a manifest without its newline.

    number: from 1. data: its bytes, empty when `length` is above LINE_BYTES_MAX. length: in bytes.
    too_long: it was thrown away unread. blank: there is nothing but white space. marked: it begins
    with a byte order mark. parsed: the line as JSON, a byte order mark on line 1 left out.
    """

    __slots__ = ("blank", "data", "length", "marked", "number", "parsed", "too_long")

    def __init__(self, *, number: int, data: bytes, length: int | None = None) -> None:
        self.number = number
        self.data = data
        self.length = len(data) if length is None else length
        self.too_long = self.length > LINE_BYTES_MAX
        self.blank = not self.length or (not self.too_long and not data.strip(WHITE_SPACE))
        self.marked = data.startswith(BYTE_ORDER_MARK)
        self.parsed = self._parse()

    def _parse(self) -> "Parsed":
        if self.blank or self.too_long:
            return Parsed(cause="unread", problem="there is nothing to read")
        # A byte order mark on line 1 is a fault of its own.
        skip = len(BYTE_ORDER_MARK) if self.number == 1 and self.marked else 0
        return parse(self.data[skip:])


@dataclass(slots=True, eq=False, kw_only=True)
class Parsed:
    """A JSON text's value, or why it has none.

    problem: "" or what is wrong, with the column from 1. cause: "utf-8", "nul", "depth",
    "surrogate", "syntax", "unread" or "". repeated: names that one object of the text gives twice.
    """

    value: Any = None
    problem: str = ""
    cause: str = ""
    repeated: tuple[str, ...] = ()


def parse(data: bytes) -> Parsed:
    """Parses one JSON text strictly: what RFC 8259 does not allow is a problem.

    Stricter than `json`: no NaN or Infinity, no lone surrogate, no byte order mark; repeated names
    are reported. Numbers of any size are well-formed. Never raises.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return Parsed(cause="utf-8", problem=_bad_encoding(data, error))
    if "\0" in text:
        return Parsed(cause="nul", problem=f"a NUL character in column {text.index(chr(0)) + 1}")
    if text.count("[") + text.count("{") > DEPTH_MAX and _too_deep(text):
        return Parsed(cause="depth", problem=f"nested deeper than {DEPTH_MAX} levels")
    repeated: dict[str, None] = {}
    try:
        try:
            value = _UNIQUE.decode(text)
        except _RepeatedNameError:
            value = _decoder(partial(_pairs, repeated)).decode(text)
    except json.JSONDecodeError as error:
        words = error.msg.removesuffix(" at")
        return Parsed(cause="syntax", problem=f"{words} in column {error.pos + 1}")
    except _NotJsonError as error:
        return Parsed(cause="syntax", problem=str(error))
    # Only an escape can bring in a surrogate: raw ones are not UTF-8.
    if "\\u" in text and _has_surrogate(value):
        return Parsed(cause="surrogate", problem="half of a surrogate pair stands alone")
    return Parsed(value=value, repeated=tuple(islice(repeated, FAULTS_MAX)))


class _NotJsonError(Exception):
    """Something that Python's json accepts and RFC 8259 does not."""


class _RepeatedNameError(Exception):
    """An object gives a name twice."""


def _unique_pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(items)
    if len(value) != len(items):
        raise _RepeatedNameError
    return value


def _pairs(repeated: dict[str, None], items: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's value; remembers names that it gives twice."""
    seen: set[str] = set()
    for name, _ in items:
        if name in seen:
            repeated[name] = None
        seen.add(name)
    return dict(items)


def _refuse(constant: str) -> NoReturn:
    raise _NotJsonError(f"{constant} is not a JSON number")


def _whole_number(digits: str) -> int | float:
    # Python refuses to convert very long integers, which are well-formed JSON.
    return int(digits) if len(digits) < 400 else float(digits)


def _decoder(pairs: Callable[[list[tuple[str, Any]]], dict[str, Any]]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=pairs, parse_constant=_refuse, parse_int=_whole_number
    )


# Made once: to make a decoder takes as long as to read a short line.
_UNIQUE: Final = _decoder(_unique_pairs)


def _too_deep(text: str) -> bool:
    """Whether brackets outside of strings are nested deeper than DEPTH_MAX."""
    parts = text.replace("\\\\", "").replace('\\"', "").split('"')[::2]
    steps = "".join(parts).encode().translate(_STEPS, _NO_BRACKETS)
    return max(accumulate(memoryview(steps).cast("b")), default=0) > DEPTH_MAX


def _bad_encoding(data: bytes, error: UnicodeDecodeError) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "the text is UTF-16"
    return f"byte {error.start + 1} is 0x{data[error.start]:02x}"


def _has_surrogate(value: Any) -> bool:
    texts = texts_in(value)
    return any(not text.isascii() and _SURROGATE.search(text) for text in texts)


def texts_in(value: Any) -> Iterator[str]:
    """Every string of a parsed value, names of objects included; without recursion."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
