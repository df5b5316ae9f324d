"""Archives of images: unpacked into a folder of ours, and into nothing else."""

import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from bedrock_tuning.errors import UserError

ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".zip")
# Images hardly shrink: what grows this much when it is unpacked is no dataset.
_GROWTH_MAX: Final = 20
_ALWAYS: Final = 64 << 20
_MEMBER_MAX: Final = 1 << 30
# zipfile raises NotImplementedError for a compression method that it does not know.
_BROKEN: Final = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error),
    *(lzma.LZMAError, EOFError, NotImplementedError),
)


def is_archive(file: str) -> bool:
    """Whether a file's name is that of an archive."""
    return file.lower().endswith(ARCHIVES)


def stem_of(file: str) -> str:
    """The name of an archive without its extension, with its folders."""
    ending = next(ending for ending in ARCHIVES if file.lower().endswith(ending))
    return file[: -len(ending)]


def unpack(archive: Path, target: Path) -> Iterator[tuple[str, Path]]:
    """Name and file of each member, unpacked below target; links and devices are left out.

    Raises UserError before anything is written outside, and for an archive that is broken,
    encrypted or far larger than it looks.
    """
    limit = max(_ALWAYS, archive.stat().st_size * _GROWTH_MAX)
    total = 0
    try:
        for name, size, content in _members(archive):
            path = _below(target, name, archive)
            total += size
            if size > _MEMBER_MAX or total > limit:
                raise UserError(
                    f"it would unpack to more than {min(total, limit):,} bytes, "
                    f"{archive.stat().st_size:,} as it is: images do not shrink that much",
                    where=archive.name,
                    fix="unpack it yourself and pass the folder, if you trust it",
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                shutil.copyfileobj(content, file)
            yield name, path
    except (*_BROKEN, OSError) as error:
        raise UserError(
            f"the archive cannot be read: {error}", where=archive.name, fix="download it again"
        ) from None
    except RuntimeError:
        raise UserError(
            "the archive is encrypted", where=archive.name, fix="unpack it and pass the folder"
        ) from None


def _members(archive: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Names, sizes and contents of the plain files."""
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as bundle:
            for info in bundle.infolist():
                if not info.is_dir() and not stat.S_ISLNK(info.external_attr >> 16):
                    with bundle.open(info) as content:
                        yield info.filename, info.file_size, content
        return
    with tarfile.open(archive) as packed_tar:
        for member in packed_tar:
            content_or_none = packed_tar.extractfile(member) if member.isreg() else None
            if content_or_none is not None:
                yield member.name, member.size, content_or_none
        # tarfile takes a damaged header for the end, which is zeros, or nothing.
        if packed_tar.fileobj is not None:
            packed_tar.fileobj.seek(packed_tar.offset)
            if any(packed_tar.fileobj.read(tarfile.BLOCKSIZE)):
                raise tarfile.ReadError("what follows a file in it is damaged")


def _below(target: Path, name: str, archive: Path) -> Path:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise UserError(
            f"{name} in the archive would be written outside of its folder",
            where=archive.name,
            fix="pack it again with relative paths: tar -C FOLDER -cf new.tar .",
        )
    return target / path
