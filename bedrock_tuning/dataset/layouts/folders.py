"""Captions that are in no table: beside the images, in the names of folders or of files."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from bedrock_tuning.dataset.layouts.columns import caption_in, texts_of
from bedrock_tuning.dataset.layouts.reading import CaptionRow, Reading, Scene
from bedrock_tuning.dataset.layouts.splits import split_of_folders
from bedrock_tuning.dataset.layouts.text import decode
from bedrock_tuning.errors import UserError

SIDECARS: Final = (".txt", ".caption", ".json")
_KOHYA: Final = re.compile(r"^(\d+)_(.+)$")
# What is at the end of a file's name and no word of its caption: a counter, perhaps in brackets.
_COUNTER: Final = re.compile(r"[-_. ]*(?:\(\d+\)|\d+)$")
_CLASSES_MIN: Final = 2


def read_sidecars(scene: Scene) -> Iterator[Reading]:
    """x.txt, x.caption or x.json beside x.jpg; also what WebDataset's archives hold."""
    find = _Sidecars(scene)
    sidecars = {image: find.of(image) for image in scene.images}
    if not any(sidecars.values()):
        return
    endings = sorted({PurePosixPath(file).suffix for file in sidecars.values() if file})
    reading = Reading(layout="captions beside the images", why=f"{', '.join(endings)} files")
    for image, file in sidecars.items():
        if file is None:
            stem = PurePosixPath(image).with_suffix("")
            reading.leave(image, f"no caption: there is no {stem}.txt beside it", "no caption")
            continue
        try:
            texts, note = _texts(scene, file)
        except UserError as error:
            reading.leave(image, f"its caption {file}: {error.what}", "caption not readable")
            continue
        if note:
            reading.said.append(note)
        if not texts:
            reading.leave(image, f"its caption {file} is empty", "caption empty")
        reading.rows += (CaptionRow(image=image, caption=text, where=file) for text in texts)
    if reading.rows and not any(char.isalpha() for row in reading.rows for char in row.caption):
        scene.refuse(
            f"{reading.rows[0].where}: numbers as of boxes, and no captions; a model of image and "
            "caption needs a sentence for each image"
        )
        return
    if any(_KOHYA.match(part) for image in scene.images for part in image.split("/")[:-1]):
        reading.said.append("numbers in front of folders' names (kohya's repeats) are ignored")
    yield reading


class _Sidecars:
    """Finds the file of an image's captions: beside it, or in a folder of captions."""

    def __init__(self, scene: Scene) -> None:
        texts = [file for file in scene.files if PurePosixPath(file).suffix.lower() in SIDECARS]
        self._known = {file.casefold(): file for file in texts}
        self._by_stem = Counter(PurePosixPath(file).stem.casefold() for file in texts)
        self._only = {PurePosixPath(file).stem.casefold(): file for file in texts}
        self._images = Counter(PurePosixPath(file).stem.casefold() for file in scene.images)

    def of(self, image: str) -> str | None:
        """The file; None if there is none, or several might be meant."""
        stem = str(PurePosixPath(image).with_suffix(""))
        for name in (base + ending for ending in SIDECARS for base in (stem, image)):
            if (file := self._known.get(name.casefold())) is not None:
                return file
        name = PurePosixPath(image).stem.casefold()
        is_alone = self._images[name] == 1 and self._by_stem[name] == 1
        return self._only[name] if is_alone else None


def _texts(scene: Scene, file: str) -> tuple[list[str], str]:
    """One caption per line of a text file; of a JSON file, its field for captions."""
    data = scene.files[file].read_bytes()
    text, note = decode(data, where=file, encoding=scene.options.encoding)
    if not file.lower().endswith(".json"):
        return [line.strip() for line in text.splitlines() if line.strip()], note
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise UserError("it is not JSON") from None
    if isinstance(value, dict):
        value = caption_in(value)
    return list(texts_of(value)), note


def read_classes(scene: Scene) -> Iterator[Reading]:
    """Folders of images whose names are classes, all equally deep below the splits."""
    is_forced = scene.options.captions == "folders"
    labels = {image: _label(image) for image in scene.images}
    classes = Counter(label for label in labels.values() if label)
    depths = {_depth(image) for image in scene.images}
    if not classes or (not is_forced and (len(classes) < _CLASSES_MIN or len(depths) > 1)):
        return
    reading = Reading(
        layout="class folders", why=f"{len(classes):,} folders of images, no table of captions"
    )
    for image, label in labels.items():
        if not label:
            reason = "no caption: it is in no folder that names a class"
            reading.leave(image, reason, "no caption")
            continue
        caption = f"a photo of a {label}"
        reading.rows.append(CaptionRow(image=image, caption=caption, where=image))
    reading.said.append(
        f"{len(classes):,} captions for {len(reading.rows):,} images, one for each class"
    )
    yield reading


def _label(image: str) -> str:
    """The folder that an image is in, unless it is a split."""
    folder = PurePosixPath(image).parent.name
    if not folder or split_of_folders(f"{folder}/x"):
        return ""
    repeats = _KOHYA.match(folder)
    return _words(repeats[2] if repeats else folder)


def _depth(image: str) -> int:
    folders = PurePosixPath(image).parts[:-1]
    return sum(not split_of_folders(f"{folder}/x") for folder in folders)


def read_file_names(scene: Scene) -> Iterator[Reading]:
    """Captions that are the names of the files; never guessed, only on request."""
    reading = Reading(layout="captions in file names", why="--captions filenames")
    for image in scene.images:
        caption = _words(_COUNTER.sub("", PurePosixPath(image).stem))
        if any(char.isalpha() for char in caption):
            reading.rows.append(CaptionRow(image=image, caption=caption, where=image))
        else:
            reading.leave(image, "no caption: its name has no words", "no caption")
    yield reading


def _words(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("+", " ").split())
