"""Text of files as people save it: encodings are recognised, and what was decided is said."""

import codecs
import re
from typing import Final, NamedTuple

from bedrock_tuning.errors import UserError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE: Final = 4_096
# How compressed files begin, and what unpacks them.
_PACKED: Final = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ\0": ("xz", "unxz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
    b"PK\x03\x04": ("zip", "unzip"),
}


class Decoded(NamedTuple):
    """A text, and what had to be decided to read it: "" if it is plain UTF-8."""

    text: str
    said: str


def decode(data: bytes, *, where: str, encoding: str = "") -> Decoded:
    """The text of some bytes: by their mark, as UTF-8, as UTF-16 without a mark, as Windows-1252.

    encoding: what the user says instead. Raises UserError for bytes that are none of these.
    """
    for magic, (name, tool) in _PACKED.items():
        if data.startswith(magic):
            raise UserError(f"the file is compressed ({name})", where=where, fix=f"{tool} FILE")
    if encoding:
        return Decoded(_strictly(data, encoding, where), "")
    for mark, name in _MARKS:
        if data.startswith(mark):
            return Decoded(_strictly(data, name, where), "")
    codec = utf_16_of(data[:_SAMPLE])
    if codec:
        note = f"{where}: read as {codec.upper()}; --encoding overrules"
        return Decoded(_strictly(data, codec, where), note)
    try:
        return Decoded(data.decode(), "")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"line {line} is not UTF-8 (byte 0x{data[error.start]:02x})"
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    controls = any(ord(char) < 32 and char not in "\t\n\r\f" for char in text[:_SAMPLE])
    if not text or controls or not _is_western(text):
        raise UserError(
            problem,
            where=where,
            fix="save the file as UTF-8, or pass --encoding with its encoding, as in shift_jis, "
            "gb18030, big5, euc_kr, cp1251 or mac_roman",
        )
    return Decoded(text, f"{where}: {problem}: read as cp1252 (Windows); --encoding overrules")


def _is_western(text: str) -> bool:
    """Whether a text that was read as Windows-1252 has words of Western Europe.

    Their accented letters stand among plain ones. The words of another encoding are rows of others,
    or have capitals and signs inside.
    """
    odd = sum(len(match[0]) for match in _ODD.finditer(text))
    return odd <= sum(not char.isascii() for char in text) * _ODD_MOST


_ODD: Final = re.compile(
    r"(?:([^\x00-\x7f])(?!\1))+[^\x00-\x7f]{2,}|(?<=[a-z])(?:[À-ÞŠŽŒŸˆ‰§]|[¹³¿¼½¾£¥¤¦¶](?=[a-z]))",
)
_ODD_MOST: Final = 0.25


def _strictly(data: bytes, encoding: str, where: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise UserError(
            f'there is no encoding "{encoding}"', fix="for example --encoding cp1252"
        ) from None
    except UnicodeError as error:
        raise UserError(
            f"the text is not {encoding}: {error}", where=where, fix="pass another --encoding"
        ) from None


def utf_16_of(sample: bytes) -> str:
    """The encoding of UTF-16 that lacks its mark, else "": Latin text is every other byte zero."""
    half = len(sample) // 2
    if half < 4:
        return ""
    for name, zeros, letters in (
        ("utf-16-le", sample[1::2], sample[::2]),
        ("utf-16-be", sample[::2], sample[1::2]),
    ):
        if zeros.count(0) > half * 0.6 and letters.count(0) < half * 0.1:
            return name
    return ""
