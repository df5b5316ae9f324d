"""Everything that is in a folder, an archive or a table, before anybody knows what it means."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from bedrock_tuning.dataset.images.header import header
from bedrock_tuning.dataset.images.image import ENDINGS
from bedrock_tuning.dataset.layouts.archives import is_archive, stem_of, unpack
from bedrock_tuning.dataset.layouts.folders import SIDECARS
from bedrock_tuning.dataset.layouts.reading import NO_IMAGES, PACKED, LayoutOptions, Scene, Table
from bedrock_tuning.dataset.layouts.recognise import FORCED
from bedrock_tuning.dataset.layouts.splits import split_of_name
from bedrock_tuning.dataset.layouts.tables import TABLE_ENDINGS, read_tables
from bedrock_tuning.errors import UserError
from bedrock_tuning.files import Bounds
from bedrock_tuning.wording import did_you_mean

# A folder may hold notes and lists beside its table; only so many are tried.
_LOOSE: Final = (".txt", ".json", ".data")
_LOOSE_MAX: Final = 40
_ENDING: Final = {format: f".{ending}" for ending, format in reversed(list(ENDINGS.items()))}


def look(source: Path, options: LayoutOptions, *, room: Path) -> Scene:
    """A scene of a folder, or of a file: an archive, or a table with its images beside it.

    room: an empty folder for what is unpacked; nothing is written elsewhere. Raises UserError for
    what cannot be read.
    """
    if source.is_dir():
        return _Look(source, options, room).scene()
    if is_archive(source.name):
        return _Look(source.parent, options, room).archive(source)
    if source.suffix.lower() in TABLE_ENDINGS:
        choice = options if options.captions else replace(options, captions=str(source))
        return _Look(source.parent, choice, room, around=True).scene()
    if source.suffix.lower() in PACKED:
        raise UserError(
            "the file is compressed", where=str(source), fix="unpack it, and pass what was in it"
        )
    raise UserError(
        "this is not a folder, table or archive of images",
        where=str(source),
        fix="pass the folder that holds the images",
    )


class _Look:
    """around: the root is only what lies around the table that counts."""

    def __init__(
        self, root: Path, options: LayoutOptions, room: Path, *, around: bool = False
    ) -> None:
        self._root, self._room, self._options = root, room, options
        self._scene = Scene(root=root, files={}, options=options, around=around)

    def scene(self) -> Scene:
        """What is below the root."""
        self._add(self._root, "")
        self._add_validation()
        return self._finish()

    def archive(self, archive: Path) -> Scene:
        """What is in one archive."""
        self._unpack(archive, "")
        self._add_validation()
        return self._finish()

    def _finish(self) -> Scene:
        scene = self._scene
        scene.tables = list(self._tables())
        scene.options = self._options
        return scene

    def _add(self, folder: Path, prefix: str) -> None:
        for file in sorted(_walk(folder, self._scene.said)):
            name = f"{prefix}{file.relative_to(folder).as_posix()}"
            if is_archive(name) and not self._scene.around:
                self._unpack(file, stem_of(name))
            else:
                self._scene.files[name] = file

    def _unpack(self, archive: Path, stem: str) -> None:
        for name, path in unpack(archive, self._room / (stem or "archive")):
            file = PurePosixPath(name.replace("\\", "/")).as_posix()
            if not any(part.startswith(".") or part == "__MACOSX" for part in file.split("/")):
                self._scene.files[f"{stem}/{file}" if stem else file] = path
                if is_archive(file):
                    self._scene.refuse(
                        f"{file} in {archive.name} is an archive: unpack it and pass the folder"
                    )
        if stem and (split := split_of_name(stem)):
            self._scene.marks[stem] = split

    def _add_validation(self) -> None:
        """--validation-dir: below the root, elsewhere, or a pattern of names."""
        value = self._options.validation
        if not value:
            return
        for path in (self._root / value, Path(value)):
            if path.is_dir() and path.resolve().is_relative_to(self._root.resolve()):
                inner = path.resolve().relative_to(self._root.resolve()).as_posix()
                self._options = replace(self._options, validation=inner)
                return
        folder = Path(value)
        if folder.is_dir():
            name = f"{folder.resolve().name}-validation"
            self._options = replace(self._options, validation=name)
            self._add(folder, f"{name}/")
        elif not any(PurePosixPath(file).match(value) for file in self._scene.files):
            folders = {file.rpartition("/")[0] for file in self._scene.files} - {""}
            raise UserError(
                f"--validation-dir {value}: there is no such folder{did_you_mean(value, folders)}",
                fix="pass a folder of images, or a pattern as in 'batch-7/*'",
            )

    def _tables(self) -> Iterator[Table]:
        options, scene = self._options, self._scene
        if options.captions in FORCED:
            return
        if options.captions:
            yield from self._one_table(Path(options.captions))
            return
        stems = {
            PurePosixPath(file).stem.casefold()
            for file in scene.files
            if PurePosixPath(file).suffix.lower() not in NO_IMAGES
        }
        count = 0
        for file in sorted(scene.files):
            suffix = PurePosixPath(file).suffix.lower()
            stem = PurePosixPath(file).stem.casefold()
            if suffix in PACKED and PurePosixPath(stem).suffix in TABLE_ENDINGS:
                scene.refuse(f"{file} is compressed: unpack it")
            # 1.txt and 1.jpg.txt belong to 1.jpg.
            if suffix not in TABLE_ENDINGS or (
                suffix in SIDECARS and {stem, PurePosixPath(stem).stem} & stems
            ):
                continue
            if suffix in _LOOSE:
                count += 1
                if count > _LOOSE_MAX:
                    continue
            try:
                yield from self._read(scene.files[file], file)
            except UserError as error:
                if suffix not in _LOOSE:
                    raise
                scene.refuse(f"{file}: {error.what}")

    def _one_table(self, path: Path) -> Iterator[Table]:
        if not path.is_file():
            file = self._root / path
            if not file.is_file():
                raise UserError(
                    "the caption file does not exist",
                    where=str(path),
                    fix="give a table, or one of the words sidecar, folders and filenames",
                )
            path = file
        if path.suffix.lower() not in TABLE_ENDINGS:
            raise UserError(
                f"captions are not read from {path.suffix or 'a file without extension'}",
                where=str(path),
                fix=f"one of {', '.join(sorted(TABLE_ENDINGS))}",
            )
        target, root = path.resolve(), self._root.resolve()
        inner = target.relative_to(root).as_posix() if target.is_relative_to(root) else path.name
        base = inner if target.is_relative_to(root) else ""
        yield from self._read(path, inner, base=base.rpartition("/")[0])

    def _read(self, path: Path, file: str, *, base: str | None = None) -> Iterator[Table]:
        folder = file.rpartition("/")[0] if base is None else base
        stem = str(PurePosixPath(file).with_suffix(""))

        def keep(name: str, data: bytes) -> str:
            ending = _ENDING.get(header(data).format, "")
            inner = f"{stem}/{name.rpartition('/')[2]}"
            target = self._room / f"{inner}{ending}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            self._scene.files[f"{inner}{ending}"] = target
            return f"{inner}{ending}"

        encoding = self._options.encoding
        yield from read_tables(path, file=file, base=folder, encoding=encoding, keep=keep)
        if split := split_of_name(file):
            self._scene.marks.setdefault(stem, split)


def _walk(folder: Path, notes: list[str]) -> Iterator[Path]:
    """Plain files below a folder, through links too, but never out of it or in a circle.

    A folder from elsewhere may hold a link to any file of this machine, which an upload would send.
    """
    bounds = Bounds(folder)
    waiting = [(folder, frozenset({folder.resolve()}))]
    while waiting:
        parent, ancestors = waiting.pop()
        try:
            entries = sorted(os.scandir(parent), key=lambda entry: entry.name)
        except OSError as error:
            raise UserError(
                f"the folder cannot be read: {error.strerror}", where=str(parent)
            ) from None
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = parent / entry.name
            try:
                is_folder = entry.is_dir()
                is_file = entry.is_file()
            except OSError:
                is_folder = is_file = False
            if (is_folder or is_file) and not bounds.hold(path):
                notes.append(
                    f"{path}: a link that leads out of the folder is not followed; copy what it "
                    "leads to, or prepare the folder that holds both"
                )
            elif is_folder:
                real = path.resolve()
                if real in ancestors:
                    notes.append(f"{path}: a link back to a folder around it is not followed")
                    continue
                waiting.append((path, ancestors | {real}))
            elif is_file:
                yield path
            else:
                notes.append(f"{path}: a link that leads nowhere, or no plain file, is left out")
