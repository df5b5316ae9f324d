"""A dataset's images in local folders, mirrored to where they lie in S3."""

import errno
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Final

from bedrock_tuning.dataset.images.source import ByteRange, Denied, Fetched, Missing
from bedrock_tuning.errors import SourceError
from bedrock_tuning.files import Bounds, NotPlainError, open_plain

# Names that S3 allows and a file system does not.
_NO_FILE: Final = (errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP, errno.EILSEQ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Objects under s3://bucket/prefix are files under folder; prefix ends with "/" or is empty."""

    bucket: str
    prefix: str
    folder: Path


class Folders:
    """All mappings of one dataset; of two that fit a key, the one with the longer prefix counts.

    ETags are made so that equal files have equal ones: the MD5 of the content where another file
    under the mappings has the same number of bytes; where none has, the size alone tells it apart.
    """

    def __init__(self, mappings: Iterable[Mapping]) -> None:
        self._mappings: list[Mapping] = []
        self._sizes: Counter[int] | None = None
        self._bounds: list[Bounds] = []
        for mapping in mappings:
            self.add(mapping)

    def add(self, mapping: Mapping) -> None:
        """One more mapping; all must be known before the first image is checked."""
        self._mappings.append(mapping)
        self._mappings.sort(key=lambda entry: -len(entry.prefix))
        self._bounds.append(Bounds(mapping.folder))

    def images(self, bucket: str) -> "FolderImages":
        """An ImageSource over the mappings of one bucket."""
        return FolderImages(self, bucket)

    def path(self, bucket: str, key: str) -> Path | None:
        """The file of an object, whether or not it exists; None if no mapping covers it."""
        for mapping in self._mappings:
            if mapping.bucket == bucket and key.startswith(mapping.prefix):
                # Joined as text: a key may begin with "/" and must not leave the folder by that.
                return Path(f"{mapping.folder}{os.sep}{key[len(mapping.prefix) :]}")
        return None

    def holds(self, path: Path) -> bool:
        """Whether the file lies in one of the folders, whatever links lead to it."""
        return any(bounds.hold(path) for bounds in self._bounds)

    def shares_its_size(self, size: int) -> bool:
        """Whether several files under the mappings have so many bytes."""
        if self._sizes is None:
            folders = {mapping.folder.resolve() for mapping in self._mappings}
            roots = [folder for folder in folders if folders.isdisjoint(folder.parents)]
            self._sizes = Counter(_sizes(roots))
        return self._sizes[size] > 1


class FolderNames:
    """Which files a folder has, for names that are not there; each folder is listed once."""

    def __init__(self) -> None:
        self._known: dict[Path, dict[str, list[str]]] = {}

    def near(self, path: Path) -> str:
        """The file beside this one whose name differs in case or extension only; or "".

        Never looks outside: a name with ".." in it has none.
        """
        folder = path.parent
        if ".." in path.parts:
            return ""
        if folder not in self._known:
            try:
                names = sorted(entry.name for entry in os.scandir(folder))
            except (OSError, ValueError):
                names = []
            names_by_plain = self._known[folder] = defaultdict(list)
            for name in names:
                names_by_plain[_plain_name(name)].append(name)
        # Of several, the first in the alphabet.
        candidates = self._known[folder].get(_plain_name(path.name), ())
        return next((name for name in candidates if (folder / name).is_file()), "")


def _plain_name(name: str) -> str:
    return Path(name).stem.casefold()


class FolderImages:
    """ImageSource over the folders that stand for one bucket."""

    def __init__(self, folders: Folders, bucket: str) -> None:
        self._folders = folders
        self._bucket = bucket
        self._names = FolderNames()

    def fetch(self, ranges: Sequence[ByteRange]) -> list[Fetched | Missing | Denied]:
        """One answer per range, in order."""
        return [self._fetch_one(byte_range) for byte_range in ranges]

    def _fetch_one(self, byte_range: ByteRange) -> Fetched | Missing | Denied:
        path = self._folders.path(self._bucket, byte_range.key)
        if path is None:
            return Denied(byte_range.key, f"no --map covers s3://{self._bucket}/{byte_range.key}")
        try:
            if not self._folders.holds(path):
                return Denied(byte_range.key, "a link leads out of the folder")
            with open_plain(path) as file:
                status = os.fstat(file.fileno())
                file.seek(byte_range.start)
                data = file.read(byte_range.length)
                etag = self._etag(file, status.st_size)
        except PermissionError as error:
            return Denied(byte_range.key, str(error.strerror))
        except (FileNotFoundError, NotADirectoryError, NotPlainError, ValueError):
            return self._missing_answer(byte_range.key, path)
        except OSError as error:
            if error.errno in _NO_FILE:
                return self._missing_answer(byte_range.key, path)
            raise SourceError(f"cannot read {path}: {error.strerror}") from error
        return Fetched(data=data, size=status.st_size, etag=etag)

    def _missing_answer(self, key: str, path: Path) -> Missing:
        name = self._names.near(path)
        folder, slash, _ = key.rpartition("/")
        return Missing(key, f"{folder}{slash}{name}" if name else "")

    def _etag(self, file: BufferedReader, size: int) -> str:
        if not self._folders.shares_its_size(size):
            return f"only-{size}"
        # S3 gives the MD5 as the ETag of a plain upload; it guards nothing here.
        file.seek(0)
        return hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def _sizes(folders: Iterable[Path]) -> Iterable[int]:
    paths = [str(folder) for folder in folders]
    while paths:
        with os.scandir(paths.pop()) as entries:
            for entry in entries:
                try:
                    if entry.is_dir(follow_symlinks=False):
                        paths.append(entry.path)
                    else:
                        yield entry.stat().st_size
                except OSError:
                    # A dangling link has no size; a record that refers to it gets a finding.
                    continue
