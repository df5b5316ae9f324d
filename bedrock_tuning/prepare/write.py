"""Writes a prepared dataset: into a new folder, all or nothing, its inputs untouched."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from bedrock_tuning.catalogue import ImageLimits
from bedrock_tuning.dataset.images.header import header
from bedrock_tuning.errors import UserError
from bedrock_tuning.prepare.fix import Change, UnfixableError, fix_image
from bedrock_tuning.prepare.pairs import LeftOut, Pair
from bedrock_tuning.progress import Meter, silent

CHANGES: Final = "changes.jsonl"
IMAGES: Final = "images"
_BATCH: Final = 256
_KEY_BYTES_MAX: Final = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedImage:
    """One image on its way. digest: of the bytes that are written. staged: them, if they are new.

    name: below images/, with the extension that its content wants.
    """

    file: str
    digest: str
    name: str
    staged: Path | None = None
    changes: tuple[Change, ...] = ()


@dataclass(kw_only=True)
class Workshop:
    """Turns files below a folder into images that can be written.

    staging: a folder for new files. limits: what images are fixed to; None leaves them as they are.
    """

    folder: Path
    staging: Path
    limits: ImageLimits | None
    meter: Meter = silent
    left: list[LeftOut] = field(default_factory=list)

    def images(self, files: Sequence[str]) -> dict[str, PreparedImage]:
        """Each file's image; those of which nothing can be made are in `left`."""
        found: dict[str, PreparedImage] = {}
        with (
            self.meter("preparing images", "images") as progress,
            ThreadPoolExecutor(os.cpu_count()) as pool,
        ):
            for start in range(0, len(files), _BATCH):
                batch = files[start : start + _BATCH]
                numbers = range(start, start + len(batch))
                for image in pool.map(self._image, batch, numbers):
                    if isinstance(image, LeftOut):
                        self.left.append(image)
                    else:
                        found[image.file] = image
                progress.update(share=(start + len(batch)) / len(files), count=len(batch))
        return found

    def _image(self, file: str, number: int) -> PreparedImage | LeftOut:
        try:
            data = (self.folder / file).read_bytes()
        except OSError as error:
            return LeftOut(file=file, reason=f"cannot be read: {error.strerror}")
        if not data:
            return LeftOut(file=file, reason="the file is empty")
        if self.limits is None:
            return PreparedImage(file=file, digest=_digest(data), name=_safe(file))
        try:
            fixed = fix_image(data, self.limits)
        except UnfixableError as error:
            return LeftOut(file=file, reason=str(error))
        changes = list(fixed.changes)
        name = _safe(file)
        if not _fits(name, fixed.data):
            name = f"{PurePosixPath(name).with_suffix('')}{fixed.extension}"
            changes.append(Change("renamed", f"to {name}"))
        staged = None
        if fixed.changes:
            staged = self.staging / str(number)
            staged.write_bytes(fixed.data)
        return PreparedImage(
            file=file,
            digest=_digest(fixed.data),
            name=name,
            staged=staged,
            changes=tuple(changes),
        )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fits(name: str, data: bytes) -> bool:
    """Whether a name promises what the content is."""
    endings = {"png": (".png",), "jpeg": (".jpg", ".jpeg", ".jpe")}
    return PurePosixPath(name).suffix.lower() in endings.get(header(data).format, ())


def _safe(file: str) -> str:
    """A file's name as the end of an S3 key: UTF-8, no control characters, not too long."""
    name = file.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    name = "".join(char if char.isprintable() else "_" for char in name)
    if len(name.encode()) > _KEY_BYTES_MAX:
        path = PurePosixPath(name)
        name = f"{_digest(name.encode())[:32]}{path.suffix}"
    return name


def unique(names: Mapping[str, str]) -> dict[str, str]:
    """Names by file without two equal ones, also where upper and lower case are one."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for file, name in sorted(names.items()):
        path, number, free = PurePosixPath(name), 2, name
        while free.casefold() in taken:
            free = f"{path.with_suffix('')}-{number}{path.suffix}"
            number += 1
        taken.add(free.casefold())
        found[file] = free
    return found


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder that becomes `out` when all is written; an error leaves nothing behind.

    Raises UserError if out exists and is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(
            "the folder is not empty; files are never overwritten",
            where=str(out),
            fix="a new folder",
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield unfinished
        unfinished.chmod(0o755)
        unfinished.replace(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def put(image: PreparedImage, source: Path, target: Path, *, link: bool) -> None:
    """Writes an image where it belongs: the new file, a copy, or a hard link to the input."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if image.staged is not None:
        image.staged.replace(target)
    elif link:
        _link(source, target)
    else:
        shutil.copyfile(source, target)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another file system, or one without links: the content counts.
        shutil.copyfile(source, target)


def write_manifest(path: Path, pairs: Sequence[tuple[str, Pair]]) -> None:
    """One record per pair of reference and caption."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for reference, pair in pairs:
            write_line(file, {"image-ref": reference, "caption": pair.caption})


def write_line(file: IO[bytes], value: Mapping[str, Any]) -> None:
    """One object per line; text as it is, unless it has no UTF-8."""
    try:
        line = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        line = json.dumps(value).encode()
    file.write(line + b"\n")
