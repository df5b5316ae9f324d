"""Draws manifests: image records, long records, and records of which some or all are wrong."""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.dataset.whole_file import HEAD_BYTES

BUCKET: Final = "bench"
FOLDER: Final = "pets/"
_IMAGES: Final = f"s3://{BUCKET}/{FOLDER}images/"
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


def keyed_records(path: Path, *, keys: Iterator[str]) -> Path:
    """One image record per key below the folder of images."""
    dice = random.Random("keyed")  # noqa: S311
    return _write(path, (_record(f"{_IMAGES}{key}", _caption(dice)) for key in keys))


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
        yield _record(f"{_IMAGES}{number // 1000:03d}/{number:06d}.jpg", _caption(dice))


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


def _wrong_lines(count: int) -> Iterator[str]:
    dice = random.Random("wrong")  # noqa: S311
    for line in _image_lines(count):
        yield dice.choice(_FAULTS)(line) if dice.random() < 0.01 else line


BenchRecord = dict[str, Any]
# Of a record a line with the fault; it may change the record.
Spoil = Callable[[BenchRecord], str]
# So many lines differ, and are then repeated: drawing takes longer than checking.
_DRAWN: Final = 5_000


def faulty_lines(what: str, kind: str, *, count: int) -> list[bytes]:
    """So many lines of a format with one kind of fault, in pieces, after right lines."""
    dice, drawn = random.Random("faulty"), min(count, _DRAWN)  # noqa: S311
    words = (_caption(dice) for _ in range(2 * drawn))
    records = [_RECORDS[what](number, next(words), next(words)) for number in range(drawn)]
    # The beginning tells whether these are lines at all; of a file in Latin-1 that is all.
    right = json.dumps(records[0]).encode() + b"\n"
    right *= HEAD_BYTES // len(right) + 1
    lines = [FAULTS[what][kind](record).encode(errors="surrogateescape") for record in records]
    return [right, *[b"\n".join(lines) + b"\n"] * (count // drawn)]


def _image(number: int, caption: str, _: str) -> BenchRecord:
    return {"image-ref": f"{_IMAGES}{number // 1000:03d}/{number:06d}.jpg", "caption": caption}


def _pair(_: int, prompt: str, completion: str) -> BenchRecord:
    return {"prompt": prompt, "completion": completion}


def _text(_: int, words: str, more: str) -> BenchRecord:
    return {"input": f"{words} {more}"}


def _messages(_: int, question: str, answer: str) -> BenchRecord:
    turns = {"user": question, "assistant": answer}
    return {"messages": [{"role": role, "content": text} for role, text in turns.items()]}


def _converse(number: int, question: str, answer: str) -> BenchRecord:
    record = _messages(number, question, answer)
    for turn in record["messages"]:
        turn["content"] = [{"text": turn["content"]}]
    return {"schemaVersion": "bedrock-conversation-2024", **record}


_RECORDS: Final[Mapping[str, Callable[[int, str, str], BenchRecord]]] = {
    "images": _image,
    "pairs": _pair,
    "texts": _text,
    "converse": _converse,
    "claude": _messages,
    "rft": _messages,
}


def _with(**fields: Any) -> Spoil:
    """Other values of some fields, whose names have underscores for hyphens."""
    renamed = {name.replace("_", "-"): value for name, value in fields.items()}
    return lambda record: json.dumps({**record, **renamed})


def _turn(place: int, **fields: Any) -> Spoil:
    """Other values in one turn."""

    def spoil(record: BenchRecord) -> str:
        record["messages"][place].update(fields)
        return json.dumps(record)

    return spoil


def _name_twice(record: BenchRecord) -> str:
    name, value = next(reversed(record.items()))
    return f"{json.dumps(record)[:-1]}, {json.dumps({name: value})[1:]}"


def _missing_field(record: BenchRecord) -> str:
    record.popitem()
    return json.dumps(record)


def _turns_reversed(record: BenchRecord) -> str:
    record["messages"].reverse()
    return json.dumps(record)


def _elsewhere(place: str) -> Spoil:
    return lambda record: json.dumps(record).replace(f"s3://{BUCKET}/pets", place)


# Of these, a line is judged without a record, and so alike in every format.
_CUT_OFF: Final[Mapping[str, Spoil]] = {"cut off": lambda record: json.dumps(record)[:-3]}
_LINES: Final[Mapping[str, Spoil]] = {
    **_CUT_OFF,
    "a blank line": lambda _: "",
    "a comma after the last field": lambda record: f"{json.dumps(record)[:-1]},}}",
    "in an array": lambda record: json.dumps([record]),
    "not UTF-8": lambda record: json.dumps(record).replace("a", "\udce4", 1),
    "a NUL character": lambda record: f"{json.dumps(record)}\0",
    "half a character": _with(source="\ud83d"),
    "nested too deep": lambda record: f"{json.dumps(record)[:-1]}, {'[' * 70}{']' * 70}}}",
}
_FIELDS: Final[Mapping[str, Spoil]] = {
    "an empty object": lambda _: "{}",
    "a field missing": _missing_field,
    "a name twice": _name_twice,
    "an unknown field": _with(source="wiki"),
    "an unknown field with an object": _with(meta={"by": "us"}),
}
_TURNS: Final[Mapping[str, Spoil]] = {
    **_CUT_OFF,
    "an empty object": lambda _: "{}",
    "a name twice": _name_twice,
    "an unknown role": _turn(0, role="human"),
}
_CHATS: Final[Mapping[str, Spoil]] = {
    "an unknown field": _with(source="wiki"),
    "the answer before the question": _turns_reversed,
}
CONVERSATION_ROWS: Final = frozenset({"converse", "claude", "rft"})
FAULTS: Final[Mapping[str, Mapping[str, Spoil]]] = {
    "images": {
        **_LINES,
        **_FIELDS,
        "caption null": _with(caption=None),
        "captions in a list": _with(caption=["a dog", "a cat"]),
        "a blank caption": _with(caption=" "),
        "a control character": _with(caption="a dog\x07"),
        "640 characters: too many tokens": _with(caption="dog " * 160),
        "2,800 characters": _with(caption="dog " * 700),
        "no S3 URI": _elsewhere("pets"),
        "another bucket": _elsewhere("s3://other/pets"),
        "another folder": _elsewhere(f"s3://{BUCKET}/else"),
        "a folder, no image": _with(image_ref=_IMAGES[: _IMAGES.index("images/")]),
    },
    "pairs": {
        **_CUT_OFF,
        **_FIELDS,
        "prompt null": _with(prompt=None),
        "an empty completion": _with(completion=""),
        "10,000 characters: too many tokens": _with(prompt="1" * 10_000),
    },
    "texts": {**_CUT_OFF, **_FIELDS, "an empty text": _with(input="")},
    "converse": {**_TURNS, **_CHATS, "an empty turn": _turn(0, content=[{"text": " "}])},
    "claude": {**_TURNS, **_CHATS, "an empty turn": _turn(0, content=" ")},
    "rft": {**_TURNS, "an empty turn": _turn(0, content=" ")},
}
