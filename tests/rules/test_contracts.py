"""What each model takes and refuses of a record, from examples as people bring them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.report.report import Report
from tests.rules.test_against_aws import (
    CALL,
    RESULT,
    THOUGHT,
    asked,
    called,
    medium,
    prompt,
    talk,
    turn,
)
from tests.support.examples import check, scope_of

RFT = "nova-2-lite/REINFORCEMENT_FINE_TUNING"
NOVAS = ("nova-micro", "nova-lite", "nova-pro")
LLAMAS = ("llama-3-2-11b", "llama-3-2-90b")


def judged(model: str, *records: dict[str, Any], count: int = 1) -> Report:
    """The report on a training manifest of these records, each so many times over."""
    scope = scope_of(model)
    lines = [json.dumps(each) for each in records] * count
    _, result = check("\n".join(lines).encode(), scope=scope)
    return conclude(result, ModelRequirements(base_model=scope.model, dataset=scope.contract))


def found(model: str, record: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Severity, rule and words of each finding about a record."""
    for each in judged(model, record).findings:
        if each.line is not None:
            yield each.severity, each.name, f"{each.message} {each.limit}"


@pytest.mark.parametrize("model", [*NOVAS, "nova-2-lite"])
def test_any_schema_is_taken_for_nova_with_a_warning_that_names_both(model: str) -> None:
    ((severity, name, words),) = found(model, asked(schemaVersion="our-pets-2026"))

    assert (severity, name) == ("warning", "schema-version-disputed")
    assert "Amazon Nova User Guide" in words
    assert "Amazon Nova Forge SDK" in words


@pytest.mark.parametrize("model", [*LLAMAS, "nova-lite/DISTILLATION", "llama-3-3-70b/DISTILLATION"])
def test_the_schema_stays_constant_for_llama_and_distillation(model: str) -> None:
    names = {name for _, name, _ in found(model, asked(schemaVersion="our-pets-2026"))}

    assert names == {"unknown-schema-version"}


def test_reasoning_is_taken_by_the_model_that_learns_it_and_refused_by_name_elsewhere() -> None:
    record = asked(answer=(THOUGHT, "yes"))

    assert list(found("nova-2-lite", record)) == []
    for model in NOVAS:
        ((severity, name, words),) = found(model, record)
        assert (severity, name) == ("error", "block-not-supported")
        assert "Amazon Nova" in words
        assert "accepted by Amazon Nova 2 Lite" in words


@pytest.mark.parametrize("record", [called(), asked(medium("document", "pdf"))])
def test_where_two_guides_differ_about_a_block_the_warning_names_both(
    record: dict[str, Any],
) -> None:
    findings = list(found("nova-2-lite", record))

    assert {each[:2] for each in findings} == {("warning", "block-disputed")}
    assert all("Amazon Nova 2 User Guide" in words for _, _, words in findings)
    assert all("Bedrock User Guide" in words for _, _, words in findings)


@pytest.mark.parametrize("format", ["webp", "webm"])
def test_where_two_guides_differ_about_a_format_the_warning_names_both(format: str) -> None:
    kind = "image" if format == "webp" else "video"
    ((severity, name, words),) = found("nova-2-lite", asked(medium(kind, format)))

    assert (severity, name) == ("warning", "media-format-disputed")
    assert "accepted by Amazon Nova 2 User Guide, not by Bedrock User Guide" in words
    assert list(found("nova-lite", asked(medium(kind, format)))) == []


@pytest.mark.parametrize("model", ["nova-lite", "nova-pro", "nova-2-lite", *LLAMAS])
def test_the_assistant_answers_in_text(model: str) -> None:
    record = talk(turn("user", "draw"), turn("assistant", "here", medium("image", "png")))

    assert [name for _, name, _ in found(model, record)] == ["block-in-wrong-turn"]


@pytest.mark.parametrize("block", [THOUGHT, CALL])
def test_reasoning_and_calls_are_the_assistants(block: dict[str, Any]) -> None:
    assert "block-in-wrong-turn" in {name for _, name, _ in found("nova-2-lite", asked(block))}


@pytest.mark.parametrize(
    "record",
    [
        called(name="other"),
        called(toolUseId="x"),
        talk(
            *(turn("user", "x"), turn("assistant", CALL), turn("user", RESULT)),
            *(turn("assistant", "y"), turn("user", RESULT), turn("assistant", "z")),
            toolConfig=called()["toolConfig"],
        ),
    ],
)
def test_calls_and_results_of_tools_belong_together(record: dict[str, Any]) -> None:
    assert "tool-call-unresolved" in {name for _, name, _ in found("nova-2-lite", record)}


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        ("your-aws-account-id", ["bucket-owner-not-an-account"]),
        ("11112222333", ["bucket-owner-not-an-account"]),
        ("", ["bucket-owner-not-an-account"]),
        ("1111-2222-3333", ["bucket-owner-not-an-account"]),
        ("111122223333", []),
    ],
)
def test_the_owner_of_a_bucket_is_an_account(owner: str, names: list[str]) -> None:
    record = asked(medium("image", "png", bucketOwner=owner))

    assert [name for _, name, _ in found("nova-lite", record)] == names


@pytest.mark.parametrize("word", ["USER:", "uSeR:", "the end-user:", "BOT:", "<UNK>", "[eos]"])
def test_words_that_nova_reserves_are_found_in_any_case(word: str) -> None:
    assert [name for _, name, _ in found("nova-lite", asked(word))] == ["reserved-word"]


def test_claude_reserves_its_words_as_they_are_written() -> None:
    turns = [{"role": "user", "content": "\nhuman: hi"}, {"role": "assistant", "content": "ho"}]

    assert list(found("claude-3-haiku", {"messages": turns})) == []


@pytest.mark.parametrize("model", [*NOVAS, *LLAMAS, "llama-3-1-8b", "claude-3-haiku"])
def test_an_additional_field_is_a_warning_where_aws_ignores_it(model: str) -> None:
    record: dict[str, Any] = asked(source="wiki")
    if model == "llama-3-1-8b":
        record = {"prompt": "hi", "completion": "ho", "source": "wiki"}
    if model == "claude-3-haiku":
        turns = [("user", "hi"), ("assistant", "ho")]
        record = prompt(*turns, source="wiki")

    assert [each[:2] for each in found(model, record)] == [("warning", "ignored-field")]


def test_an_additional_field_is_an_error_where_the_schema_is_closed() -> None:
    names = [each[:2] for each in found("nova-lite/DISTILLATION", asked(source="wiki"))]

    assert names == [("error", "unknown-field")]


def test_a_block_of_a_prompt_for_a_teacher_may_carry_its_type() -> None:
    record = talk(turn("user", {"type": "text", "text": "pet?"}))

    assert list(found("nova-lite/DISTILLATION", record)) == []
    assert [each[1] for each in found("nova-lite", record)] == [
        "ignored-field",
        "last-turn-not-assistant",
    ]


TWICE = talk(turn("user", "x"), turn("assistant", "y"), turn("user", "z"))
PROMPTS = {
    "two user turns": TWICE,
    "two blocks": talk(turn("user", "x", "y")),
    "two system prompts": talk(turn("user", "x"), system=[{"text": "a"}, {"text": "b"}]),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_for_llama_is_one_turn_of_one_block(name: str) -> None:
    names = [each[1] for each in found("llama-3-1-8b/DISTILLATION", PROMPTS[name])]

    assert names == ["too-many-parts"]


@pytest.mark.parametrize("name", ["two user turns", "two blocks"])
def test_a_prompt_for_nova_may_have_more(name: str) -> None:
    assert list(found("nova-lite/DISTILLATION", PROMPTS[name])) == []


def test_a_schema_is_needed_where_a_teacher_answers() -> None:
    record = talk(turn("user", "x"), schemaVersion=None)

    assert [each[:2] for each in found("nova-lite/DISTILLATION", record)] == [
        ("error", "schema-version-required")
    ]


@pytest.mark.parametrize("records", [(3, 3), (5, 1)])
def test_a_dataset_has_images_or_videos(records: tuple[int, int]) -> None:
    images, videos = records
    rows = [asked(medium("image", "png", f"folder/{n}")) for n in range(images)]
    rows += [asked(medium("video", "mp4", f"folder/{n}")) for n in range(videos)]

    assert judged("nova-lite", *rows).counts["images-and-videos-in-dataset"] == 1
    assert "images-and-videos-in-dataset" not in judged("nova-lite", *rows[:images]).counts


def test_few_records_for_nova_2_are_a_warning_that_names_both() -> None:
    (finding,) = (
        each
        for each in judged("nova-2-lite", asked(), count=8).findings
        if each.name == "dataset-size-disputed"
    )

    assert finding.severity == "warning"
    assert "200 (Amazon Nova 2 User Guide" in finding.limit
    assert "8 (Amazon Nova User Guide)" in finding.limit


def test_a_validation_set_for_nova_2_is_refused_with_the_reason() -> None:
    scope, line = scope_of("nova-2-lite", kind="validation"), json.dumps(asked()).encode()
    result = check(line, scope=scope)[1]
    report = conclude(result, ModelRequirements(base_model=scope.model, dataset=scope.contract))
    (finding,) = (each for each in report.findings if each.name == "validation-not-supported")

    assert "not supported during supervised fine-tuning" in finding.limit


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (prompt(("system", "x"), reference_answer="y"), "prompt-without-user"),
        (prompt(("user", "x"), ("system", "y")), "system-prompt-not-first"),
        (prompt(("user", "x"), reference_answer=""), "unusable-reference-answer"),
        (prompt(("user", "x"), reference_answer=[1]), "unusable-reference-answer"),
        (prompt(("user", "x"), reference_answer=True), "unusable-reference-answer"),
        (prompt(("user", "x"), tools=[]), "unusable-tools"),
    ],
)
def test_a_prompt_to_be_graded_is_whole(record: dict[str, Any], name: str) -> None:
    assert [each[1] for each in found(RFT, record)] == [name]


def test_a_prompt_to_be_graded_may_hold_calls_of_tools() -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "roll", "arguments": "{}"}}]
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "roll"}]},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c", "content": "4"},
        {"role": "user", "content": "again"},
    ]

    assert list(found(RFT, {"messages": turns, "reference_answer": "4"})) == []


def test_where_sources_differ_about_prompts_to_be_graded_the_stricter_warns() -> None:
    record = prompt(("user", "USER: x"), reference_answer="y")

    ((severity, name, words),) = found(RFT, record)
    assert (severity, name) == ("warning", "reserved-word-disputed")
    assert (
        "refused by AWS's dataset validator for Amazon Nova, not by Amazon Nova Forge SDK" in words
    )
