"""Turns in any spelling, and the fields of a record by the names that people give them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal

from bedrock_tuning.dataset.talks.contents import ForeignRecord, blocks_of, place_of, text_of
from bedrock_tuning.dataset.talks.names import ROLES, SPLITS, SYSTEM, SYSTEMS, THOUGHTS
from bedrock_tuning.dataset.talks.talk import Speaker, Talk, Turn, UnfitError


def talk_of(turns: Iterable[Any], record: ForeignRecord, *, used: Sequence[str]) -> Talk:
    """Turns of any spelling as ours: joined where one side speaks twice. Raises UnfitError."""
    beside = first_of(record, SYSTEMS)
    system = [text_of(record[beside])] if beside else []
    lost = dict.fromkeys(unused_of(record, (*used, beside or "")))
    found: list[Turn] = []
    for turn in dicts_in(turns):
        role = role_of(turn)
        content = turn.get("content", turn.get("value", turn.get("text")))
        text, images, reasoning, left = blocks_of(content)
        if thought := first_of(turn, THOUGHTS):
            reasoning = text_of(turn[thought])
        given = list_of(turn.get("images"))
        images += tuple(
            place_of(each) if isinstance(each, dict) else text_of(each) for each in given
        )
        if "" in images:
            raise UnfitError(
                "an image of it says no place",
                fix="write the file name of each image, or its data URL",
            )
        lost.update(dict.fromkeys(left))
        lost.update(dict.fromkeys(unused_of(turn, _TURN)))
        if role == "system":
            system.append(text)
        elif role is None:
            lost["tool calls and their results"] = None
        elif text or images:
            found.append(Turn(role=role, text=text, images=images, reasoning=reasoning))
    if found and found[0].role == "assistant":
        raise UnfitError(
            "it begins with an answer", fix="write what the user asks in front of the first answer"
        )
    if not found:
        raise UnfitError(
            "it has no text", fix="write a text of the user and one of the assistant in each record"
        )
    joined: list[Turn] = []
    for each in found:
        if joined and joined[-1].role == each.role:
            joined[-1] = _joined(joined[-1], each)
        else:
            joined.append(each)
    return Talk(
        turns=tuple(joined),
        system="\n\n".join(filter(None, system)),
        lost=tuple(lost),
    )


_TURN: Final = (
    *("role", "from", "author", "content", "value", "text", "images", "candidates", "refusal"),
    *THOUGHTS,
)


def _joined(one: Turn, other: Turn) -> Turn:
    return Turn(
        role=one.role,
        text="\n\n".join(filter(None, (one.text, other.text))),
        images=one.images + other.images,
        reasoning="\n\n".join(filter(None, (one.reasoning, other.reasoning))),
    )


def role_of(turn: ForeignRecord) -> Speaker | Literal["system"] | None:
    """Who speaks; None for tools and others."""
    name = str(turn.get("role", turn.get("from", turn.get("author", "")))).strip().lower()
    return "system" if name in SYSTEM else ROLES.get(name)


def first_of(record: ForeignRecord, names: Sequence[str]) -> str | None:
    """The first of some names, in any case, under which the record has a value."""
    spelled = {name.lower(): name for name, value in record.items() if value not in (None, "", [])}
    return next((spelled[name.lower()] for name in names if name.lower() in spelled), None)


def unused_of(record: ForeignRecord, used: Sequence[str]) -> tuple[str, ...]:
    """Fields with a value that nobody used, but for those that only name a split."""
    return tuple(
        str(name)
        for name, value in record.items()
        if name not in used and name not in SPLITS and value not in (None, "", [], {})
    )


def dicts_in(values: Any) -> Iterator[ForeignRecord]:
    """The objects of a list."""
    yield from (each for each in list_of(values) if isinstance(each, dict))


def list_of(value: Any) -> list[Any]:
    """A list as it is; anything else has no elements."""
    return value if isinstance(value, list) else []
