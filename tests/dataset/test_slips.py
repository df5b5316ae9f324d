"""Slips as people make them, in every format: each is found on its line, and the hint is right."""

import json
import time
from typing import Any

import pytest

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.dataset.record_formats import SCHEMA_VERSION
from bedrock_tuning.dataset.suggestions import EXAMPLES, key_hint, s3_hint, syntax_hint
from bedrock_tuning.rules import BY_NAME
from bedrock_tuning.rules.finding import Finding
from tests.support.examples import FLAGSHIP, check, scope_of

TEXT = "titan-text-lite"
PRE = "titan-text-lite/CONTINUED_PRE_TRAINING"
CLAUDE = "claude-3-haiku"
NOVA = "nova-lite"
RFT = "nova-2-lite/REINFORCEMENT_FINE_TUNING"
LLAMA = "llama-3-2-11b"
PNG = "s3://bucket/folder/1.png"


def turn(role: str, *content: Any) -> dict[str, Any]:
    blocks = [{"text": each} if isinstance(each, str) else each for each in content]
    return {"role": role, "content": blocks}


def talk(*turns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"schemaVersion": SCHEMA_VERSION, "messages": list(turns), **more}


def asked(*content: Any, **more: Any) -> dict[str, Any]:
    return talk(turn("user", *content), turn("assistant", "x"), **more)


def said(*pairs: tuple[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": text} for role, text in pairs], **more}


def medium(kind: str, format: str, uri: str) -> dict[str, Any]:
    return {kind: {"format": format, "source": {"s3Location": {"uri": uri}}}}


GOOD: dict[str, Any] = {
    FLAGSHIP: {"image-ref": PNG, "caption": "a dog"},
    TEXT: {"prompt": "hi", "completion": "hello"},
    PRE: {"input": "some text"},
    CLAUDE: said(("user", "hi"), ("assistant", "hello"), system="be kind"),
    NOVA: asked("hi"),
    RFT: said(("user", "hi"), reference_answer={"a": 1}),
    LLAMA: asked("hi", medium("image", "png", PNG)),
}
ONE = b'{"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"}'

# Model, what is written, the rule that says so, and what its message or its limit tells.
SLIPS: list[tuple[str, Any, str, str]] = [
    (FLAGSHIP, b"[", "malformed-json", "one JSON array"),
    (FLAGSHIP, ONE + b",", "malformed-json", "a comma stands behind"),
    (FLAGSHIP, ONE + ONE + b"\n" + ONE, "malformed-json", "several records"),
    (FLAGSHIP, ONE.replace(b'"', b"'"), "malformed-json", "double quotes only"),
    (FLAGSHIP, ONE.replace(b'"', "“".encode()), "malformed-json", "typographic"),
    (FLAGSHIP, ONE[:-1] + b",}", "malformed-json", "comma stands before"),
    (FLAGSHIP, b"// " + ONE, "malformed-json", "no comments"),
    (FLAGSHIP, b"{", "malformed-json", "over several lines"),
    (FLAGSHIP, b'  "caption": "a dog"', "malformed-json", "over several lines"),
    (FLAGSHIP, b"s3://bucket/folder/1.png,a dog", "malformed-json", "CSV"),
    (FLAGSHIP, ONE.replace(b"a dog", b"a\tdog"), "malformed-json", r"\t"),
    (FLAGSHIP, ONE.replace(b"a dog", b"C:\\dogs"), "malformed-json", "written twice"),
    (FLAGSHIP, ONE[:-4], "malformed-json", "ends inside a string"),
    (FLAGSHIP, ONE[:-8], "malformed-json", "cut off"),
    (FLAGSHIP, ONE.replace(b'"a dog"', b"NaN"), "malformed-json", "omit the field"),
    (FLAGSHIP, ONE.replace(b"a dog", b"a\x01dog"), "malformed-json", "character in column"),
    (FLAGSHIP, ONE.decode().encode("utf-16"), "not-utf8", "UTF-16"),
    (FLAGSHIP, {"image_ref": PNG, "caption": "x"}, "unknown-field", '"image-ref"?'),
    (FLAGSHIP, {"image-ref": PNG, "Caption": "x"}, "unknown-field", '"caption"?'),
    (FLAGSHIP, {"image-ref": PNG, "text": "x"}, "unknown-field", '"caption"?'),
    (FLAGSHIP, {"url": PNG, "caption": "x"}, "unknown-field", '"image-ref"?'),
    (FLAGSHIP, {"file_name": "1.png", "text": "x"}, "record-of-another-format", "Hugging Face"),
    (FLAGSHIP, {"image-ref": PNG, "caption": None}, "wrong-type", "null"),
    (FLAGSHIP, {"image-ref": "s3a://bucket/folder/1.png", "caption": ""}, "image-ref-not-s3", PNG),
    (FLAGSHIP, {"image-ref": "S3://bucket/folder/1.png", "caption": ""}, "image-ref-not-s3", PNG),
    (FLAGSHIP, {"image-ref": f" {PNG}", "caption": ""}, "image-ref-not-s3", PNG),
    (FLAGSHIP, {"image-ref": "s3://<b>/f/1.png", "caption": ""}, "image-ref-not-s3", '"<b>"'),
    (TEXT, {"input": "x", "output": "y"}, "record-of-another-format", "input and output"),
    (TEXT, {"instruction": "x", "input": "", "output": "y"}, "record-of-another-format", "Alpaca"),
    (TEXT, said(("user", "x")), "record-of-another-format", EXAMPLES["prompt-completion"]),
    (TEXT, {"prompt": "x"}, "missing-field", "completion"),
    (TEXT, {"prompt": "x", "completion": " "}, "empty-text", "completion"),
    (TEXT, {"system": "x", "prompt": "x", "completion": "y"}, "unknown-field", "system"),
    (PRE, {"text": "x"}, "record-of-another-format", EXAMPLES["input-only"]),
    (PRE, {"prompt": "x", "completion": "y"}, "record-of-another-format", "prompt and completion"),
    (PRE, {"input": ["x"]}, "wrong-type", "array"),
    (CLAUDE, said(("system", "x"), ("user", "x"), ("assistant", "y")), "unknown-role", "beside"),
    (CLAUDE, said(("human", "x"), ("assistant", "y")), "unknown-role", '"user"?'),
    (CLAUDE, said(("user", [{"text": "x"}]), ("assistant", "y")), "wrong-type", "string"),
    (CLAUDE, asked("x"), "record-of-another-format", "Converse"),
    (CLAUDE, said(("user", "\n\nHuman: x"), ("assistant", "y")), "reserved-word", "Human:"),
    (NOVA, said(("user", "x"), ("assistant", "y")), "record-of-another-format", "OpenAI"),
    (NOVA, asked("x", system="be kind"), "wrong-type", '[{"text": "…"}]'),
    (NOVA, {"messages": asked("x")["messages"]}, "schema-version-missing", SCHEMA_VERSION),
    (NOVA, talk(turn("Human", "x"), turn("assistant", "y")), "unknown-role", '"user"?'),
    (NOVA, talk(turn("user", "x"), turn("gpt", "y")), "unknown-role", '"assistant"?'),
    (NOVA, talk(turn("user", "x")), "last-turn-not-assistant", "assistant"),
    (NOVA, asked("x", {"document": {}}), "block-not-supported", "Nova 2 Lite"),
    (NOVA, asked("x", {"picture": {}}), "unknown-field", "text, image, video"),
    (NOVA, asked({"text": "x", **medium("image", "png", PNG)}), "missing-field", "exactly one"),
    (NOVA, asked("x", medium("image", "jpg", PNG)), "unknown-media-format", '"jpeg"?'),
    (NOVA, asked("x", medium("image", "jpeg", PNG)), "media-format-not-as-named", "png"),
    (NOVA, asked("x", medium("video", "avi", PNG)), "unknown-media-format", "mov, mkv"),
    (NOVA, asked(*[medium("image", "png", PNG)] * 11), "too-many-images-in-record", "11 images"),
    (RFT, said(("user", "x"), reference_anwser=1), "misspelt-reference-answer", "anwser"),
    (RFT, said(("System", "x"), ("user", "x")), "unknown-role", '"system"?'),
    (RFT, said(("user", "x"), tools={}), "unusable-tools", "type object"),
    (NOVA, asked({"image": {"source": {"bytes": "eA=="}}}), "unknown-field", "s3Location"),
    (NOVA, asked({"text": "x", "image": None}), "ignored-field", "null"),
    (RFT, asked("x"), "record-of-another-format", EXAMPLES["rft"]),
    (RFT, {"messages": [{"role": "user", "content": None}]}, "empty-message", "no content"),
    (RFT, {"messages": [{"role": "user"}]}, "empty-message", "no content"),
    (LLAMA, asked(*[medium("image", "png", PNG)] * 12), "images-over-token-limit", "19,212"),
    (LLAMA, asked("x", medium("video", "mp4", "s3://bucket/folder/1.mp4")), "media-not-supported",
     "no videos"),
]  # fmt: skip


def found_in(model: str, *rows: Any) -> list[Finding]:
    data = b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
    _, partial = check(data + b"\n", scope=scope_of(model))
    return [found for each in partial.findings.values() for found in each]


@pytest.mark.parametrize("model", GOOD)
def test_a_good_record_of_each_format_has_no_finding(model: str) -> None:
    assert found_in(model, GOOD[model]) == []


@pytest.mark.parametrize(("model", "slip", "name", "told"), SLIPS)
def test_a_slip_is_found_and_the_message_helps(model: str, slip: Any, name: str, told: str) -> None:
    matching = [each for each in found_in(model, slip) if each.name == name]
    assert matching
    assert told in f"{matching[0].message} {matching[0].limit}"


@pytest.mark.parametrize("model", GOOD)
def test_all_slips_of_a_model_are_found_in_one_pass_each_on_its_line(model: str) -> None:
    mine = [
        (slip, name) for m, slip, name, _ in SLIPS if m == model and b"\n" not in bytes_of(slip)
    ]
    rows = [row for slip, _ in mine for row in (GOOD[model], slip)]
    lines = {(each.line, each.name) for each in found_in(model, *rows)}
    expected = [(2 * n, name) for n, (_, name) in enumerate(mine, 1)]
    told: set[str] = set()
    for line, name in expected:
        assert (line, name) in lines or (name in told and BY_NAME[name].once)
        told.add(name)
    assert not {line for line, _ in lines if line is not None and line % 2}


def bytes_of(slip: Any) -> bytes:
    return slip if isinstance(slip, bytes) else json.dumps(slip).encode()


@pytest.mark.parametrize("key", catalogue())
def test_a_record_of_another_format_is_one_finding_for_every_model(key: str) -> None:
    for type, contract in catalogue()[key].datasets.items():
        alien = {"question": "x", "answer": "y"}
        names = [each.name for each in found_in(f"{key}/{type}", alien)]
        assert names == ["record-of-another-format"], (type, contract.format)


def test_fields_of_turns_are_named_by_their_place_although_others_are_broken() -> None:
    record = talk("x", {"content": []}, turn("bot", "y"))  # type: ignore[arg-type]
    fields = {each.name: each.field for each in found_in(NOVA, record)}
    assert fields["unknown-role"] == "messages[2].role"
    assert fields["empty-message"] == "messages[1].content"
    assert "turns-not-alternating" not in fields


@pytest.mark.slow
@pytest.mark.parametrize("part", [b" ", b"}", b"} ", b",", b", ", b"{", b'"', b"[ ", b"\r", b"}\r"])
@pytest.mark.parametrize("start", [b"", b"{", b"}", b"[", b'"', b"{'"])
def test_a_hint_costs_no_more_for_hostile_lines(start: bytes, part: bytes) -> None:
    line = start + part * (100_000 // len(part)) + b"x"
    began = time.process_time()
    for _ in range(10):
        syntax_hint(line, "Extra data")
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("s3n://bucket/a/1.png", "s3://bucket/a/1.png"),
        ("s3:/bucket/a/1.png", "s3://bucket/a/1.png"),
        ("arn:aws:s3:::bucket/a/1.png", "s3://bucket/a/1.png"),
        ("https://bucket.s3.amazonaws.com/a/1.png", "s3://bucket/a/1.png"),
        (
            "https://bucket.s3.us-east-1.amazonaws.com/a/my%20dog.png?x=1",
            "s3://bucket/a/my dog.png",
        ),
        ("https://s3.us-west-2.amazonaws.com/bucket/a/1.png", "s3://bucket/a/1.png"),
        ("https://bucket.s3-us-west-2.amazonaws.com/a/1.png", "s3://bucket/a/1.png"),
        ("https://example.com/1.png", ""),
        ("/ron_01.jpg", ""),
        ("data:image/png;base64,AAAA", ""),
        ("s3a://" + "a" * 100_000, ""),
    ],
)
def test_a_reference_is_repaired_only_where_its_meaning_is_sure(written: str, meant: str) -> None:
    assert s3_hint(written) == meant


@pytest.mark.parametrize(
    ("key", "told"),
    [("a/1.png ", "blank"), ("a/my%20dog.png", "my dog.png"), ("a\\1.png", "/"), ("a/1.png", "")],
)
def test_a_key_without_object_says_what_looks_wrong(key: str, told: str) -> None:
    assert told in key_hint(key)
    assert bool(key_hint(key)) == bool(told)


def test_the_turn_that_should_be_the_assistants_is_named_by_its_place() -> None:
    record = talk("x", turn("assistant", "y"), turn("user", "z"))
    fields = {each.name: each.field for each in found_in(NOVA, record)}
    assert fields["last-turn-not-assistant"] == "messages[2].role"


def test_a_caption_with_too_many_characters_is_not_counted_in_tokens_too() -> None:
    record = {"image-ref": "s3://bucket/folder/1.png", "caption": "a dog " * 500}
    names = [each.name for each in found_in("titan-multimodal-embeddings-g1", record)]
    assert names == ["caption-too-long"]
