"""Which split something belongs to, by the names that people give to splits."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final, Literal

Split = Literal["", "train", "validation", "test"]

_WORDS: Final[Mapping[str, Split]] = {
    **dict.fromkeys(("train", "training", "restval"), "train"),
    **dict.fromkeys(("validation", "validate", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation", "holdout"), "test"),
}
_PARTS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
# train, train2017, train_images, val-set: the whole name of a folder, never a part of it.
_FOLDER: Final = re.compile(
    rf"({'|'.join(_WORDS)})(?:[-_ ]?(?:set|split|data|images?|imgs?|pictures?|photos?|20\d\d))?"
)

_STRICT: Final[tuple[Split, ...]] = ("", "train", "validation", "test")


def strictest(one: Split, other: Split) -> Split:
    """Where something stays that is in two splits."""
    return max(one, other, key=_STRICT.index)


def split_of_word(word: object) -> Split:
    """The split that a cell of a split column names, as in val or train2017; "" for other words."""
    match = _FOLDER.fullmatch(str(word).strip().lower())
    return _WORDS[match[1]] if match is not None else ""


def split_of_name(name: str) -> Split:
    """The split of a table or a shard: one of the words in its name, as in captions_val2017."""
    base = PurePosixPath(name).name
    # Flickr_8k.trainImages.txt says it behind a dot.
    for text in (base.partition(".")[0], base):
        splits = {_WORDS[part.lower()] for part in _PARTS.findall(text) if part.lower() in _WORDS}
        if len(splits) == 1:
            return splits.pop()
    return ""


def split_of_folders(file: str) -> Split:
    """The split of a file by its folders. Its own name never decides."""
    for part in PurePosixPath(file).parts[:-1]:
        if (match := _FOLDER.fullmatch(part.lower())) is not None:
            return _WORDS[match[1]]
    return ""
