"""Which layout a dataset has: every reader in its order, and the first that fits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Final

from bedrock_tuning.dataset.layouts.annotation_files import (
    read_augmented_manifest,
    read_by_file,
    read_coco,
    read_conversations,
    read_karpathy,
    read_label_studio,
    read_via,
)
from bedrock_tuning.dataset.layouts.columns import NESTED, read_columns, read_nested
from bedrock_tuning.dataset.layouts.folders import read_classes, read_file_names, read_sidecars
from bedrock_tuning.dataset.layouts.reading import LayoutReader, LeftOut, Reading, Scene, of_tables
from bedrock_tuning.dataset.layouts.splits import Split, split_of_folders, strictest
from bedrock_tuning.errors import UserError
from bedrock_tuning.wording import counted

# Files that name themselves come first, then tables, then what lies beside images or around them.
_TABLE_READERS: Final[tuple[LayoutReader, ...]] = tuple(
    of_tables(read)
    for read in (
        read_coco,
        read_karpathy,
        read_label_studio,
        read_augmented_manifest,
        read_conversations,
        read_via,
        read_by_file,
        read_columns,
        read_nested,
    )
)
# By the word that --captions takes.
FORCED: Final[Mapping[str, LayoutReader]] = {
    "sidecar": read_sidecars,
    "folders": read_classes,
    "filenames": read_file_names,
}
_READERS: Final = (*_TABLE_READERS, read_sidecars, read_classes)
# Below this share of images that are here, a layout is not the one.
_FITS: Final = 0.5
# More captions than this are of no image: the column of the images is another one.
_CAPTIONS_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCaption:
    """One image with one of its captions. file: a name of the scene. split: "" if not given."""

    file: str
    caption: str
    split: Split = ""


@dataclass(kw_only=True)
class Understood:
    """A dataset in one form: its pairs in the order of file names, and what was made of it.

    also: another layout that would fit. said: what was decided on the way.
    """

    layout: str
    why: str
    pairs: list[ImageCaption]
    left: list[LeftOut]
    said: list[str] = field(default_factory=list)
    also: str = ""


def understand(scene: Scene) -> Understood:
    """Recognises a dataset; raises UserError that says what was found if nothing fits."""
    choice = FORCED.get(scene.options.captions)
    readers = [choice] if choice is not None else _READERS
    fitting = [reading for read in readers if (reading := _merge(scene, list(read(scene))))]
    if scene.options.captions and not choice:
        fitting = [fit for fit in fitting if fit.layout not in _FOLDER_LAYOUTS]
    best = next((fit for fit in fitting if scene.share_found(fit.rows) >= _FITS), None)
    if best is None and scene.options.captions:
        best = next(iter(fitting), None)
    if best is None:
        raise _no_layout(scene)
    # Folders may always be classes, and objects hold many texts, so that says nothing.
    always = ("class folders", NESTED)
    others = [fit for fit in fitting if fit is not best and fit.layout not in always]
    result = _match(scene, best)
    if best.layout in _FOLDER_LAYOUTS and choice is None:
        # A table that was not taken may be what the user meant.
        result.said += (f"not used: {refusal}" for refusal in scene.refusals)
    result.also = others[0].layout if others and not scene.options.captions else ""
    return result


_FOLDER_LAYOUTS: Final = ("captions beside the images", "class folders", "captions in file names")


def _merge(scene: Scene, readings: Sequence[Reading]) -> Reading | None:
    """Tables of one layout as one dataset; without those that name none of the images."""
    if len(readings) > 1:
        fitting = [reading for reading in readings if scene.share_found(reading.rows) >= _FITS]
        readings = fitting or readings[:1]
    if not readings:
        return None
    first = readings[0]
    for other in readings[1:]:
        first.rows += other.rows
        first.left += other.left
        first.said += other.said
    if len(readings) > 1:
        first.why += f", and {counted(len(readings) - 1, 'more table')}"
    return first


def _match(scene: Scene, reading: Reading) -> Understood:
    """Rows with their files, and images that no row names."""
    pairs: list[ImageCaption] = []
    rest, hows = list(reading.left), Counter[str]()
    lists = _split_lists(scene)
    seen: set[tuple[str, str]] = set()
    names: set[str] = {match.file for item in rest if (match := scene.names.find(item.file))}
    for row in reading.rows:
        caption = row.caption.strip()
        match = scene.find(row.image, base=row.base, split=row.table_split)
        if match is None:
            guess = scene.names.near(row.image)
            hint = f"; did you mean {guess}?" if guess else ""
            reason = f"{row.where}: there is no such file{hint}"
            rest.append(LeftOut(file=row.image, reason=reason, kind="no such file"))
            continue
        hows[match.how] += 1
        names.add(match.file)
        if (match.file, caption) in seen:
            reason = f"{row.where}: the same caption again"
            rest.append(LeftOut(file=match.file, reason=reason, kind="the same pair again"))
            continue
        seen.add((match.file, caption))
        default = strictest(row.table_split, _split_of(scene, match.file))
        split = _external(scene, match.file) or row.split or lists.get(match.file) or default
        pairs.append(ImageCaption(file=match.file, caption=caption, split=split))
    _check_captions(pairs)
    notes = [*scene.said, *reading.said]
    notes += (f"{counted(count, 'name')} found {way}" for way, count in hows.items() if way)
    pairs, extra = _one_split_each(pairs)
    notes += extra
    for image in () if scene.around else scene.images:
        if image not in names and _split_of(scene, image) != "test":
            rest.append(
                LeftOut(file=image, reason="no caption: no row names it", kind="no caption")
            )
    pairs.sort(key=lambda pair: (pair.file, pair.caption))
    return Understood(layout=reading.layout, why=reading.why, pairs=pairs, left=rest, said=notes)


def _check_captions(pairs: Sequence[ImageCaption]) -> None:
    counts = Counter(pair.file for pair in pairs)
    for file, count in counts.most_common(1):
        if count > _CAPTIONS_MAX:
            raise UserError(
                f"{file} has {count:,} captions, {_CAPTIONS_MAX} at most",
                fix="is that the right column? --file-column COLUMN chooses another",
            )


def _split_lists(scene: Scene) -> dict[str, Split]:
    """Splits by image from tables of nothing but names, as Flickr8k has them."""
    splits: dict[str, Split] = {}
    for table in scene.tables:
        if len(table.columns) == 1 and table.split:
            for _, cells in table.rows:
                match = scene.names.find(str(next(iter(cells.values()))), base=table.base)
                if match is not None:
                    splits[match.file] = table.split
    return splits


def _one_split_each(pairs: Sequence[ImageCaption]) -> tuple[list[ImageCaption], list[str]]:
    """Pairs of which each image has one split: the strictest that any of them names."""
    sides: dict[str, Split] = {}
    for pair in pairs:
        sides[pair.file] = strictest(sides.get(pair.file, ""), pair.split)
    splits = set(sides.values())
    notes = []
    if len(splits) == 1 and splits != {"test"}:
        # One name for everything divides nothing.
        (only,) = splits
        if only == "validation":
            notes.append("all images are in the validation split, so they are split again")
        sides = dict.fromkeys(sides, "")
    return [
        ImageCaption(file=pair.file, caption=pair.caption, split=sides[pair.file]) for pair in pairs
    ], notes


def _external(scene: Scene, file: str) -> Split:
    pattern = scene.options.validation
    match = pattern and (file.startswith(f"{pattern}/") or fnmatch(file, pattern))
    return "validation" if match else ""


def _split_of(scene: Scene, file: str) -> Split:
    for folder, split in scene.marks.items():
        if file.startswith(f"{folder}/"):
            return split
    return split_of_folders(file)


class NoImagesError(UserError):
    """Neither images nor a table that speaks of some, but for images around it: may hold texts."""


def _no_layout(scene: Scene) -> UserError:
    problem = f"no captions were recognized for {counted(len(scene.images), 'image')}"
    if not scene.images:
        problem = "there are no images"
    # What speaks of images says more than a table that may be one of texts.
    reasons = sorted(scene.refusals, key=scene.refusals.__getitem__)[:1]
    problem = ". ".join((problem, *reasons))
    fix = (
        "--captions FILE with --file-column and --caption-column for a table, --captions folders "
        "or --captions filenames for names, or a .txt beside each image"
    )
    may_be_texts = all(scene.refusals.values()) and (scene.around or not scene.images)
    kind = NoImagesError if may_be_texts else UserError
    return kind(problem, where=str(scene.root), fix=fix if scene.images else "pass their folder")
