"""What a layout's reader is given, and what it gives back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol

from bedrock_tuning.dataset.images.image import ENDINGS
from bedrock_tuning.dataset.images.magic import sniff
from bedrock_tuning.dataset.layouts.names import FileNames, Found
from bedrock_tuning.dataset.layouts.splits import Split, split_of_folders, split_of_name
from bedrock_tuning.wording import word_list

# A table that was compressed on its own, not an archive.
PACKED: Final = (".gz", ".bz2", ".xz", ".zst")
# Files that are no images, whatever else they are; every other file is checked.
NO_IMAGES: Final = frozenset(PACKED) | frozenset(
    word_list(
        ".txt .caption .csv .tsv .json .jsonl .jsonlines .ndjson .manifest .token .parquet .arrow",
        ".feather .xlsx .xls .ods .tar .tgz .zip .rar .7z .md .rst .toml .yaml .yml .xml .html .db",
        ".ini .py .ipynb .npy .npz .pkl .lock .log .cls .names .data",
    )
)
# What lies beside images under other names: sidecars of other programs, documents, archives.
_NO_IMAGE: Final = frozenset({"text", "JSON", "XML", "HTML", "PDF", "a zip archive", "gzip"})
_SAMPLE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutOptions:
    """What the user says about a dataset; empty where the structure decides.

    captions: a file, or "sidecar", "folders" or "filenames". validation: a folder, or a pattern of
    file names, whose images are the validation set.
    """

    captions: str = ""
    file_column: str = ""
    caption_column: str = ""
    split_column: str = ""
    encoding: str = ""
    validation: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file of rows. file: its name; base: its folder below the scene's.

    rows: number, as people count it, and cells by column. value: the whole JSON document, unless
    it is a list of objects. said: what had to be decided to read it.
    """

    file: str
    base: str = ""
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[int, Mapping[str, Any]]] = ()
    value: Any = None
    said: tuple[str, ...] = ()

    @cached_property
    def split(self) -> Split:
        """The split that the table's own name or its folders say."""
        return split_of_name(self.file) or split_of_folders(self.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionRow:
    """One caption of one image. image: as it is written. where: for messages.

    split: as a column gives it. table_split: as the table's name does.
    """

    image: str
    caption: str
    where: str
    base: str = ""
    split: Split = ""
    table_split: Split = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something that makes no record, and why. kind: the reason without its details."""

    file: str
    reason: str
    kind: str


@dataclass(kw_only=True)
class Reading:
    """What a reader understood. layout: its name. why: what shows it. said: what it decided."""

    layout: str
    why: str
    rows: list[CaptionRow] = field(default_factory=list)
    left: list[LeftOut] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def leave(self, file: str, reason: str, kind: str) -> None:
        """Leaves something out."""
        self.left.append(LeftOut(file=file, reason=reason, kind=kind))


@dataclass(kw_only=True)
class Scene:
    """Everything that is there: files by name below the root, tables, and what the user said.

    marks: splits of folders that stand for archives. refusals: why something was not taken for a
    dataset, in case that nothing else is found, and whether it may be one of texts. around: the
    files only lie around a table, so that images which it does not name are nobody's loss.
    """

    root: Path
    files: dict[str, Path]
    options: LayoutOptions
    tables: list[Table] = field(default_factory=list)
    marks: dict[str, Split] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    refusals: dict[str, bool] = field(default_factory=dict)
    around: bool = False

    def refuse(self, why: str, *, may_be_text: bool = False) -> None:
        """Keeps why something is no dataset of images."""
        self.refusals.setdefault(why, may_be_text)

    @cached_property
    def images(self) -> list[str]:
        """Files that may be images, sorted: by what they are called, or else by what is inside."""
        return sorted(file for file, path in self.files.items() if _may_be_image(file, path))

    @cached_property
    def names(self) -> FileNames:
        """Finds images by the names that tables give them."""
        return FileNames(self.images, root=self.root.resolve().as_posix())

    def find(self, name: str, *, base: str = "", split: Split = "") -> Found | None:
        """The image that a name means. split: of the table, if several images have the name."""
        match = self.names.find(name, base=base)
        return match or (self._by_split[split].find(name) if split in self._by_split else None)

    @cached_property
    def _by_split(self) -> Mapping[Split, FileNames]:
        """Images in folders of splits, by split."""
        grouped: dict[Split, list[str]] = {}
        for image in self.images:
            if split := split_of_folders(image):
                grouped.setdefault(split, []).append(image)
        return {split: FileNames(images) for split, images in grouped.items()}

    def is_image(self, name: object, *, base: str = "", split: Split = "") -> bool:
        """Whether a cell names an image that is here."""
        return isinstance(name, str | int) and bool(self.find(str(name), base=base, split=split))

    def share_found(self, rows: Sequence[CaptionRow]) -> float:
        """Which share of some rows names images that are here."""
        sample = list(islice(rows, 0, None, max(1, len(rows) // _SAMPLE)))
        hits = (self.is_image(row.image, base=row.base, split=row.table_split) for row in sample)
        return sum(hits) / max(1, len(sample))


def _may_be_image(file: str, path: Path) -> bool:
    ending = PurePosixPath(file).suffix.lower()
    if ending.removeprefix(".") in ENDINGS or ending in NO_IMAGES:
        return ending not in NO_IMAGES
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
    except OSError:
        return True
    return sniff(head) not in _NO_IMAGE


class LayoutReader(Protocol):
    """Recognises one layout."""

    def __call__(self, scene: Scene, /) -> Iterator[Reading]:
        """What is there in this layout; nothing if there is nothing."""
        ...


def of_tables(read: Callable[[Table, Scene], Reading | None]) -> LayoutReader:
    """A reader that tries every table."""

    def reader(scene: Scene) -> Iterator[Reading]:
        for table in scene.tables:
            reading = read(table, scene)
            if reading is not None and (reading.rows or reading.left):
                reading.said[:0] = table.said
                yield reading

    return reader
