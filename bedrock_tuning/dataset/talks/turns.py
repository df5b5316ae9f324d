"""Turns in any spelling, and the fields of a record by the names that people give them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal

from bedrock_tuning.dataset.talks.contents import ForeignRecord, blocks_of, place_of, text_of
from bedrock_tuning.dataset.talks.names import ROLES, SPLITS, SYSTEM, SYSTEMS, THOUGHTS
from bedrock_tuning.dataset.talks.talk import Speaker, Talk, Turn, UnfitError


def talk_of(turns: Iterable[Any], record: ForeignRecord, *, used: Sequence[str]) -> Talk:
    """Turns of any spelling as ours: joined where one side speaks twice. Raises UnfitError."""
    key = first_key(record, SYSTEMS)
    system = [text_of(record[key])] if key else []
    lost = dict.fromkeys(unused_of(record, (*used, key or "")))
    parts: list[Turn] = []
    for turn in dicts_in(turns):
        # LangChain writes {"type": "human", "data": {"content": …}}, exports wrap it in a message.
        turn = {**turn, **next(dicts_in([turn.get(name) for name in _INNER]), {})}
        role = role_of(turn)
        content = turn.get("content", turn.get("value", turn.get("text")))
        text, images, reasoning, others = blocks_of(content)
        if role == "assistant" and (match := _THOUGHT.match(text)) is not None:
            reasoning, text = match[1].strip(), text[match.end() :].strip()
        if thought := first_key(turn, THOUGHTS):
            reasoning = text_of(turn[thought])
        pictures = list_of(turn.get("images"))
        images += tuple(
            place_of(item) if isinstance(item, dict) else text_of(item) for item in pictures
        )
        if "" in images:
            raise UnfitError(
                "an image of it says no place",
                fix="write the file name of each image, or its data URL",
            )
        lost.update(dict.fromkeys(others))
        lost.update(dict.fromkeys(unused_of(turn, _TURN)))
        if role == "system":
            system.append(text)
        elif role is None:
            lost["tool calls and their results"] = None
        elif text or images:
            parts.append(Turn(role=role, text=text, images=images, reasoning=reasoning))
    if parts and parts[0].role == "assistant":
        raise UnfitError(
            "it begins with an answer", fix="write what the user asks in front of the first answer"
        )
    if not parts:
        raise UnfitError(
            "it has no text", fix="write a text of the user and one of the assistant in each record"
        )
    result: list[Turn] = []
    for part in parts:
        if result and result[-1].role == part.role:
            result[-1] = _merge(result[-1], part)
        else:
            result.append(part)
    return Talk(
        turns=tuple(result),
        system="\n\n".join(filter(None, system)),
        lost=tuple(lost),
    )


# DeepSeek and Qwen write their reasoning into the answer.
_THOUGHT: Final = re.compile(r"<think(?:ing)?>(.*?)</think(?:ing)?>", re.DOTALL)
_SPEAKERS: Final = ("role", "from", "author", "sender", "speaker", "type")
_INNER: Final = ("data", "kwargs", "message")
_TURN: Final = (
    *(*_SPEAKERS, *_INNER, "content", "value", "text", "images", "candidates", "refusal"),
    *THOUGHTS,
)


def _merge(one: Turn, other: Turn) -> Turn:
    return Turn(
        role=one.role,
        text="\n\n".join(filter(None, (one.text, other.text))),
        images=one.images + other.images,
        reasoning="\n\n".join(filter(None, (one.reasoning, other.reasoning))),
    )


PICTURES: Final = ("images", "image")


def add_pictures(turns: list[Any], record: ForeignRecord) -> list[Any]:
    """Turns of which the user's first has the pictures that stand beside them."""
    pictures = record.get("images", record.get("image", ()))
    if pictures and turns:
        pictures = pictures if isinstance(pictures, list) else [pictures]
        first = next((n for n, turn in enumerate(turns) if role_of(turn) == "user"), 0)
        turns[first] = {**turns[first], "images": pictures}
    return turns


def role_of(turn: ForeignRecord) -> Speaker | Literal["system"] | None:
    """Who speaks; None for tools and others."""
    said = next((turn[name] for name in _SPEAKERS if name in turn), "")
    said = said.get("role", "") if isinstance(said, dict) else said
    name = str(said).strip().lower()
    return "system" if name in SYSTEM else ROLES.get(name)


def first_key(record: ForeignRecord, names: Sequence[str]) -> str | None:
    """The first of some names, in any case, under which the record has a value."""
    keys = {name.lower(): name for name, value in record.items() if value not in (None, "", [])}
    return next((keys[name.lower()] for name in names if name.lower() in keys), None)


def unused_of(record: ForeignRecord, used: Sequence[str]) -> tuple[str, ...]:
    """Fields with a value that nobody used, but for those that only name a split."""
    return tuple(
        str(name)
        for name, value in record.items()
        if name not in used and name not in SPLITS and value not in (None, "", [], {})
    )


def dicts_in(values: Any) -> Iterator[ForeignRecord]:
    """The objects of a list."""
    yield from (item for item in list_of(values) if isinstance(item, dict))


def list_of(value: Any) -> list[Any]:
    """A list as it is; anything else has no elements."""
    return value if isinstance(value, list) else []
