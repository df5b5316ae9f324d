"""From a file's name as a table writes it to the file that is there."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from bedrock_tuning.wording import closest

_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_DRIVE: Final = re.compile(r"^[A-Za-z]:(?=/)")
# Flickr8k numbers the captions of an image behind its name, COCO-CN also says how they were made.
_NUMBERED: Final = re.compile(r"#(?:\w+#)?\d+$")
# Label Studio puts eight hexadecimal digits in front of the name of an uploaded file.
_UPLOADED: Final = re.compile(r"^[0-9a-f]{8}-(?=.)")
# COCO_val2014_000000000042 is image 42.
_NUMBER: Final = re.compile(r"\d+$")
_SUGGEST_AMONG: Final = 10_000
# A cell that names an image: no header has one.
IMAGE_NAME: Final = re.compile(
    r"\.(jpe?g|png|webp|gif|bmp|tiff?|heic|avif)(#\d+)?\s*$|\d\w*(?:#\w+)?#\d+\s*$", re.IGNORECASE
)


class Found(NamedTuple):
    """A file, and how it was found: "" if it is called just as it was written."""

    file: str
    how: str


class FileNames:
    """The names of files below a folder, with "/"; finds one by the name that a table gives it.

    root: the folder's own path, for tables that write whole paths.
    """

    def __init__(self, files: Iterable[str], *, root: str = "") -> None:
        self._files = list(files)
        self._root = _compose(root).rstrip("/")
        self._known = {_compose(file): file for file in self._files}

    def find(self, name: str, *, base: str = "") -> Found | None:
        """The file that a name means, or None. base: the table's folder; tried first.

        Where an exact name fails, these are tried in order: other spellings of the path, the end of
        the path, any case, another or no extension. A guess counts only if one file alone fits.
        """
        for spelling, origin in _spellings(name):
            if base and (file := self._known.get(_join(base, spelling))) is not None:
                return Found(file, origin)
            if (file := self._known.get(spelling)) is not None:
                return Found(file, origin)
            if self._root and spelling.startswith(f"{self._root}/"):
                file = self._known.get(spelling[len(self._root) + 1 :])
                if file is not None:
                    return Found(file, origin or "by its whole path")
        for spelling, origin in _spellings(name):
            for index, words in self._guesses():
                file = index(spelling)
                if file is not None:
                    return Found(file, f"{words}, {origin}" if origin else words)
        return None

    def near(self, name: str) -> str:
        """A file with a similar name, for a message, or ""."""
        spelling = next(iter(_spellings(name)))[0]
        return closest(spelling, self._files) if len(self._files) < _SUGGEST_AMONG else ""

    def _guesses(self) -> Iterator[tuple[Callable[[str], str | None], str]]:
        yield self._by_end, "by the end of its path"
        yield self._by_case, "in another case"
        yield self._by_stem, "with another or no extension"
        yield self._by_number, "by the number in its name"

    def _by_end(self, name: str) -> str | None:
        return _pick(self._by_base.get(PurePosixPath(name).name, ()), name)

    def _by_case(self, name: str) -> str | None:
        folded = name.casefold()
        return _pick(self._by_folded.get(PurePosixPath(folded).name, ()), folded)

    def _by_stem(self, name: str) -> str | None:
        # As a whole first: "12.5" may be a number and no name with an extension.
        for stem in (PurePosixPath(name).name, PurePosixPath(name).stem):
            for key in (stem.casefold(), stem.casefold().lstrip("0")):
                if key and (file := _pick(self._stems.get(key, ()), name)) is not None:
                    return file
        return None

    def _by_number(self, name: str) -> str | None:
        if not name.isdecimal():
            return None
        return _pick(self._numbers.get(name.lstrip("0"), ()), name)

    @cached_property
    def _numbers(self) -> dict[str, list[str]]:
        ends = ((_NUMBER.search(PurePosixPath(name).stem), f) for name, f in self._known.items())
        return _group((match[0].lstrip("0"), file) for match, file in ends if match is not None)

    @cached_property
    def _by_base(self) -> dict[str, list[str]]:
        return _group((PurePosixPath(name).name, file) for name, file in self._known.items())

    @cached_property
    def _by_folded(self) -> dict[str, list[str]]:
        return _group(
            (PurePosixPath(name).name.casefold(), file) for name, file in self._known.items()
        )

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        def keys() -> Iterator[tuple[str, str]]:
            for name, file in self._known.items():
                stem = PurePosixPath(name).stem.casefold()
                # A spreadsheet takes 0042 for a number.
                for key in {stem, stem.lstrip("0")} - {""}:
                    yield key, file

        return _group(keys())


def _group(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, file in pairs:
        groups[key].append(file)
    return groups


def _pick(files: Iterable[str], name: str) -> str | None:
    """The one file, or of several the one that shares the most folders with what was written."""
    files = list(files)
    if len(files) < 2:
        return files[0] if files else None
    folders = PurePosixPath(name).parts[::-1][1:]

    def shared(file: str) -> int:
        parts = PurePosixPath(_compose(file).casefold()).parts[::-1][1:]
        count = 0
        for part, folder in zip(parts, folders, strict=False):
            if part != folder.casefold():
                break
            count += 1
        return count

    first, second = sorted(map(shared, files), reverse=True)[:2]
    return max(files, key=shared) if first > second else None


def _spellings(name: str) -> Iterator[tuple[str, str]]:
    """What a name may mean as a path, and what was done to it; the plain name first."""
    text = _compose(name)
    yield text, ""
    trimmed = text.strip()
    if _URL.match(trimmed) or trimmed.startswith("/data/"):
        parts = urlsplit(trimmed)
        # Label Studio serves local files as /data/local-files/?d=folder/name.
        path = parse_qs(parts.query).get("d", [unquote(parts.path)])[0].lstrip("/")
        origin = "from a web address or an S3 URI" if _URL.match(trimmed) else "from Label Studio"
        yield path, origin
        file = PurePosixPath(path)
        if _UPLOADED.match(file.name):
            yield file.with_name(_UPLOADED.sub("", file.name)).as_posix(), "without upload prefix"
        return
    slashed = PurePosixPath(_DRIVE.sub("", trimmed.replace("\\", "/"))).as_posix()
    if slashed not in (text, "."):
        yield slashed, "with slashes of another system" if "\\" in trimmed else ""
    if "%" in slashed and (decoded := unquote(slashed)) != slashed:
        yield decoded, "with % decoded"
    rest = _NUMBERED.sub("", slashed)
    if rest != slashed:
        yield rest, ""
    file = PurePosixPath(slashed)
    if _UPLOADED.match(file.name):
        yield file.with_name(_UPLOADED.sub("", file.name)).as_posix(), "without upload prefix"


def _compose(name: str) -> str:
    # Apple's disks write é as e and an accent, spreadsheets as one character.
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _join(base: str, name: str) -> str:
    """A path below base, its "." and ".." resolved; "" for one that leaves the folder."""
    parts = base.split("/")
    for part in name.split("/"):
        if part == ".." and not parts:
            return ""
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return _compose("/".join(parts))
