"""Images and their captions, from a table, a JSON file or text files beside the images."""

import codecs
import csv
import io
import json
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, Final

from bedrock_tuning.errors import UserError
from bedrock_tuning.wording import closest

SIDECAR: Final = "sidecar"
_FILE_FIELDS: Final = ("file", "file_name", "image", "filename", "path")
_CAPTION_FIELDS: Final = ("caption", "text", "prompt", "description")
_DELIMITERS: Final = (",", ";", "\t")
_COLUMNS_SHOWN: Final = 8
_SIDECARS: Final = (".txt", ".caption")
# Other files that a folder of pictures may hold; every other file is checked.
_NO_IMAGES: Final = frozenset(
    {*_SIDECARS, ".csv", ".tsv", ".json", ".jsonl", ".md", ".toml", ".db"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One image with its caption. file: below the folder, with "/"."""

    file: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something that makes no record, and why."""

    file: str
    reason: str


def read_pairs(folder: Path, captions: str) -> tuple[list[Pair], list[LeftOut]]:
    """Every image with a caption in the order of file names, and what is left over.

    captions: "sidecar", or the path of a file that names files below folder: a CSV with commas,
    semicolons or tabs, JSON Lines, a JSON array of objects or a JSON object of captions by file.
    Raises UserError when the captions cannot be read.
    """
    files = sorted(_files(folder))
    if captions == SIDECAR:
        return _beside(folder, files)
    path = Path(captions)
    if not path.is_file():
        raise UserError(
            "the caption file does not exist",
            where=captions,
            fix="give a CSV or JSON Lines file, or the word sidecar",
        )
    rows = list(_rows(path))
    return _joined(folder, files, rows, own=path.resolve())


def _files(folder: Path) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield (Path(root) / name).relative_to(folder).as_posix()


def _is_candidate(file: str) -> bool:
    return PurePosixPath(file).suffix.lower() not in _NO_IMAGES


def _beside(folder: Path, files: Sequence[str]) -> tuple[list[Pair], list[LeftOut]]:
    known = set(files)
    pairs, left = [], []
    for file in files:
        if not _is_candidate(file):
            continue
        stem = str(PurePosixPath(file).with_suffix(""))
        names = [base + ending for base in (stem, file) for ending in _SIDECARS]
        sidecar = next((name for name in names if name in known), None)
        if sidecar is None:
            left.append(LeftOut(file=file, reason=f"no caption: there is no {stem}.txt beside it"))
            continue
        try:
            pairs.append(Pair(file=file, caption=_text(folder / sidecar).strip()))
        except UserError as error:
            left.append(LeftOut(file=file, reason=f"its caption {sidecar}: {error.what}"))
    return pairs, left


def _joined(
    folder: Path, files: Sequence[str], rows: Sequence[tuple[int, str, str]], *, own: Path
) -> tuple[list[Pair], list[LeftOut]]:
    candidates = [file for file in files if _is_candidate(file)]
    known = {_composed(file): file for file in files}
    pairs, left = [], []
    named: set[str] = set()
    for number, name, caption in rows:
        file = _find(name, folder, known)
        if file is None:
            file = _normal(name)
            meant = closest(file, candidates) if len(candidates) < 10_000 else None
            hint = f"; did you mean {meant}?" if meant is not None else ""
            left.append(LeftOut(file=name, reason=f"row {number}: there is no such file{hint}"))
            continue
        named.add(file)
        pairs.append(Pair(file=file, caption=caption))
    left += [
        LeftOut(file=file, reason="no caption: no row names it")
        for file in candidates
        if file not in named and (folder / file).resolve() != own
    ]
    return sorted(pairs, key=lambda pair: (pair.file, pair.caption)), left


def _find(name: str, folder: Path, known: Mapping[str, str]) -> str | None:
    """The file that a row names: as it is, with Windows' slashes, or by its whole path."""
    for written in (name, name.strip(), _normal(name)):
        if (found := known.get(_composed(written))) is not None:
            return found
    path = Path(_normal(name))
    if path.is_absolute() and path.is_relative_to(folder.resolve()):
        return known.get(_composed(path.relative_to(folder.resolve()).as_posix()))
    return None


def _composed(name: str) -> str:
    # Apple's disks write é as e and an accent, spreadsheets as one character.
    return unicodedata.normalize("NFC", name)


def _normal(name: str) -> str:
    return PurePosixPath(name.strip().replace("\\", "/")).as_posix()


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Row number, file and caption of each row."""
    text = _text(path)
    whole = _whole_json(text) if path.suffix.lower() == ".json" else None
    if whole is not None:
        for number, row in enumerate(whole, 1):
            yield (number, *_fields(row, path, number))
        return
    if path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield (number, *_fields(_object(line, path, number), path, number))
        return
    stream = io.StringIO(text, newline="")
    reader = csv.DictReader(stream, delimiter=_delimiter(text), strict=True)
    try:
        for row in reader:
            yield (reader.line_num, *_fields(row, path, reader.line_num))
    except csv.Error as error:
        raise UserError(
            f"row {reader.line_num}: {error}", where=str(path), fix="quote it"
        ) from None


def _delimiter(text: str) -> str:
    """What divides the columns: spreadsheets of some countries write semicolons."""
    head = text.partition("\n")[0]
    return max(_DELIMITERS, key=head.count)


def _whole_json(text: str) -> list[dict[str, Any]] | None:
    """A list of objects, or one object of captions by file; None for JSON Lines and all else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return value
    if not isinstance(value, dict) or any(name in value for name in _FILE_FIELDS):
        return None
    return [{_FILE_FIELDS[0]: file, _CAPTION_FIELDS[0]: value[file]} for file in value]


def _object(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UserError(
            f"line {number} is not a JSON object",
            where=str(path),
            fix='write {"file": "a.png", "caption": "…"} on each line',
        )
    return value


def _fields(row: dict[str, Any], path: Path, number: int) -> tuple[str, str]:
    found = []
    # Spreadsheets begin their columns with capitals.
    spelled = {str(key).strip().lower(): value for key, value in row.items()}
    for names in (_FILE_FIELDS, _CAPTION_FIELDS):
        value = next((spelled[name] for name in names if spelled.get(name) is not None), None)
        if not isinstance(value, str):
            columns = ", ".join(str(key) for key in islice(row, _COLUMNS_SHOWN) if key is not None)
            raise UserError(
                f"row {number} has no text under {names[0]}; it has: {columns or 'nothing'}",
                where=str(path),
                fix="name the columns file and caption, in a table by its first line",
            )
        found.append(value)
    return found[0], found[1]


def _text(path: Path) -> str:
    data = path.read_bytes()
    # Only with its mark: without, nobody can tell what the bytes mean.
    encoding = "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"line {line} is not UTF-8 (byte 0x{data[error.start]:02x})",
            where=str(path),
            fix='save the file as UTF-8; in a spreadsheet choose "CSV UTF-8"',
        ) from None
