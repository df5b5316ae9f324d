"""The shape of a record in each dataset format: which fields, of which type, nested how."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal

from bedrock_tuning.catalogue import DatasetContract, Format
from bedrock_tuning.dataset.suggestions import ALIASES
from bedrock_tuning.wording import did_you_mean, json_type

SCHEMA_VERSION: Final = "bedrock-conversation-2024"


@dataclass(frozen=True, slots=True)
class Text:
    """A JSON string."""


@dataclass(frozen=True, slots=True)
class Anything:
    """Any JSON value."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A JSON array whose elements have one shape."""

    item: "Shape"


@dataclass(frozen=True, slots=True)
class TextOrList:
    """A JSON string, null, or an array whose elements have one shape."""

    item: "Shape"


@dataclass(frozen=True, slots=True)
class Object:
    """A JSON object.

    alternatives: exactly one of these fields is given. known: all of its fields. open: other
    fields mean something, too. lenient: other fields are ignored.
    """

    required: Mapping[str, "Shape"] = field(default_factory=dict)
    optional: Mapping[str, "Shape"] = field(default_factory=dict)
    alternatives: Mapping[str, "Shape"] = field(default_factory=dict)
    open: bool = False
    lenient: bool = False
    known: Mapping[str, "Shape"] = field(init=False)

    def __post_init__(self) -> None:
        fields = {**self.required, **self.alternatives, **self.optional}
        object.__setattr__(self, "known", fields)

    @property
    def flat(self) -> frozenset[str]:
        """Names of the required fields if all of these are texts, else none."""
        texts = all(isinstance(inner, Text) for inner in self.required.values())
        return frozenset(self.required) if texts else frozenset()


Shape = Text | Anything | ListOf | TextOrList | Object
_Fields = Mapping[str, Shape]
_NONE: Final[_Fields] = {}


def _converse(*, lenient: bool, typed_blocks: bool) -> Object:
    """A record of the Converse API; which of its blocks a model takes is the rules' matter."""

    def loose(
        required: _Fields = _NONE, optional: _Fields = _NONE, alternatives: _Fields = _NONE
    ) -> Object:
        return Object(required, optional, alternatives, lenient=lenient)

    place = loose(required={"uri": Text()}, optional={"bucketOwner": Text()})
    source = loose(required={"s3Location": place})
    medium = loose(required={"format": Text(), "source": source})
    document = loose(required={"format": Text(), "source": source}, optional={"name": Text()})
    reasoning = loose(required={"text": Text()}, optional={"signature": Text()})
    result = loose(alternatives={"text": Text(), "json": Anything()})
    use = loose(required={"toolUseId": Text(), "name": Text(), "input": Object(open=True)})
    answer = loose(
        required={"toolUseId": Text(), "content": ListOf(result)}, optional={"status": Text()}
    )
    block = loose(
        alternatives={
            "text": Text(),
            "image": medium,
            "video": medium,
            "document": document,
            "reasoningContent": loose(required={"reasoningText": reasoning}),
            "toolUse": use,
            "toolResult": answer,
        },
        optional={"type": Text()} if typed_blocks else {},
    )
    schema = loose(required={"json": Anything()})
    spec = loose(required={"name": Text(), "inputSchema": schema}, optional={"description": Text()})
    tools = loose(
        required={"tools": ListOf(loose(required={"toolSpec": spec}))},
        optional={"toolChoice": Anything()},
    )
    turn = loose(required={"role": Text(), "content": ListOf(block)})
    return loose(
        required={"messages": ListOf(turn)},
        optional={
            "schemaVersion": Text(),
            "system": ListOf(loose(required={"text": Text()})),
            "toolConfig": tools,
        },
    )


# A chat completion of OpenAI; a part of a content is an object of any kind.
_COMPLETION: Final = ListOf(
    Object(optional={"role": Text(), "content": TextOrList(Object(open=True))}, open=True)
)


@cache
def _shape(format: Format, lenient: bool, typed_blocks: bool) -> Object:
    match format:
        case "image-caption":
            return Object(required={"image-ref": Text(), "caption": Text()}, lenient=lenient)
        case "prompt-completion":
            return Object(required={"prompt": Text(), "completion": Text()}, lenient=lenient)
        case "input-only":
            return Object(required={"input": Text()}, lenient=lenient)
        case "claude-messages":
            turn = Object(required={"role": Text(), "content": Text()}, lenient=lenient)
            turns = {"messages": ListOf(turn)}
            return Object(required=turns, optional={"system": Text()}, lenient=lenient)
        case "converse":
            return _converse(lenient=lenient, typed_blocks=typed_blocks)
        case "rft":
            extra: _Fields = {"reference_answer": Anything(), "tools": Anything()}
            return Object(required={"messages": _COMPLETION}, optional=extra, open=True)


def shape_for(contract: DatasetContract) -> Object:
    """The shape of a record that a contract demands."""
    talk = contract.conversation
    is_typed = talk is not None and talk.typed_blocks
    return _shape(contract.format, contract.unknown_fields == "ignored", is_typed)


def required_of(format: Format) -> tuple[str, ...]:
    """The fields that a record needs at its first level; none of a format of another tool."""
    is_own = format in (*FLAT, *TALK_FORMATS)
    return tuple(_shape(format, False, False).required) if is_own else ()


# Formats whose records are one level of texts, and those whose records are conversations.
TEXTS: Final = frozenset[Format]({"prompt-completion", "input-only"})
FLAT: Final = frozenset[Format]({"image-caption", *TEXTS})
TALK_FORMATS: Final = frozenset[Format]({"converse", "claude-messages", "rft"})
# Of a flat format, the fields that the model reads as text.
TEXT_FIELDS: Final[Mapping[Format, tuple[str, ...]]] = {
    "image-caption": ("caption",),
    "prompt-completion": ("prompt", "completion"),
    "input-only": ("input",),
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """Where a value departs from its shape; path like "messages[0].content".

    ignored: a field that nobody reads.
    """

    kind: Literal["unknown", "ignored", "missing", "type"]
    path: str
    message: str
    value: str = ""
    limit: str = ""


def misfits(value: Any, shape: Shape, path: str = "") -> Iterator[Misfit]:
    """Every departure of a parsed value from a shape, in the order of the text."""
    match shape:
        case Text():
            if not isinstance(value, str):
                yield _wrong_type(path, value, "string")
        case ListOf(item):
            if isinstance(value, list):
                yield from _elements(value, item, path)
                return
            texts = isinstance(item, Object) and "text" in {**item.required, **item.alternatives}
            yield _wrong_type(path, value, 'array, as in [{"text": "…"}]' if texts else "array")
        case TextOrList(item):
            if isinstance(value, list):
                yield from _elements(value, item, path)
            elif value is not None and not isinstance(value, str):
                yield _wrong_type(path, value, "string")
        case Object():
            if isinstance(value, dict):
                yield from _object_misfits(value, shape, path)
            else:
                yield _wrong_type(path, value, "object")


def _elements(value: list[Any], item: Shape, path: str) -> Iterator[Misfit]:
    for index, element in enumerate(value):
        yield from misfits(element, item, f"{path}[{index}]")


def _object_misfits(value: dict[str, Any], shape: Object, path: str) -> Iterator[Misfit]:
    is_flat = not path and bool(value) and value.keys() == shape.flat
    if is_flat and all(type(inner) is str for inner in value.values()):
        return
    fields = shape.known
    # Tables of records, as in Parquet, write every field, and null into those that are not there.
    absent = {name for name, inner in value.items() if inner is None and shape.lenient}
    absent -= shape.required.keys()
    names = [name for name in value if name in shape.alternatives and name not in absent]
    # Without one of the alternatives, an unknown field is a misspelling of one.
    lenient = shape.lenient and (bool(names) or not shape.alternatives)
    missing = [name for name in shape.required if name not in value]
    for name, inner in value.items():
        if name in absent and name in fields:
            yield Misfit("ignored", _join(path, name), f'the field "{name}" is null', "null")
        elif name in fields:
            yield from misfits(inner, fields[name], _join(path, name))
        elif not shape.open:
            hint = did_you_mean(name, [k for k in fields if k not in value], aliases=ALIASES)
            # A required field under another name is one fault.
            meant = next((other for other in missing if f'"{other}"' in hint), None)
            if meant is not None:
                missing.remove(meant)
            yield Misfit(
                "ignored" if lenient and meant is None else "unknown",
                _join(path, name),
                f'unknown field "{name}"{hint}',
                value=name,
                limit=", ".join(fields),
            )
    for name in missing:
        yield Misfit("missing", _join(path, name), f'the field "{name}" is missing')
    # A lonely unknown field was told of already, with what is possible instead.
    if (
        shape.alternatives
        and len(names) != 1
        and (names or not value.keys() - shape.optional.keys() - shape.required.keys() - absent)
    ):
        choices = ", ".join(shape.alternatives)
        words = f"exactly one of {choices} is needed"
        yield Misfit("missing", path, words, value=", ".join(names), limit=choices)


def _wrong_type(path: str, value: Any, types: str) -> Misfit:
    kind = json_type(value)
    word = types.partition(",")[0]
    return Misfit("type", path, f'"{path}" is of type {kind}, not {word}', kind, types)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
