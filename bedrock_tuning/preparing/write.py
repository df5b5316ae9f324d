"""Writes a prepared dataset: into a new folder, all or nothing, its inputs untouched."""

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import IO, Any, ClassVar, Final

from bedrock_tuning.catalogue import ImageLimits
from bedrock_tuning.dataset.layouts.reading import LeftOut
from bedrock_tuning.errors import UserError
from bedrock_tuning.preparing.fix import PictureFix, UnfixableError, fix_image
from bedrock_tuning.preparing.near_duplicates import Look, look_at
from bedrock_tuning.progress import Meter, silent

CHANGES: Final = "changes.jsonl"
IMAGES: Final = "images"
_BATCH: Final = 256
_KEY_BYTES_MAX: Final = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedImage:
    """One image on its way. source: digest of the input's bytes; digest: of those to be written.

    path: the file that is to be written as it is. is_new: whether it is ours and may be moved.
    name: below images/, with the extension that its content wants. look: if it was examined.
    """

    file: str
    source: str
    digest: str
    name: str
    path: Path
    is_new: bool = False
    changes: tuple[PictureFix, ...] = ()
    look: Look | None = None


@dataclass(kw_only=True)
class Workshop:
    """Turns files into images that can be written.

    work: a folder for new files, which remembers what was fixed: an interrupted run goes on there.
    limits: what images are fixed to; None leaves them as they are. looks: whether to look at each
    picture, which takes ten times as long as to copy it.
    """

    FOLDER: ClassVar = ".work"

    files: Mapping[str, Path]
    work: Path
    limits: ImageLimits | None
    looks: bool
    meter: Meter = silent
    left: list[LeftOut] = field(default_factory=list)
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._fixed = self.work / "fixed"
        self._fixed.mkdir(parents=True, exist_ok=True)
        self.looks = self.looks and find_spec("PIL") is not None
        limits = hashlib.sha256(repr(self.limits).encode()).hexdigest()[:16]
        self._journal = self.work / f"journal-{limits}.jsonl"
        if self._journal.exists():
            for line in self._journal.read_text("utf-8").splitlines():
                try:
                    entry = json.loads(line)
                except ValueError:
                    # The line that was being written when the run was interrupted.
                    continue
                self._known[entry["source"]] = entry

    def close(self) -> None:
        """Throws away what was needed on the way."""
        shutil.rmtree(self.work)

    def images(
        self, files: Sequence[str], *, unchanged: Collection[str] = ()
    ) -> dict[str, PreparedImage]:
        """Each file's image; those of which nothing can be made are in `left`.

        unchanged: files that will not be written, so that nothing is fixed in them.
        """
        result: dict[str, PreparedImage] = {}
        pool = ThreadPoolExecutor(os.cpu_count())
        try:
            with (
                self.meter("preparing images", "images") as progress,
                self._journal.open("a", encoding="utf-8") as journal,
            ):
                for start in range(0, len(files), _BATCH):
                    batch = files[start : start + _BATCH]
                    fix = [file not in unchanged for file in batch]
                    for image, entry in pool.map(self._image, batch, fix):
                        if isinstance(image, LeftOut):
                            self.left.append(image)
                        else:
                            result[image.file] = image
                        if entry is not None:
                            journal.write(json.dumps(entry) + "\n")
                    progress.update(share=(start + len(batch)) / len(files), count=len(batch))
        finally:
            pool.shutdown(cancel_futures=True)
        return result

    def _image(self, file: str, fix: bool) -> tuple[PreparedImage | LeftOut, dict[str, Any] | None]:
        """An image, and what the journal has to remember of it."""
        path = self.files[file]
        try:
            data = path.read_bytes()
        except OSError as error:
            reason = f"it cannot be read: {error.strerror or error}"
            return LeftOut(file=file, reason=reason, kind="image not readable"), None
        source = _digest(data)
        if self.limits is None or not fix:
            return PreparedImage(
                file=file,
                source=source,
                digest=source,
                name=_safe(file),
                path=path,
                is_new=path.is_relative_to(self.work),
                look=look_at(data) if self.looks else None,
            ), None
        memo = self._known.get(source)
        entry = memo if memo is not None and self._is_there(memo) else self._fix(data, source)
        if entry["reason"]:
            reject = LeftOut(file=file, reason=entry["reason"], kind=entry["reason_kind"])
            return reject, entry
        changes = [PictureFix(*change) for change in entry["changes"]]
        name = _safe(file)
        if not _fits(name, entry["extension"]):
            name = f"{PurePosixPath(name).with_suffix('')}{entry['extension']}"
            changes.append(PictureFix("renamed", f"to {name}"))
        return PreparedImage(
            file=file,
            source=source,
            digest=entry["digest"],
            name=name,
            path=self._fixed / source if entry["changes"] else path,
            is_new=bool(entry["changes"]) or path.is_relative_to(self.work),
            changes=tuple(changes),
            look=Look(entry["look"][0], bytes.fromhex(entry["look"][1])),
        ), None if entry is memo else entry

    def _is_there(self, entry: Mapping[str, Any]) -> bool:
        return not entry["changes"] or (self._fixed / entry["source"]).exists()

    def _fix(self, data: bytes, source: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"source": source, "reason": "", "changes": []}
        assert self.limits is not None  # noqa: S101
        try:
            image = fix_image(data, self.limits)
        except UnfixableError as error:
            return {**entry, "reason": str(error), "reason_kind": error.kind}
        if image.changes:
            half = self._fixed / f"{source}.half"
            half.write_bytes(image.data)
            half.replace(self._fixed / source)
        return {
            **entry,
            "digest": _digest(image.data),
            "extension": image.extension,
            "changes": [list(change) for change in image.changes],
            "look": [image.look.bits, image.look.colours.hex()],
        }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_ENDINGS: Final = {".png": (".png",), ".jpg": (".jpg", ".jpeg", ".jpe")}


def _fits(name: str, extension: str) -> bool:
    """Whether a name promises what the content is."""
    return PurePosixPath(name).suffix.lower() in _ENDINGS[extension]


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
    keys: set[str] = set()
    result: dict[str, str] = {}
    for file, name in sorted(names.items()):
        path, number, free = PurePosixPath(name), 2, name
        while free.casefold() in keys:
            free = f"{path.with_suffix('')}-{number}{path.suffix}"
            number += 1
        keys.add(free.casefold())
        result[file] = free
    return result


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder that becomes `out` when all is written; an error leaves nothing behind.

    Ctrl-C leaves it, so that the same command goes on where it stopped. Raises UserError if out
    exists and is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(
            "the folder is not empty; files are never overwritten",
            where=str(out),
            fix="a new folder",
        )
    unfinished = out.parent / f".{out.name}-unfinished"
    for path in unfinished.iterdir() if unfinished.is_dir() else ():
        if path.name != Workshop.FOLDER:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    unfinished.mkdir(parents=True, exist_ok=True)
    try:
        yield unfinished
        unfinished.chmod(0o755)
        unfinished.replace(out)
    except KeyboardInterrupt:
        raise
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def put(image: PreparedImage, target: Path, *, link: bool) -> None:
    """Writes an image where it belongs: the new file, a copy, or a hard link to the input."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if image.is_new:
        image.path.replace(target)
    elif link:
        _link(image.path, target)
    else:
        shutil.copyfile(image.path, target)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another file system, or one without links: the content counts.
        shutil.copyfile(source, target)


def write_manifest(path: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """One record per pair of reference and caption."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for reference, caption in pairs:
            write_line(file, {"image-ref": reference, "caption": caption})


def write_line(file: IO[bytes], value: Mapping[str, Any]) -> None:
    """One object per line; text as it is, unless it has no UTF-8."""
    try:
        line = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        line = json.dumps(value).encode()
    file.write(line + b"\n")
