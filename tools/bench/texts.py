"""Draws manifests: image records, long records, and image records of which some are wrong."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

BUCKET: Final = "bench"
FOLDER: Final = "pets/"
IMAGES: Final = f"s3://{BUCKET}/{FOLDER}images/"
_LONG: Final = 8_000
_TEXT: Final = (
    "a the small brown dog cat sleeps runs under on old wooden table near red river while light "
    "falls through window and nobody looks at it because everything here has its own slow time "
    "mountain house garden letter which she wrote before autumn rain took the path along station"
)
_WORDS: Final = _TEXT.split()
# What real texts have, so that no reader is measured on plain ASCII only.
_EMOJI: Final = "🐕"
_RARE: Final = ('the "best" one', "café", "größer", "naïve – really", _EMOJI, "C:\\pictures")
# Share of the long records with an emoji. One is enough for Python to keep all of a text in four
# bytes per character.
_WITH_EMOJI: Final = 0.02


def image_records(path: Path, *, count: int) -> Path:
    """So many image records with captions of 20 to 200 characters; every reference differs."""
    return _write(path, _image_lines(count))


def long_records(path: Path, *, count: int) -> Path:
    """So many records of continued pre-training, each with about 8,000 characters."""
    return _write(path, _long_lines(count, with_emoji=_WITH_EMOJI))


def emoji_records(path: Path, *, count: int) -> Path:
    """The same with an emoji in every record."""
    return _write(path, _long_lines(count, with_emoji=1.0))


def wrong_records(path: Path, *, count: int) -> Path:
    """Image records of which each hundredth has a fault."""
    return _write(path, _wrong_lines(count))


def faulty_records(path: Path, *, count: int) -> Path:
    """Image records that all have a fault, of a few kinds."""
    return _write(path, _faulty_lines(count))


def keyed_records(path: Path, *, keys: Iterator[str]) -> Path:
    """One image record per key below the folder of images."""
    dice = random.Random("keyed")  # noqa: S311
    return _write(path, (_record(f"{IMAGES}{key}", _caption(dice)) for key in keys))


def _write(path: Path, lines: Iterator[str]) -> Path:
    # A file that is there is whole: it gets its name when it is.
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            file.writelines(lines)
        part.rename(path)
    return path


def _record(ref: str, caption: str) -> str:
    return json.dumps({"image-ref": ref, "caption": caption}, ensure_ascii=False) + "\n"


def _caption(dice: random.Random, rare: Sequence[str] = _RARE) -> str:
    words = dice.choices(_WORDS, k=dice.randint(4, 34))
    if dice.random() < 0.1:
        words.append(dice.choice(rare))
    return " ".join(words)


def _image_lines(count: int) -> Iterator[str]:
    dice = random.Random("records")  # noqa: S311
    for number in range(count):
        yield _record(f"{IMAGES}{number // 1000:03d}/{number:06d}.jpg", _caption(dice))


def _long_lines(count: int, *, with_emoji: float) -> Iterator[str]:
    dice = random.Random("long")  # noqa: S311
    # Sentences are drawn once, records are made of them: drawing all words would take minutes.
    plain = [each for each in _RARE if each != _EMOJI]
    sentences = [f"{_caption(dice, plain).capitalize()}. " for _ in range(5_000)]
    for number in range(count):
        end = f" {_EMOJI}" if dice.random() < with_emoji else ""
        parts, length = [f"Document {number}{end}\n\n"], 0
        while length < _LONG:
            sentence = dice.choice(sentences)
            parts.append(sentence)
            length += len(sentence)
            if len(parts) % 7 == 0:
                parts.append("\n\n")
        yield json.dumps({"input": "".join(parts)}, ensure_ascii=False) + "\n"


_FAULTS: Final[tuple[Callable[[str], str], ...]] = (
    lambda line: line.replace('"caption"', '"captoin"'),
    lambda line: line.replace("s3://bench", "s3://other"),
    lambda line: line[:-3] + "\n",
    lambda line: line.replace('"caption": "', '"caption": "' + "very " * 600),
    lambda line: line.replace('"caption": "', '"caption": ["').replace('"}', '"]}'),
)


_ALL_FAULTY: Final[tuple[Callable[[str], str], ...]] = (
    lambda _: "{}\n",
    lambda line: line.replace("s3://bench", "s3://other"),
    lambda line: line.replace('"caption"', '"text"'),
    lambda line: line[: line.index('"caption"')] + '"caption": null}\n',
)


def _faulty_lines(count: int) -> Iterator[str]:
    dice = random.Random("faulty")  # noqa: S311
    for line in _image_lines(count):
        yield dice.choice(_ALL_FAULTY)(line)


def _wrong_lines(count: int) -> Iterator[str]:
    dice = random.Random("wrong")  # noqa: S311
    for line in _image_lines(count):
        yield dice.choice(_FAULTS)(line) if dice.random() < 0.01 else line
