"""A record as the rules see it: roles, texts, blocks, media and references, each in its place."""

from typing import Any

import pytest

from bedrock_tuning.dataset.record import Medium, Record, Ref
from tests.support.examples import scope_of

NOVA, CLAUDE, RFT = "nova-lite", "claude-3-haiku", "nova-2-lite/REINFORCEMENT_FINE_TUNING"
TITAN, TEXT, PRE = "titan-image-generator-v1", "titan-text-lite", "titan-text-lite/"
PRE += "CONTINUED_PRE_TRAINING"


def record(model: str, value: dict[str, Any]) -> Record:
    return Record(line=7, value=value, scope=scope_of(model))


def medium(kind: str, format: Any, uri: Any, **owner: Any) -> dict[str, Any]:
    return {kind: {"format": format, "source": {"s3Location": {"uri": uri, **owner}}}}


TALK = {
    "schemaVersion": "x",
    "system": [{"text": "be kind"}, {"text": 1}, "x"],
    "messages": [
        {
            "role": "user",
            "content": [
                {"text": "hi"},
                medium("image", "png", "s3://bucket/folder/1.png", bucketOwner="1"),
                {"text": "and", **medium("video", "mp4", "s3://elsewhere/1.mp4", bucketOwner=1)},
                medium("document", "pdf", "1.pdf"),
                {"image": None, "type": "x"},
                "x",
                medium("image", 1, "s3://bucket/folder/2.png"),
                medium("image", "png", 2),
                {"image": {"format": "png", "source": {"bytes": "x"}}},
                {"image": {"format": "png", "source": "x"}},
            ],
        },
        "x",
        {
            "role": 1,
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "so"}}, "text": "ho"},
                {"reasoningContent": "x"},
                {"reasoningContent": {"reasoningText": "x"}},
            ],
        },
        {"role": "assistant", "content": "a text"},
    ],
}


def test_a_conversation_is_taken_apart_with_the_place_of_everything() -> None:
    found = record(NOVA, TALK)
    at = "messages[0].content"
    assert (found.line, found.format, found.lookalike) == (7, "converse", None)
    assert found.roles == ("user", None, None, "assistant")
    assert found.messages[1] == {}
    assert dict(found.spoken) == {
        "system[0].text": "be kind",
        f"{at}[0].text": "hi",
        f"{at}[2].text": "and",
        "messages[2].content[0].text": "ho",
        "messages[2].content[0].reasoningContent.reasoningText.text": "so",
        "messages[3].content": "a text",
    }
    assert found.media == (
        Medium("image", f"{at}[1].image", "png", "s3://bucket/folder/1.png", "1"),
        Medium("video", f"{at}[2].video", "mp4", "s3://elsewhere/1.mp4", None),
        Medium("document", f"{at}[3].document", "pdf", "1.pdf", None),
    )
    assert found.refs == tuple(
        Ref(kind, f"{at}[{n}].{kind}.source.s3Location.uri", uri, problem)  # type: ignore[arg-type]
        for kind, n, uri, problem in (
            ("image", 1, "s3://bucket/folder/1.png", ""),
            ("video", 2, "s3://elsewhere/1.mp4", "bucket"),
            ("document", 3, "1.pdf", "not-s3"),
        )
    )
    blocks = [(each.path, each.kinds, each.role) for each in found.blocks]
    assert blocks[:5] == [
        (f"{at}[0]", ("text",), "user"),
        (f"{at}[1]", ("image",), "user"),
        (f"{at}[2]", ("text", "video"), "user"),
        (f"{at}[3]", ("document",), "user"),
        (f"{at}[4]", (), "user"),
    ]
    assert (blocks[-1], len(blocks)) == (
        *(("messages[2].content[2]", ("reasoningContent",), None), 12),
    )
    assert found.blocks[0].value == {"text": "hi"}
    assert list(found.measured) == [("record", len("be kindhiandhosoa text"), False)]
    assert sorted(found.texts) == ["a text", "and", "be kind", "hi", "ho", "so"]


def test_a_conversation_without_words_is_empty_and_one_without_turns_has_none() -> None:
    silent = record(NOVA, {"messages": [{"role": "user", "content": []}]})
    assert list(silent.measured) == [("record", 0, True)]
    bare = record(NOVA, {"schemaVersion": "x", "messages": "x"})
    assert (bare.messages, bare.roles, bare.spoken, bare.blocks) == ((), (), (), ())


@pytest.mark.parametrize("model", [CLAUDE, RFT])
def test_only_converse_has_blocks_and_media(model: str) -> None:
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
    found = record(model, {"system": "be kind", "messages": turns})
    assert found.spoken == (
        ("system", "be kind"),
        ("messages[0].content", "hi"),
        ("messages[1].content", "ho"),
    )
    assert (found.roles, found.blocks, found.media) == (("user", "assistant"), (), ())


def test_a_record_in_another_format_is_known_by_that_only() -> None:
    found = record(NOVA, {"prompt": "hi", "completion": "ho"})
    assert found.lookalike is not None
    assert found.lookalike.name == "prompt and completion"
    assert (found.misfits, found.roles, found.texts, list(found.measured)) == ((), (), [], [])
    flat = record(TEXT, {"question": "hi", "answer": "ho"})
    assert (flat.lookalike is not None, flat.misfits) == (True, ())


@pytest.mark.parametrize(
    ("model", "value", "texts", "refs"),
    [
        (
            TITAN,
            {"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"},
            ["caption"],
            [Ref("image", "image-ref", "s3://bucket/folder/1.png", "")],
        ),
        (TITAN, {"image-ref": 1, "caption": 2}, [], []),
        (TEXT, {"prompt": "a", "completion": " "}, ["prompt", "completion"], []),
        (TEXT, {"prompt": 1, "completion": "b", "x": "c"}, ["completion"], []),
        (PRE, {"input": "a", "image-ref": "s3://bucket/folder/1.png"}, ["input"], []),
    ],
)
def test_a_flat_record_has_texts_by_field_and_perhaps_an_image(
    model: str, value: dict[str, Any], texts: list[str], refs: list[Ref]
) -> None:
    found = record(model, value)
    assert list(found.measured) == [
        (name, len(value[name]), not value[name].strip()) for name in texts
    ]
    assert found.texts == [value[name] for name in texts]
    assert (list(found.refs), found.roles, found.spoken) == (refs, (), ())


def test_of_many_misfits_the_first_fifty_are_told() -> None:
    found = record(TEXT, {"prompt": "a", "completion": "b", **{f"x{n}": 1 for n in range(60)}})
    assert [each.path for each in found.misfits] == [f"x{n}" for n in range(50)]
