"""The classes of a set of pictures: those of one folder, or those that share a caption.

What a model learned about one kind of picture can hide what it forgot about another.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import commonpath
from typing import Final, Literal

ClassedBy = Literal["folder", "caption"]

_SEVERAL: Final = 2
_NO_FOLDER: Final = "(no folder)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """names: of the classes, in alphabetical order. of_picture: each picture's place among them."""

    by: ClassedBy
    names: tuple[str, ...]
    of_picture: tuple[int, ...]

    def of_texts(self, pairs: Sequence[tuple[int, int]]) -> list[int]:
        """The class of each text. pairs: a text and a picture that it belongs to.

        A text of pictures in several classes belongs to the one that has most of them, so that
        each question counts in one class.
        """
        votes: dict[int, Counter[int]] = defaultdict(Counter)
        for text, picture in pairs:
            votes[text][self.of_picture[picture]] += 1
        return [
            min(votes[text], key=lambda number: (-votes[text][number], number))
            for text in sorted(votes)
        ]


def classes_of(names: Sequence[str], captions: Sequence[Sequence[str]]) -> Classes | None:
    """By folder if several have several pictures, else by caption; None for neither.

    names: of the pictures, with slashes between folders. captions: of each picture, with one
    spelling for what is one caption. A set of which most pictures would be alone has no classes.
    """
    folders = [PurePosixPath(name).parent for name in names]
    root = commonpath(folders)
    subfolders = [str(folder.relative_to(root)) for folder in folders]
    classes = _group("folder", [_NO_FOLDER if folder == "." else folder for folder in subfolders])
    if classes is None and all(len(texts) == 1 for texts in captions):
        classes = _group("caption", [texts[0] for texts in captions])
    return classes


def _group(by: ClassedBy, labels: Sequence[str]) -> Classes | None:
    sizes = Counter(labels)
    large_sizes = [size for size in sizes.values() if size >= _SEVERAL]
    if len(large_sizes) < _SEVERAL or 2 * sum(large_sizes) <= len(labels):
        return None
    names = sorted(sizes)
    place = {name: number for number, name in enumerate(names)}
    return Classes(by=by, names=tuple(names), of_picture=tuple(place[label] for label in labels))
