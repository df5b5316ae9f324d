"""One way to open a file of somebody else's: plain files only, and nothing outside of a folder."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from functools import reduce
from io import BufferedReader
from operator import and_
from pathlib import Path
from typing import Final

from bedrock_tuning.errors import UserError

# An opened pipe waits for a writer; with this flag it does not, and is then refused.
_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)


class NotPlainError(OSError):
    """The path names a folder, a pipe, a device or a socket: what cannot be read twice."""


def open_plain(path: Path | str) -> BufferedReader:
    """The file for reading, from its beginning; raises OSError, NotPlainError for no plain one."""
    handle = os.open(path, _FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotPlainError(0, "not a plain file", str(path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_plain(path: Path | str) -> bytes:
    """All of a file; raises OSError, and NotPlainError if it is not one."""
    with open_plain(path) as file:
        return file.read()


def require_plain(path: Path) -> None:
    """Raises UserError for a pipe or a device, such as the shell's <(…)."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UserError(
            "this is a pipe or a device; it is read more than once, so it must be a plain file",
            where=str(path),
            fix="write it to a file first",
        )


def tree_hash(folder: Path, files: Iterable[str] | None = None) -> str:
    """SHA-256 of names and contents below a folder, as hexadecimal; modes and times do not count.

    files: those that count, relative to the folder; None: all. Raises OSError, and NotPlainError
    for a link or anything else that is not a plain file.
    """
    digest = hashlib.sha256()
    for name in sorted(files_below(folder) if files is None else files):
        path = f"{folder}/{name}"
        if _is_link(path):
            raise NotPlainError(0, "a link", path)
        content = read_plain(path)
        # Lengths keep the end of a name apart from the beginning of a content.
        digest.update(f"{len(name.encode())} {len(content)} {name}".encode())
        digest.update(content)
    return digest.hexdigest()


def files_below(folder: Path) -> Iterator[str]:
    """Every entry below a folder but folders; links are entries and not followed."""
    if folder.is_symlink():
        raise NotPlainError(0, "a link", str(folder))
    for here, folders, names in os.walk(folder):
        links = [name for name in folders if _is_link(f"{here}/{name}")]
        inside = Path(here).relative_to(folder)
        before = f"{inside.as_posix()}/" if inside.name else ""
        yield from (before + name for name in [*names, *links])


def _is_link(path: str) -> bool:
    # Of hundreds of files: a Path of each would take as long as all the rest.
    return stat.S_ISLNK(os.lstat(path).st_mode)


def odd_modes(folder: Path) -> Iterator[tuple[str, int]]:
    """Files with other modes than those of installed code and data: their names and modes.

    Those that not everybody can read, as Lambda demands; that act as somebody else; that everybody
    may write or run and that are no shared library, unless all files are so, as on a file system
    that keeps no modes.
    """
    modes = {
        name: stat.S_IMODE(os.lstat(f"{folder}/{name}").st_mode) for name in files_below(folder)
    }
    common = reduce(and_, modes.values(), 0o777)
    for name, mode in modes.items():
        allowed = 0o775 if name.endswith(".so") or ".so." in name else 0o664
        if mode & ~(allowed | common) or ~mode & 0o444:
            yield name, mode


class Bounds:
    """Whether paths below a folder stay in it, whatever links they go through."""

    def __init__(self, folder: Path) -> None:
        self._root = os.path.realpath(folder)
        # Thousands of images lie in a few folders.
        self._inside: dict[str, bool] = {}

    def hold(self, path: Path) -> bool:
        """Whether the file that the path leads to lies in the folder."""
        parent, name = os.path.split(path)
        inside = self._inside.get(parent)
        if inside is None:
            inside = self._inside[parent] = self._is_below(os.path.realpath(parent))
        if inside and name != ".." and not path.is_symlink():
            return True
        return self._is_below(os.path.realpath(path))

    def _is_below(self, real: str) -> bool:
        return real == self._root or real.startswith(self._root.rstrip(os.sep) + os.sep)
