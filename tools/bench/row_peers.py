"""What others would write: the same checks of a manifest by json and dicts, and by pydantic.

A reader takes a file and returns how many records it saw and how many faults it found.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from tools.bench.texts import BUCKET, FOLDER

CHUNK: Final = 4 << 20
SMALL_CHUNK: Final = 256 << 10
_PREFIX: Final = f"s3://{BUCKET}/{FOLDER}"
_CONTROL: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

Counts = tuple[int, int]
Reader = Callable[[Path], Counts]


class _RepeatedError(ValueError):
    """An object gives a key twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _RepeatedError
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_decode: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant).decode


def json_reader(*, is_text: bool, longest: int) -> Reader:
    """By json and checks of a dict per line; equal records of text by Python's hash."""
    if not is_text:
        return partial(_by_json, faults=partial(_image_faults, longest=longest))
    seen: dict[int, int] = {}

    def faults(value: dict[str, Any], number: int) -> Iterator[str]:
        yield from _text_faults(value, longest=longest)
        content = hash(value.get("input"))
        if seen.setdefault(content, number) != number:
            yield "duplicate"

    return partial(_by_json, faults=faults)


def _by_json(path: Path, faults: Callable[[dict[str, Any], int], Iterator[str]]) -> Counts:
    records = bad = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                bad += 1
                continue
            records += 1
            try:
                value = _decode(line.decode())
            except ValueError:
                bad += 1
                continue
            if not isinstance(value, dict):
                bad += 1
                continue
            bad += sum(1 for _ in faults(value, number))
    return records, bad


def _image_faults(value: dict[str, Any], _: int, *, longest: int) -> Iterator[str]:
    for name in value:
        if name not in ("image-ref", "caption"):
            yield "unknown"
    ref, caption = value.get("image-ref"), value.get("caption")
    if not isinstance(ref, str):
        yield "ref"
    elif not ref.startswith(_PREFIX) or len(ref) == len(_PREFIX):
        yield "place"
    elif "/." in ref and not {".", ".."}.isdisjoint(ref.split("/")):
        yield "climbs"
    if not isinstance(caption, str):
        # A field under another name is one fault.
        if "caption" in value or len(value) < 2:
            yield "caption"
    else:
        if len(caption) > longest:
            yield "long"
        if caption.isspace():
            yield "blank"
        if _CONTROL.search(caption):
            yield "control"
        if not caption.isascii() and _SURROGATE.search(caption):
            yield "surrogate"


def _text_faults(value: dict[str, Any], *, longest: int) -> Iterator[str]:
    for name in value:
        if name != "input":
            yield "unknown"
    text = value.get("input")
    if not isinstance(text, str):
        yield "input"
    else:
        if len(text) > longest:
            yield "long"
        if not text.strip():
            yield "empty"
        if not text.isascii() and _SURROGATE.search(text):
            yield "surrogate"


def pydantic_reader(*, is_text: bool, longest: int) -> Reader:
    """By pydantic. Not asked: repeated keys; of images also blank captions and dots in keys."""
    from pydantic import BaseModel, ConfigDict, Field

    class Image(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)

        image_ref: Annotated[str, Field(alias="image-ref", pattern=f"^{_PREFIX}.")]
        caption: Annotated[
            str, Field(max_length=longest, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")
        ]

    class Text(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)

        input: Annotated[str, Field(max_length=longest, pattern=r"\S")]

    if not is_text:
        return partial(_by_pydantic, validate=Image.model_validate_json)
    seen: set[int] = set()

    def validate(line: bytes) -> None:
        content = hash(Text.model_validate_json(line).input)
        if content in seen:
            raise ValueError("duplicate")
        seen.add(content)

    return partial(_by_pydantic, validate=validate)


def _by_pydantic(path: Path, validate: Callable[[bytes], object]) -> Counts:
    records = bad = 0
    with path.open("rb") as file:
        for line in file:
            records += 1
            try:
                validate(line)
            except ValueError:
                bad += 1
    return records, bad


class ImageRow(msgspec.Struct, gc=False):
    """An image record as msgspec decodes it."""

    ref: str = msgspec.field(name="image-ref")
    caption: str = ""


class _Text(msgspec.Struct, gc=False):
    input: str


def parser(*, is_text: bool, chunk: int = CHUNK) -> Reader:
    """The limit: msgspec decodes whole chunks of lines into rows, and nobody looks at them."""
    return partial(
        _parse,
        decode=msgspec.json.Decoder(_Text if is_text else ImageRow).decode_lines,
        chunk=chunk,
    )


def line_parser(*, is_text: bool) -> Reader:
    """The same line by line: a line with two records, or half of one, is noticed."""
    return partial(_parse_lines, decode=msgspec.json.Decoder(_Text if is_text else ImageRow).decode)


def _parse_lines(path: Path, *, decode: Callable[[bytes], Any]) -> Counts:
    records = 0
    with path.open("rb") as file:
        for _ in map(decode, file):
            records += 1
    return records, 0


def _parse(path: Path, *, decode: Callable[[bytes], list[Any]], chunk: int) -> Counts:
    records, rest = 0, b""
    with path.open("rb") as file:
        while piece := file.read(chunk):
            end = piece.rfind(b"\n") + 1
            records += len(decode(rest + piece[:end]))
            rest = piece[end:]
    return records, 0
