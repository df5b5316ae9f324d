"""Our verdicts beside AWS's validators and guides: every difference is a decision in a table."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.rules import BY_ID
from bedrock_tuning.rules.rule import Severity
from tests.support.aws_readers import (
    Reader,
    distillation_validator,
    llama_validator,
    nova_2_bedrock_guide,
    nova_guide,
    nova_sdk,
    nova_validator,
    rft_sample,
    rft_validator,
)
from tests.support.examples import check, scope_of

TABLE = Path(__file__).parents[2] / "docs" / "facts" / "validators.md"


def medium(kind: str, format: str, key: str = "folder/1", **place: str) -> dict[str, Any]:
    where = {"uri": f"s3://bucket/{key}.{format}", **place}
    return {kind: {"format": format, "source": {"s3Location": where}}}


def turn(role: str, *blocks: Any) -> dict[str, Any]:
    content = [{"text": each} if isinstance(each, str) else each for each in blocks]
    return {"role": role, "content": content}


def talk(*turns: dict[str, Any], **more: Any) -> dict[str, Any]:
    record = {"schemaVersion": "bedrock-conversation-2024", "messages": list(turns), **more}
    return {name: value for name, value in record.items() if value is not None}


def asked(*blocks: Any, answer: tuple[Any, ...] = ("a dog",), **more: Any) -> dict[str, Any]:
    return talk(turn("user", "what is this", *blocks), turn("assistant", *answer), **more)


THOUGHT = {"reasoningContent": {"reasoningText": {"text": "It barks."}}}
CALL = {"toolUse": {"toolUseId": "t", "name": "hours", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "t", "content": [{"text": "9"}]}}
SPEC = {"name": "hours", "description": "d", "inputSchema": {"json": {"type": "object"}}}


def tools(*specs: dict[str, Any]) -> dict[str, Any]:
    return {"tools": [{"toolSpec": spec} for spec in specs]}


def called(**changes: Any) -> dict[str, Any]:
    call = {"toolUse": {**CALL["toolUse"], **changes}}
    turns = (turn("user", "when"), turn("assistant", call), turn("user", RESULT))
    return talk(*turns, turn("assistant", "at nine"), toolConfig=tools(SPEC))


CONVERSATIONS: dict[str, dict[str, Any]] = {
    "plain": asked(),
    "several turns": talk(
        turn("user", "hi"), turn("assistant", "ho"), turn("user", "x"), turn("assistant", "y")
    ),
    "a system prompt": asked(system=[{"text": "be kind"}]),
    "two system prompts": asked(system=[{"text": "be kind"}, {"text": "be short"}]),
    "an empty list of system prompts": asked(system=[]),
    "another schema": asked(schemaVersion="our-pets-2026"),
    "no schema": asked(schemaVersion=None),
    "an additional field": asked(id=7),
    "a turn without answer": talk(turn("user", "hi")),
    "the assistant first": talk(turn("assistant", "hi"), turn("user", "x")),
    "two user turns in a row": talk(turn("user", "x"), turn("user", "y"), turn("assistant", "z")),
    "an unknown role": talk(turn("human", "x"), turn("assistant", "y")),
    "a system turn": talk(turn("system", "x"), turn("user", "x"), turn("assistant", "y")),
    "an empty text": talk(turn("user", ""), turn("assistant", "y")),
    "a blank text": talk(turn("user", " "), turn("assistant", "y")),
    "an unknown block": asked({"picture": {}}),
    "a typed block": asked({"type": "text", "text": "x"}),
    "two text blocks": asked("more"),
    "a reserved word": asked("User: x"),
    "a reserved word in capitals": asked("USER: x"),
    "a reserved word inside of another": asked("the end-user: x"),
    "an unknown token": asked("<unk>"),
    "an end of sequence": asked("[EOS]"),
    "a thought as a word": asked("Thought: x"),
    "an image": asked(medium("image", "png")),
    "an image in the answer": asked(answer=("here", medium("image", "png"))),
    "a WebP image": asked(medium("image", "webp")),
    "a BMP image": asked(medium("image", "bmp")),
    "an image format in capitals": asked(medium("image", "PNG")),
    "eleven images": asked(*[medium("image", "png")] * 11),
    "a blank in a key": asked(medium("image", "png", "folder/my dog")),
    "an owner that is no account": asked(medium("image", "png", bucketOwner="your-account")),
    "a video": asked(medium("video", "mp4")),
    "a WebM video": asked(medium("video", "webm")),
    "a video in the answer": asked(answer=("here", medium("video", "mp4"))),
    "two videos": asked(medium("video", "mp4"), medium("video", "mov")),
    "an image and a video": asked(medium("image", "png"), medium("video", "mp4")),
    "an image and a video in two turns": talk(
        turn("user", "x", medium("image", "png")),
        turn("assistant", "y"),
        turn("user", "x", medium("video", "mp4")),
        turn("assistant", "y"),
    ),
    "a document": asked(medium("document", "pdf")),
    "two documents": asked(medium("document", "pdf"), medium("document", "pdf")),
    "reasoning": asked(answer=(THOUGHT, "yes")),
    "reasoning without an answer": asked(answer=(THOUGHT,)),
    "reasoning of the user": asked(THOUGHT),
    "tools": called(),
    "a tool that is not described": called(name="other"),
    "a result of no call": called(toolUseId="x"),
    "a call whose input is a text": called(input="{}"),
    "an empty list of described tools": asked(toolConfig=tools()),
    "a described tool twice": asked(toolConfig=tools(SPEC, SPEC)),
    "a described tool without words": asked(toolConfig=tools({**SPEC, "description": " "})),
    "a described tool without a type": asked(
        toolConfig=tools({**SPEC, "inputSchema": {"json": {}}})
    ),
    "null in fields that are not used": {
        **asked({"text": "x", "image": None, "video": None}),
        "toolConfig": None,
        "system": None,
    },
    "a text and an image in one block": asked({"text": "x", **medium("image", "png")}),
    "a video and a document": asked(medium("video", "mp4"), medium("document", "pdf")),
    "a role in capitals": talk(turn("User", "x"), turn("assistant", "y")),
}


def prompt(*turns: tuple[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": text} for role, text in turns], **more}


TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "d",
        "parameters": {"type": "object", "properties": {}},
    },
}
PROMPTS: dict[str, dict[str, Any]] = {
    "plain": prompt(("user", "x"), reference_answer="y"),
    "no answer": prompt(("user", "x")),
    "an object as answer": prompt(("user", "x"), reference_answer={"a": 1}),
    "an empty answer": prompt(("user", "x"), reference_answer=" "),
    "an empty object as answer": prompt(("user", "x"), reference_answer={}),
    "a list as answer": prompt(("user", "x"), reference_answer=["y"]),
    "a number as answer": prompt(("user", "x"), reference_answer=42),
    "no turns": prompt(reference_answer="y"),
    "no user": prompt(("system", "x"), reference_answer="y"),
    "system first": prompt(("system", "x"), ("user", "y"), reference_answer="z"),
    "system second": prompt(("user", "y"), ("system", "x"), reference_answer="z"),
    "a developer turn": prompt(("developer", "x"), ("user", "y"), reference_answer="z"),
    "an unknown role": prompt(("user", "x"), ("bot", "y"), reference_answer="z"),
    "a turn without role": {"messages": [{"content": "x"}, {"role": "user", "content": "y"}]},
    "an empty turn": prompt(("user", " "), reference_answer="y"),
    "content that is null": prompt(("assistant", None), ("user", "x"), reference_answer="y"),
    "content in parts": prompt(("user", [{"type": "text", "text": "x"}]), reference_answer="y"),
    "a turn of a tool": prompt(("user", "x"), ("tool", "4"), reference_answer="y"),
    "tools": prompt(("user", "x"), tools=[TOOL]),
    "an empty list of tools": prompt(("user", "x"), tools=[]),
    "a tool twice": prompt(("user", "x"), tools=[TOOL, TOOL]),
    "null in place of tools": prompt(("user", "x"), tools=None),
    "a tool of another type": prompt(("user", "x"), tools=[{**TOOL, "type": "retrieval"}]),
    "a tool that is a name": prompt(("user", "x"), tools=[{"type": "function", "name": "f"}]),
    "a tool without a schema": prompt(
        ("user", "x"), tools=[{"type": "function", "function": {"name": "f", "description": "d"}}]
    ),
    "roles in capitals": prompt(("System", "x"), ("User", "y")),
    "fields for the grader": prompt(("user", "x"), reference_answer="y", difficulty=3),
    "a reserved word": prompt(("user", "User: x"), reference_answer="y"),
}
# The same for a reader that demands tools.
EQUIPPED = {name: {"tools": [TOOL], **record} for name, record in PROMPTS.items()}
EQUIPPED["no tools"] = PROMPTS["plain"]

RFT = "nova-2-lite/REINFORCEMENT_FINE_TUNING"
# The name of each reader in the table, what it reads, and for which models.
READERS: dict[str, tuple[Reader, dict[str, dict[str, Any]], tuple[str, ...]]] = {
    "validator, Nova Micro": (nova_validator("micro"), CONVERSATIONS, ("nova-micro",)),
    "validator, Nova Lite": (nova_validator("lite"), CONVERSATIONS, ("nova-lite", "nova-pro")),
    "validator, Nova 2 Lite": (nova_validator("lite-2.0"), CONVERSATIONS, ("nova-2-lite",)),
    "guide, Nova": (nova_guide, CONVERSATIONS, ("nova-lite", "nova-pro")),
    "Bedrock guide, Nova 2": (nova_2_bedrock_guide, CONVERSATIONS, ("nova-2-lite",)),
    "SDK, Nova": (nova_sdk, CONVERSATIONS, ("nova-lite",)),
    "validator, Llama": (llama_validator, CONVERSATIONS, ("llama-3-2-11b", "llama-3-2-90b")),
    "validator, distillation to Llama": (
        distillation_validator,
        CONVERSATIONS,
        ("llama-3-1-8b/DISTILLATION", "llama-3-3-70b/DISTILLATION"),
    ),
    "validator, distillation to Nova": (
        distillation_validator,
        CONVERSATIONS,
        ("nova-lite/DISTILLATION", "nova-micro/DISTILLATION"),
    ),
    "SDK, reinforcement": (rft_validator, PROMPTS, (RFT,)),
    "validator, reinforcement": (rft_sample, EQUIPPED, (RFT,)),
}


def our_errors(record: dict[str, Any], model: str) -> set[str]:
    _, result = check(json.dumps(record).encode(), scope=scope_of(model))
    return {id for id in result.counts if BY_ID[id].severity == Severity.ERROR}


def differences(name: str, model: str) -> Iterator[tuple[str, str, str, str]]:
    """Reader, record, its verdict, ours."""
    reader, cases, _ = READERS[name]
    for case, record in cases.items():
        theirs, ours = bool(reader(record)), bool(our_errors(record, model))
        if theirs != ours:
            words = {True: "refused", False: "taken"}
            yield name, case, words[theirs], words[ours]


def decided() -> list[tuple[str, str, str, str, str]]:
    """The rows of the table: reader, record, its verdict, ours, the decision."""
    rows: list[tuple[str, str, str, str, str]] = []
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith("| ") and not line.startswith(("| ---", "| Reader")):
            reader, case, theirs, ours, why = map(str.strip, line.strip("| ").split("|"))
            rows.append((reader, case, theirs, ours, why))
    return rows


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "model"), [(name, model) for name, each in READERS.items() for model in each[2]]
)
def test_every_difference_from_aws_is_decided_and_every_decision_is_a_difference(
    name: str, model: str
) -> None:
    expected = {row[:4] for row in decided() if row[0] == name}
    assert set(differences(name, model)) == expected


def test_every_decision_names_a_source() -> None:
    rows = decided()
    assert rows
    assert {row[0] for row in rows} <= set(READERS)
    for row in rows:
        assert "[" in row[4], row
