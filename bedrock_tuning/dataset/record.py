"""One parsed record of a manifest, as the rules see it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final, Literal, NamedTuple, get_args

from bedrock_tuning.catalogue import Block
from bedrock_tuning.dataset.foreign import UNKNOWN, foreign_format
from bedrock_tuning.dataset.json_lines import FAULTS_MAX
from bedrock_tuning.dataset.record_formats import FLAT, TEXT_FIELDS, Misfit, misfits, shape_for
from bedrock_tuning.dataset.scope import DatasetScope, ReferenceProblem, locate

MediumKind = Literal["image", "video", "document"]


class Medium(NamedTuple):
    """An image, a video or a document of a conversation.

    path: in the record. format: as stated. owner: the bucket's, None if it is not stated.
    """

    kind: MediumKind
    path: str
    format: str
    uri: str
    owner: str | None


class Ref(NamedTuple):
    """A reference to an object: its field, its text, and why it may not be used."""

    kind: MediumKind
    field: str
    uri: str
    problem: ReferenceProblem


class BlockAt(NamedTuple):
    """A content block of a conversation.

    kinds: its fields that say what it is, one if it is well-formed. role: of its turn.
    """

    kinds: tuple[str, ...]
    path: str
    role: str | None
    value: dict[str, Any]


class Record:
    """A record: its line in the manifest and its value, a JSON object.

    lookalike: another known format if the whole record is in that format; of a conversation in
    another format nothing else is known. misfits:
    otherwise, where it differs from the shape of its own format, the first FAULTS_MAX. refs: all
    references in it. Of a conversation also: messages, its turns, {} for one that is not an object;
    roles of the turns, None where it is not a string; spoken, path and text of what is said
    (without roles, formats and references); media, its images, videos and documents; blocks, all
    content blocks.
    """

    __slots__ = (
        "blocks",
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

    def __init__(
        self, *, line: int, value: dict[str, Any], scope: DatasetScope, may_be_foreign: bool = True
    ) -> None:
        """may_be_foreign: whether one without a field of the format is in another one, without a
        name; otherwise what is wrong with its fields is told."""
        self.line = line
        self.value = value
        self.format = scope.contract.format
        self.lookalike = foreign_format(value, self.format)
        if self.lookalike is UNKNOWN and not may_be_foreign:
            self.lookalike = None
        self.misfits: tuple[Misfit, ...] = ()
        if self.lookalike is None:
            shape = shape_for(scope.contract)
            self.misfits = tuple(islice(misfits(value, shape), FAULTS_MAX))
        self.messages: tuple[dict[str, Any], ...] = ()
        self.roles: tuple[str | None, ...] = ()
        self.spoken: tuple[tuple[str, str], ...] = ()
        self.media: tuple[Medium, ...] = ()
        self.blocks: tuple[BlockAt, ...] = ()
        entries: list[tuple[MediumKind, str, str]] = []
        if self.format in FLAT:
            uri = self.text("image-ref") if self.format == "image-caption" else None
            if uri is not None:
                entries.append(("image", "image-ref", uri))
        elif self.lookalike is None:
            turns = value.get("messages")
            turns = turns if isinstance(turns, list) else []
            self.messages = tuple(turn if isinstance(turn, dict) else {} for turn in turns)
            roles = (turn.get("role") for turn in self.messages)
            self.roles = tuple(role if isinstance(role, str) else None for role in roles)
            self.spoken = tuple(_spoken_texts(value))
            if self.format == "converse":
                self.blocks = tuple(_blocks(value))
                self.media = tuple(_media(self.blocks))
            for medium in self.media:
                entries.append((medium.kind, f"{medium.path}.source.s3Location.uri", medium.uri))
        self.refs = tuple(Ref(kind, at, uri, locate(uri, scope)) for kind, at, uri in entries)

    @property
    def measured(self) -> Iterator[tuple[str, int, bool]]:
        """Name, number of characters and emptiness of each text that has a length limit."""
        if self.format in FLAT:
            for name in TEXT_FIELDS[self.format]:
                text = self.text(name)
                if text is not None:
                    yield name, len(text), not text.strip()
        elif self.lookalike is None:
            length = sum(len(text) for _, text in self.spoken)
            yield "record", length, not length

    @property
    def texts(self) -> list[str]:
        """All texts of the record that the model reads."""
        if self.format not in FLAT:
            return [text for _, text in self.spoken]
        texts = (self.text(name) for name in TEXT_FIELDS[self.format])
        return [text for text in texts if text is not None]

    def text(self, field: str) -> str | None:
        """A field of the record when it is a string."""
        value = self.value.get(field)
        return value if isinstance(value, str) else None


_MEDIA: Final[tuple[MediumKind, ...]] = ("image", "video", "document")
_KINDS: Final = frozenset[str](get_args(Block))


def _items(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a list with their paths."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield f"{path}[{index}]", item


def _spoken_texts(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    system = value.get("system")
    if isinstance(system, str):
        yield "system", system
    holders = [*_items(system, "system")]
    for path, turn in _items(value.get("messages"), "messages"):
        content = turn.get("content")
        if isinstance(content, str):
            yield f"{path}.content", content
        for inner, block in _items(content, f"{path}.content"):
            holders.append((inner, block))
            reasoning = block.get("reasoningContent")
            thought = reasoning.get("reasoningText") if isinstance(reasoning, dict) else None
            if isinstance(thought, dict):
                holders.append((f"{inner}.reasoningContent.reasoningText", thought))
    for path, block in holders:
        text = block.get("text")
        if isinstance(text, str):
            yield f"{path}.text", text


def _blocks(value: dict[str, Any]) -> Iterator[BlockAt]:
    for path, turn in _items(value.get("messages"), "messages"):
        role = turn.get("role")
        for inner, block in _items(turn.get("content"), f"{path}.content"):
            kinds = tuple(sorted(kind for kind in _KINDS & block.keys() if block[kind] is not None))
            yield BlockAt(kinds, inner, role if isinstance(role, str) else None, block)


def _media(blocks: Iterable[BlockAt]) -> Iterator[Medium]:
    for _, path, _, block in blocks:
        for kind in _MEDIA:
            medium = _medium(kind, f"{path}.{kind}", block.get(kind))
            if medium is not None:
                yield medium


def _medium(kind: MediumKind, path: str, value: Any) -> Medium | None:
    try:
        format, place = value["format"], value["source"]["s3Location"]
        uri, owner = place["uri"], place.get("bucketOwner")
    except (AttributeError, KeyError, TypeError):
        return None
    if isinstance(format, str) and isinstance(uri, str):
        return Medium(kind, path, format, uri, owner if isinstance(owner, str) else None)
    return None
