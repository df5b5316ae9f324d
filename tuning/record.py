"""One parsed record of a manifest, as the rules see it."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal, NamedTuple

from tuning.formats import FLAT, SHAPES, Misfit, misfits
from tuning.models import Format


class Medium(NamedTuple):
    """An image or a video inside a conversation: where, what it claims to be, where it lies."""

    kind: Literal["image", "video"]
    path: str
    format: str
    uri: str


class Record:
    """A record: line is its number in the manifest, value the object, format what it should be."""

    def __init__(self, *, line: int, value: dict[str, Any], format: Format) -> None:
        self.line = line
        self.value = value
        self.format = format

    @cached_property
    def misfits(self) -> tuple[Misfit, ...]:
        """Where it departs from the shape of its format."""
        return tuple(misfits(self.value, SHAPES[self.format]))

    @cached_property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Path and text of every string in it, names of fields excluded."""
        return tuple(_texts(self.value, ""))

    @property
    def measured(self) -> Iterator[tuple[str, int, bool]]:
        """Name, characters and emptiness of each text whose length is of interest."""
        if self.format in FLAT:
            for name in SHAPES[self.format].required:
                text = self.text(name)
                if text is not None and name != "image-ref":
                    yield name, len(text), not text.strip()
        else:
            length = sum(len(text) for _, text in self.spoken)
            yield "record", length, not length

    @cached_property
    def refs(self) -> tuple[str, ...]:
        """Every reference to an image or a video that it makes, in order."""
        if self.format == "image-caption":
            ref = self.text("image-ref")
            return () if ref is None else (ref,)
        return tuple(medium.uri for medium in self.media)

    @cached_property
    def messages(self) -> tuple[dict[str, Any], ...]:
        """The turns of a conversation that are objects."""
        turns = self.value.get("messages")
        return tuple(t for t in turns if isinstance(t, dict)) if isinstance(turns, list) else ()

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of the turns, in order; those of another type left out."""
        roles = (turn.get("role") for turn in self.messages)
        return tuple(role for role in roles if isinstance(role, str))

    @cached_property
    def spoken(self) -> tuple[tuple[str, str], ...]:
        """Path and text of what is said: system prompts and turns, no roles, formats or links."""
        return tuple(_spoken(self.value))

    @cached_property
    def media(self) -> tuple[Medium, ...]:
        """Images and videos of a Converse record, those of a wrong shape left out."""
        if self.format != "converse":
            return ()
        return tuple(
            medium
            for path, turn in _items(self.value.get("messages"), "messages")
            for inner, block in _items(turn.get("content"), f"{path}.content")
            for kind in _MEDIA
            if (medium := _medium(kind, f"{inner}.{kind}", block.get(kind))) is not None
        )

    def text(self, field: str) -> str | None:
        """A field of the record when it is a string."""
        value = self.value.get(field)
        return value if isinstance(value, str) else None


_MEDIA: tuple[Literal["image", "video"], ...] = ("image", "video")


def _items(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a list with their paths."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield f"{path}[{index}]", item


def _spoken(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    system = value.get("system")
    if isinstance(system, str):
        yield "system", system
    holders = [*_items(system, "system")]
    for path, turn in _items(value.get("messages"), "messages"):
        content = turn.get("content")
        if isinstance(content, str):
            yield f"{path}.content", content
        holders += _items(content, f"{path}.content")
    for path, block in holders:
        text = block.get("text")
        if isinstance(text, str):
            yield f"{path}.text", text


def _medium(kind: Literal["image", "video"], path: str, value: Any) -> Medium | None:
    try:
        format, uri = value["format"], value["source"]["s3Location"]["uri"]
    except (KeyError, TypeError):
        return None
    if isinstance(format, str) and isinstance(uri, str):
        return Medium(kind, path, format, uri)
    return None


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    # Recursion is bounded: the parser refuses deeper nesting than DEPTH_MAX.
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{index}]")
