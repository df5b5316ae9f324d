"""Where a value departs from a shape: every kind of shape, and every kind of departure."""

from typing import Any

import pytest

from bedrock_tuning.dataset.record_formats import (
    Anything,
    ListOf,
    Object,
    Shape,
    Text,
    TextOrList,
    misfits,
    shape_for,
)
from tests.support.examples import contract_of

PAIR = Object(required={"prompt": Text(), "completion": Text()})
ONE_OF = {"text": Text(), "image": Anything()}
WORDS = "exactly one of text, image is needed"


def told(value: Any, shape: Shape, path: str = "") -> list[tuple[str, ...]]:
    found = misfits(value, shape, path)
    return [(each.kind, each.path, each.message, each.value, each.limit) for each in found]


def wrong(path: str, got: str, wanted: str, limit: str = "") -> tuple[str, ...]:
    return "type", path, f'"{path}" is of type {got}, not {wanted}', got, limit or wanted


@pytest.mark.parametrize(
    ("value", "shape", "expected"),
    [
        ("x", Text(), []),
        (1, Text(), [wrong("a", "number", "string")]),
        (None, Anything(), []),
        (["x", 1, "y", {}], ListOf(Text()), [
            wrong("a[1]", "number", "string"), wrong("a[3]", "object", "string")]),
        ("x", ListOf(Text()), [wrong("a", "string", "array")]),
        ("x", ListOf(Object(required={"text": Text()})), [
            wrong("a", "string", "array", 'array, as in [{"text": "…"}]')]),
        ("x", ListOf(Object(alternatives=ONE_OF)), [
            wrong("a", "string", "array", 'array, as in [{"text": "…"}]')]),
        ("x", ListOf(Object(optional={"text": Text()})), [wrong("a", "string", "array")]),
        ("x", TextOrList(Text()), []),
        (None, TextOrList(Text()), []),
        ([1], TextOrList(Text()), [wrong("a[0]", "number", "string")]),
        ({}, TextOrList(Text()), [wrong("a", "object", "string")]),
        ([], Object(), [wrong("a", "array", "object")]),
        ({"b": 1}, Object(open=True), []),
        ({"b": 1}, Object(required={"b": Text()}), [wrong("a.b", "number", "string")]),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_told_where_it_stands(
    value: Any, shape: Shape, expected: list[tuple[str, ...]]
) -> None:
    assert told(value, shape, "a") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"prompt": "a", "completion": "b"}, []),
        ({"prompt": 1, "completion": "b"}, [wrong("prompt", "number", "string")]),
        (
            {"prompt": 1, "completion": None},
            [wrong("prompt", "number", "string"), wrong("completion", "null", "string")],
        ),
        (
            {"prompt": "a"},
            [("missing", "completion", 'the field "completion" is missing', "", "")],
        ),
        (
            {"prompt": "a", "completion": "b", "x": "c"},
            [("unknown", "x", 'unknown field "x"', "x", "prompt, completion")],
        ),
        (
            {"prompt": "a", "answer": "b"},
            [
                (
                    *("unknown", "answer", 'unknown field "answer" – did you mean "completion"?'),
                    *("answer", "prompt, completion"),
                ),
            ],
        ),
    ],
)
def test_a_record_of_texts_is_told_field_by_field(
    value: Any, expected: list[tuple[str, ...]]
) -> None:
    assert told(value, PAIR) == expected
    assert PAIR.flat == {"prompt", "completion"}
    assert Object(required={"a": Text(), "b": Anything()}).flat == frozenset()


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"text": "a"}, []),
        ({}, [("missing", "p", WORDS, "", "text, image")]),
        ({"text": "a", "image": 1}, [("missing", "p", WORDS, "text, image", "text, image")]),
        # Without one of the alternatives, another field is a misspelling of one.
        (
            {"txt": "a"},
            [
                (
                    *("unknown", "p.txt", 'unknown field "txt" – did you mean "text"?'),
                    *("txt", "text, image, note"),
                )
            ],
        ),
        ({"note": "n"}, [("missing", "p", WORDS, "", "text, image")]),
    ],
)
def test_exactly_one_of_the_alternatives_is_needed(
    value: Any, expected: list[tuple[str, ...]], lenient: bool
) -> None:
    shape = Object(alternatives=ONE_OF, optional={"note": Text()}, lenient=lenient)
    assert told(value, shape, "p") == expected


def test_a_lenient_shape_ignores_null_and_other_fields_where_nothing_else_is_meant() -> None:
    shape = Object(
        required={"role": Text()}, alternatives=ONE_OF, optional={"note": Text()}, lenient=True
    )
    known = "role, text, image, note"
    nulls = {"image": None, "note": None, "x": 1, "y": None}
    assert told({"role": "u", "text": "a", **nulls}, shape) == [
        ("ignored", "image", 'the field "image" is null', "null", ""),
        ("ignored", "note", 'the field "note" is null', "null", ""),
        ("ignored", "x", 'unknown field "x"', "x", known),
        ("ignored", "y", 'unknown field "y"', "y", known),
    ]  # fmt: skip
    # A block that holds nothing is none, whatever it might have held.
    assert told({"role": "u", "text": None}, shape) == [
        ("ignored", "text", 'the field "text" is null', "null", ""),
        ("missing", "", WORDS, "", "text, image"),
    ]
    # What must be there may not be null, and a strict shape has no null at all.
    assert told({"role": None, "text": "a"}, shape) == [wrong("role", "null", "string")]
    strict = Object(required={"role": Text()}, alternatives=ONE_OF, optional={"note": Text()})
    assert told({"role": "u", "text": "a", "note": None}, strict) == [
        wrong("note", "null", "string")
    ]
    # An open shape knows more than is listed.
    assert told({"role": "u", "x": 1}, Object(required={"role": Text()}, open=True)) == []


BLOCKS: dict[str, Any] = {
    "text": "a",
    "image": {"format": "png", "source": {"s3Location": {"uri": "u", "bucketOwner": "1"}}},
    "video": {"format": "mp4", "source": {"s3Location": {"uri": "u"}}},
    "document": {"format": "pdf", "name": "n", "source": {"s3Location": {"uri": "u"}}},
    "reasoningContent": {"reasoningText": {"text": "a", "signature": "s"}},
    "toolUse": {"toolUseId": "1", "name": "n", "input": {"any": 1}},
    "toolResult": {"toolUseId": "1", "status": "s", "content": [{"text": "a"}, {"json": 1}]},
}
SPEC = {"name": "n", "description": "d", "inputSchema": {"json": {}}}
WHOLE: dict[str, Any] = {
    "schemaVersion": "x",
    "system": [{"text": "a"}],
    "messages": [{"role": "user", "content": [{name: each} for name, each in BLOCKS.items()]}],
    "toolConfig": {"tools": [{"toolSpec": SPEC}], "toolChoice": 1},
}


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every field in a value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, inner in pairs:
        found += [(*path, key)] if isinstance(value, dict) else []
        found += _paths(inner, (*path, key)) if isinstance(inner, dict | list) else []
    return found


def _changed(path: tuple[Any, ...], change: str) -> Any:
    copied = {**WHOLE}
    at: Any = copied
    for key in path[:-1]:
        at[key] = dict(at[key]) if isinstance(at[key], dict) else list(at[key])
        at = at[key]
    value = at.pop(path[-1])
    at.update({"type": {path[-1]: 7}, "name": {f"{path[-1]}_": value}, "gone": {}}[change])
    return copied


# What a field may miss, and what may hold any value.
MAY_MISS = {
    *("schemaVersion", "system", "toolConfig", "toolChoice", "bucketOwner", "signature", "status"),
    "description",
}
ANY = {"any", "json", "toolChoice"}


def test_a_whole_conversation_has_the_shape_of_converse() -> None:
    shape = shape_for(contract_of("nova-lite")[1])
    assert told(WHOLE, shape) == []


@pytest.mark.parametrize("path", _paths(WHOLE), ids=lambda path: ".".join(map(str, path)))
def test_each_field_of_a_conversation_has_its_name_and_its_type(path: tuple[Any, ...]) -> None:
    shape = shape_for(contract_of("nova-lite")[1])
    assert bool(told(_changed(path, "type"), shape)) == (path[-1] not in ANY)
    assert bool(told(_changed(path, "name"), shape)) == (path[-1] != "any")
    is_name = path[-1] == "name" and "document" in path
    assert bool(told(_changed(path, "gone"), shape)) == (
        path[-1] not in MAY_MISS | {"any"} and not is_name
    )


@pytest.mark.parametrize(
    ("model", "good", "bad"),
    [
        ("titan-image-generator-v1", {"image-ref": "a", "caption": "b"}, {"image-ref": "a"}),
        ("titan-text-lite", {"prompt": "a", "completion": "b"}, {"prompt": "a"}),
        ("titan-text-lite/CONTINUED_PRE_TRAINING", {"input": "a"}, {"input": []}),
        (
            "claude-3-haiku",
            {"system": "a", "messages": [{"role": "user", "content": "b"}]},
            {"messages": [{"role": "user"}]},
        ),
        ("claude-3-haiku", {"messages": []}, {"messages": [{"content": "b"}]}),
        (
            "nova-2-lite/REINFORCEMENT_FINE_TUNING",
            {"messages": [{"content": None, "x": 1}], "reference_answer": 1, "tools": 2, "y": 3},
            {"messages": [{"role": 1}]},
        ),
        ("claude-3-haiku", {"messages": []}, {}),
        ("nova-micro", {"messages": []}, {}),
        ("nova-2-lite/REINFORCEMENT_FINE_TUNING", {"messages": []}, {}),
        (
            "nova-2-lite/REINFORCEMENT_FINE_TUNING",
            {"messages": [{"role": "user", "content": [{"x": 1}]}]},
            {"messages": [{"content": [1]}]},
        ),
    ],
)
def test_each_format_has_its_shape(model: str, good: Any, bad: Any) -> None:
    shape = shape_for(contract_of(model)[1])
    assert told(good, shape) == []
    assert len(told(bad, shape)) == 1
