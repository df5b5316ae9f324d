"""One parsed record of a manifest, as the rules see it."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal, NamedTuple

from bedrock_tuning.dataset.json_lines import FAULTS_MAX
from bedrock_tuning.dataset.record_formats import FLAT, SHAPES, Misfit, misfits
from bedrock_tuning.dataset.scope import DatasetScope, ReferenceProblem, locate
from bedrock_tuning.dataset.suggestions import other_format


class Medium(NamedTuple):
    """An image or a video inside a conversation: path in the record, stated format, S3 URI."""

    kind: Literal["image", "video"]
    path: str
    format: str
    uri: str


class Ref(NamedTuple):
    """A reference to an image or a video: its field, its text, and why it may not be used."""

    field: str
    uri: str
    problem: ReferenceProblem


class Record:
    """A record: its line in the manifest and its value, a JSON object.

    lookalike: name of another known format if the whole record is in that format. misfits:
    otherwise, where it differs from the shape of its own format, the first FAULTS_MAX. refs: all
    references in it. Of a conversation also: messages, its turns, {} for one that is not an object;
    roles of the turns, None where it is not a string; spoken, path and text of what is said
    (without roles, formats and references); media, its images and videos.
    """

    __slots__ = (
        "format",
        "line",
        "lookalike",
        "media",
        "messages",
        "misfits",
        "refs",
        "roles",
        "spoken",
        "value",
    )

    def __init__(self, *, line: int, value: dict[str, Any], scope: DatasetScope) -> None:
        self.line = line
        self.value = value
        self.format = scope.contract.format
        self.lookalike = other_format(value, self.format)
        self.misfits: tuple[Misfit, ...] = ()
        if not self.lookalike:
            self.misfits = tuple(islice(misfits(value, SHAPES[self.format]), FAULTS_MAX))
        self.messages: tuple[dict[str, Any], ...] = ()
        self.roles: tuple[str | None, ...] = ()
        self.spoken: tuple[tuple[str, str], ...] = ()
        self.media: tuple[Medium, ...] = ()
        if self.format in FLAT:
            uri = self.text("image-ref") if self.format == "image-caption" else None
            written = [] if uri is None else [("image-ref", uri)]
        else:
            turns = value.get("messages")
            turns = turns if isinstance(turns, list) else []
            self.messages = tuple(turn if isinstance(turn, dict) else {} for turn in turns)
            roles = (turn.get("role") for turn in self.messages)
            self.roles = tuple(role if isinstance(role, str) else None for role in roles)
            self.spoken = tuple(_spoken(value))
            if self.format == "converse":
                self.media = tuple(_media(value))
            written = [(f"{each.path}.source.s3Location.uri", each.uri) for each in self.media]
        self.refs = tuple(Ref(field, uri, locate(uri, scope)) for field, uri in written)

    @property
    def measured(self) -> Iterator[tuple[str, int, bool]]:
        """Name, number of characters and emptiness of each text that has a length limit."""
        if self.format in FLAT:
            for name in SHAPES[self.format].required:
                text = self.text(name)
                if text is not None and name != "image-ref":
                    yield name, len(text), not text.strip()
        else:
            length = sum(len(text) for _, text in self.spoken)
            yield "record", length, not length

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


def _media(value: dict[str, Any]) -> Iterator[Medium]:
    for path, turn in _items(value.get("messages"), "messages"):
        for inner, block in _items(turn.get("content"), f"{path}.content"):
            for kind in _MEDIA:
                medium = _medium(kind, f"{inner}.{kind}", block.get(kind))
                if medium is not None:
                    yield medium
