"""The shape of a record in each dataset format: which fields, of which type, nested how."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from bedrock_tuning.catalogue import Format
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
class Object:
    """A JSON object.

    one_of: the fields are alternatives, exactly one is given. open: other fields are allowed too.
    """

    required: Mapping[str, "Shape"] = field(default_factory=dict)
    optional: Mapping[str, "Shape"] = field(default_factory=dict)
    one_of: bool = False
    open: bool = False

    @property
    def flat(self) -> frozenset[str]:
        """Names of the fields of an object that consists of required texts only, else none."""
        texts = all(isinstance(inner, Text) for inner in self.required.values())
        return frozenset(self.required) if texts and not self.optional else frozenset()


Shape = Text | Anything | ListOf | Object

_MEDIUM: Final = Object(
    required={
        "format": Text(),
        "source": Object(
            required={
                "s3Location": Object(required={"uri": Text()}, optional={"bucketOwner": Text()})
            }
        ),
    }
)
_CONVERSE: Final = Object(
    required={
        "messages": ListOf(
            Object(
                required={
                    "role": Text(),
                    "content": ListOf(
                        Object(
                            optional={"text": Text(), "image": _MEDIUM, "video": _MEDIUM},
                            one_of=True,
                        )
                    ),
                }
            )
        )
    },
    optional={"schemaVersion": Text(), "system": ListOf(Object(required={"text": Text()}))},
)
_CHAT: Final = ListOf(Object(required={"role": Text(), "content": Text()}))

SHAPES: Final[Mapping[Format, Object]] = {
    "image-caption": Object(required={"image-ref": Text(), "caption": Text()}),
    "prompt-completion": Object(required={"prompt": Text(), "completion": Text()}),
    "input-only": Object(required={"input": Text()}),
    "claude-messages": Object(required={"messages": _CHAT}, optional={"system": Text()}),
    "converse": _CONVERSE,
    "rft": Object(
        required={"messages": _CHAT}, optional={"reference_answer": Anything()}, open=True
    ),
}


# Formats whose records are one level of texts, and those whose records are conversations.
TEXTS: Final = frozenset[Format]({"prompt-completion", "input-only"})
FLAT: Final = frozenset[Format]({"image-caption", *TEXTS})
TALKS: Final = frozenset[Format]({"converse", "claude-messages", "rft"})


@dataclass(frozen=True, slots=True)
class Misfit:
    """Where a value departs from its shape; path like "messages[0].content"."""

    kind: Literal["unknown", "missing", "type"]
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
            if not isinstance(value, list):
                texts = isinstance(item, Object) and "text" in {**item.required, **item.optional}
                wanted = 'array, as in [{"text": "…"}]' if texts else "array"
                yield _wrong_type(path, value, wanted)
                return
            for index, element in enumerate(value):
                yield from misfits(element, item, f"{path}[{index}]")
        case Object():
            if not isinstance(value, dict):
                yield _wrong_type(path, value, "object")
                return
            yield from _object_misfits(value, shape, path)


def _object_misfits(value: dict[str, Any], shape: Object, path: str) -> Iterator[Misfit]:
    if not path and value.keys() == shape.flat and all(type(v) is str for v in value.values()):
        return
    known: dict[str, Shape] = {**shape.required, **shape.optional}
    for name, inner in value.items():
        if name in known:
            yield from misfits(inner, known[name], _join(path, name))
        elif not shape.open:
            hint = did_you_mean(name, [k for k in known if k not in value], aliases=ALIASES)
            yield Misfit(
                "unknown",
                _join(path, name),
                f'unknown field "{name}"{hint}',
                value=name,
                limit=", ".join(known),
            )
    for name in shape.required:
        if name not in value:
            yield Misfit("missing", _join(path, name), f'the field "{name}" is missing')
    given = sum(name in value for name in known)
    # A lonely unknown field was told of already, with what is possible instead.
    if shape.one_of and given != 1 and (given or not value):
        choices = ", ".join(known)
        yield Misfit(
            "missing",
            path,
            f"exactly one of {choices} is needed",
            value=", ".join(name for name in value if name in known),
            limit=choices,
        )


def _wrong_type(path: str, value: Any, wanted: str) -> Misfit:
    got = json_type(value)
    plain = wanted.partition(",")[0]
    return Misfit("type", path, f'"{path}" is of type {got}, not {plain}', got, wanted)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
