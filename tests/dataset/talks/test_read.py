"""Records of other tools say the same in our form, and what has no place is named."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.dataset.talks.read import read_talk
from bedrock_tuning.dataset.talks.talk import Talk, Turn, UnfitError
from bedrock_tuning.dataset.talks.write import FORMATS, PlacedImage, write_talk
from tests.support.properties import examples

Q, A = "What is a dog?", "An animal."
ASKED: tuple[Turn, ...] = (Turn(role="user", text=Q), Turn(role="assistant", text=A))


def chat(*contents: Any, first: str = "user", second: str = "assistant") -> list[dict[str, Any]]:
    return [
        {"role": second if n % 2 else first, "content": content}
        for n, content in enumerate(contents)
    ]


def block(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]


def candidate(text: str, label: str) -> dict[str, Any]:
    return {"content": [{"text": text}], "preferenceLabel": label}


PLAIN: Mapping[str, Mapping[str, Any]] = {
    "alpaca": {"instruction": Q, "input": "", "output": A},
    "dolly": {"instruction": Q, "context": "", "response": A},
    "openai": {"messages": chat(Q, A)},
    "openai-blocks": {"messages": chat(block(Q), block(A))},
    "converse": {"messages": chat([{"text": Q}], [{"text": A}])},
    "sharegpt": {"conversations": [{"from": "human", "value": Q}, {"from": "gpt", "value": A}]},
    "vertex": {
        "contents": [
            {"role": "user", "parts": [{"text": Q}]},
            {"role": "model", "parts": [{"text": A}]},
        ]
    },
    "gemini-pair": {"text_input": Q, "output": A},
    "prompt-completion": {"prompt": Q, "completion": A},
    "prompt-response-in-capitals": {"Prompt": Q, "Response": A},
    "question-answer": {"question": Q, "answer": A},
    "input-output": {"input": Q, "output": A},
    "article-highlights": {"article": Q, "highlights": A},
    "text-label": {"text": Q, "label": A},
    "rft": {"messages": chat(Q), "reference_answer": A},
    "rft-of-openai": {"messages": chat(Q), "answer": A},
    "batch-inference": {"modelInput": {"messages": chat([{"text": Q}], [{"text": A}])}},
    "openai-batch": {"body": {"model": "x", "messages": chat(Q, A)}},
    "invocation-log": {
        "schemaType": "ModelInvocationLog",
        "input": {"inputBodyJson": {"messages": chat([{"text": Q}])}},
        "output": {"outputBodyJson": {"output": {"message": {"content": [{"text": A}]}}}},
    },
    "dialog": {"dialog": chat(Q, A)},
    "dpo-chat": {"chosen": chat(Q, A), "rejected": []},
    "problem-solution": {"problem": Q, "solution": A},
    "langfuse": {
        "input": {"messages": chat(Q)},
        "expectedOutput": {"role": "assistant", "content": A},
    },
    "langfuse-texts": {"input": Q, "expectedOutput": A},
    "langsmith": {
        "inputs": {"messages": chat(Q)},
        "outputs": {"choices": [{"message": {"role": "assistant", "content": A}}]},
    },
    "langsmith-text": {"inputs": {"messages": chat(Q)}, "outputs": A},
    "langchain": {
        "messages": [
            {"type": "human", "data": {"content": Q}},
            {"type": "ai", "data": {"content": A}},
        ]
    },
    "langchain-flat": {"messages": [{"type": "human", "content": Q}, {"type": "ai", "content": A}]},
    "claude-export": {
        "chat_messages": [{"sender": "human", "text": Q}, {"sender": "assistant", "text": A}]
    },
    "chatgpt-messages": {
        "messages": [
            {"author": {"role": "user"}, "content": Q},
            {"author": {"role": "assistant"}, "content": A},
        ]
    },
    "prodigy": {"prompt": Q, "completion": A, "answer": "accept", "_task_hash": 1},
    "japanese": {"質問": Q, "回答": A},
    "chinese": {"问题": Q, "答案": A},
    "russian": {"Вопрос": Q, "Ответ": A},
    "korean": {"질문": Q, "답변": A},
    "arabic": {"سؤال": Q, "جواب": A},
    "polish": {"Pytanie": Q, "Odpowiedź": A},
    "deepseek": {"text": f"<｜User｜>{Q}<｜Assistant｜>{A}<｜end▁of▁sentence｜>"},
    "vicuna": {"text": f"USER: {Q} ASSISTANT: {A}</s>"},
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_question_and_its_answer_are_the_same_everywhere(name: str) -> None:
    known = read_talk(PLAIN[name])
    assert known is not None
    assert known.talk == Talk(turns=ASKED)


MORE: Mapping[str, tuple[Mapping[str, Any], Talk]] = {
    "context-behind-the-instruction": (
        {"instruction": Q, "context": "Dogs bark.", "response": A, "category": "closed_qa"},
        Talk(turns=(Turn(role="user", text=f"{Q}\n\nDogs bark."), ASKED[1]), lost=("category",)),
    ),
    "history": (
        {"instruction": "And?", "output": "A cat.", "history": [[Q, A]]},
        Talk(
            turns=(*ASKED, Turn(role="user", text="And?"), Turn(role="assistant", text="A cat."))
        ),
    ),
    "system-turn": (
        {"messages": [{"role": "developer", "content": "Be brief."}, *chat(Q, A)]},
        Talk(turns=ASKED, system="Be brief."),
    ),
    "system-beside": (
        {"system": [{"text": "Be brief."}], "messages": chat([{"text": Q}], [{"text": A}])},
        Talk(turns=ASKED, system="Be brief."),
    ),
    "system-of-vertex": (
        {"systemInstruction": {"parts": [{"text": "Be brief."}]}, **PLAIN["vertex"]},
        Talk(turns=ASKED, system="Be brief."),
    ),
    "nova-dpo": (
        {
            "messages": [
                *chat([{"text": Q}]),
                {
                    "role": "assistant",
                    "candidates": [candidate("No.", "non-preferred"), candidate(A, "preferred")],
                },
            ]
        },
        Talk(turns=ASKED, lost=("answers that were not preferred",)),
    ),
    "dpo-columns": (
        {"prompt": Q, "chosen": A, "rejected": "No."},
        Talk(turns=ASKED, lost=("rejected",)),
    ),
    "squad": (
        {"id": "7", "context": "Dogs are animals.", "question": Q, "answers": {"text": [A, "x"]}},
        Talk(
            turns=(Turn(role="user", text=f"Dogs are animals.\n\n{Q}"), ASKED[1]), lost=("id",)
        ),
    ),
    "tools": (
        {
            "messages": [
                *chat(Q),
                {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
                {"role": "tool", "content": "42", "tool_call_id": "1"},
                {"role": "assistant", "content": A, "weight": 1},
            ],
            "tools": [{"type": "function"}],
        },
        Talk(
            turns=ASKED,
            lost=("tools", "tool_calls", "tool_call_id", "tool calls and their results", "weight"),
        ),
    ),
    "pictures": (
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                        *block(Q),
                    ],
                },
                *chat(A, first="assistant"),
            ]
        },
        Talk(turns=(Turn(role="user", text=Q, images=("data:image/png;base64,AA==",)), ASKED[1])),
    ),
    "pictures-beside": (
        {"image": "1.jpg", "conversations": [
            {"from": "human", "value": f"<image>\n{Q}"}, {"from": "gpt", "value": A}]},
        Talk(turns=(Turn(role="user", text=Q, images=("1.jpg",)), ASKED[1])),
    ),
    "pictures-as-objects": (
        {"images": [{"path": "1.jpg", "bytes": None}, {"url": "2.jpg"}, {"bytes": "AA=="}],
         "messages": chat(Q, A)},
        Talk(turns=(
            Turn(role="user", text=Q, images=("1.jpg", "2.jpg", "data:image;base64,AA==")),
            ASKED[1],
        )),
    ),
    "pictures-of-converse": (
        {"messages": chat(
            [{"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/1.png"}}}},
             {"text": Q}], [{"text": A}])},
        Talk(turns=(Turn(role="user", text=Q, images=("s3://b/1.png",)), ASKED[1])),
    ),
    "reasoning": (
        {"messages": chat([{"text": Q}], [
            {"reasoningContent": {"reasoningText": {"text": "Hm."}}}, {"text": A}])},
        Talk(turns=(ASKED[0], Turn(role="assistant", text=A, reasoning="Hm."))),
    ),
    "two-turns-of-one-side": (
        {"messages": [*chat(Q), *chat("Please.")  , *chat(A, first="assistant")]},
        Talk(turns=(Turn(role="user", text=f"{Q}\n\nPlease."), ASKED[1])),
    ),
    "context-of-a-pair": (
        {"question": Q, "context": "Dogs bark.", "answer": A},
        Talk(turns=(Turn(role="user", text=f"Dogs bark.\n\n{Q}"), ASKED[1])),
    ),
    "history-of-a-pair": (
        {"query": "And?", "response": "A cat.", "history": [[Q, A]], "system": "Be brief."},
        Talk(
            turns=(*ASKED, Turn(role="user", text="And?"), Turn(role="assistant", text="A cat.")),
            system="Be brief.",
        ),
    ),
    "pictures-beside-a-pair": (
        {"query": f"<image>{Q}", "response": A, "images": ["1.jpg"]},
        Talk(turns=(Turn(role="user", text=Q, images=("1.jpg",)), ASKED[1])),
    ),
    "reasoning-beside-a-pair": (
        {"question": Q, "reasoning": "Hm.", "answer": A},
        Talk(turns=(ASKED[0], Turn(role="assistant", text=A, reasoning="Hm."))),
    ),
    "reasoning-beside-a-turn": (
        {"messages": [*chat(Q), {"role": "assistant", "content": A, "reasoning_content": "Hm."}]},
        Talk(turns=(ASKED[0], Turn(role="assistant", text=A, reasoning="Hm."))),
    ),
    "system-prompt": (
        {"system_prompt": "Be brief.", "question": Q, "response": A},
        Talk(turns=ASKED, system="Be brief."),
    ),
    "dpo-with-system": (
        {"system": "Be brief.", "question": Q, "chosen": A, "rejected": "x"},
        Talk(turns=ASKED, system="Be brief.", lost=("rejected",)),
    ),
    "preferences-of-openai": (
        {"input": {"messages": chat(Q), "tools": []},
         "preferred_output": chat(A, first="assistant"), "non_preferred_output": []},
        Talk(turns=ASKED),
    ),
    **{
        f"answer-of-{name}": ({"modelInput": {"inputText": Q}, "modelOutput": body},
                              Talk(turns=ASKED))
        for name, body in {
            "titan": {"results": [{"outputText": A}]},
            "llama": {"generation": A, "stop_reason": "stop"},
            "mistral": {"outputs": [{"text": A}]},
            "cohere": {"generations": [{"text": A}]},
            "openai": {"choices": [{"message": {"role": "assistant", "content": A}}]},
            "old-claude": {"completion": A},
        }.items()
    },
    "marks-of-a-prompt": (
        {"modelInput": {"prompt": f"[INST] {Q} [/INST]"}, "modelOutput": {"generation": A}},
        Talk(turns=ASKED),
    ),
    "turns-without-roles": ({"id": "1", "data": [Q, A]}, Talk(turns=ASKED, lost=("id",))),
    "evaluation-of-knowledge": (
        {"conversationTurns": [{"prompt": {"content": [{"text": Q}]},
                                "referenceResponses": [{"content": [{"text": A}]}]}]},
        Talk(turns=ASKED),
    ),
    "prompt-for-a-grader": (
        {"data_source": "x", "prompt": chat(Q), "reward_model": {"ground_truth": A}},
        Talk(turns=ASKED, lost=("data_source",)),
    ),
    "two-sides": (
        {"inputs": {"question": Q}, "outputs": {"answer": A}, "id": 1},
        Talk(turns=ASKED, lost=("id",)),
    ),
    "two-sides-with-one-name": (
        {"input": {"text": Q}, "output": {"text": A}},
        Talk(turns=ASKED),
    ),
    "context-that-is-no-text": (
        {"question": Q, "context": {"title": ["Dogs"]}, "history": "none", "answer": A},
        Talk(turns=ASKED, lost=("context", "history")),
    ),
    "input-that-is-no-text": (
        {"instruction": Q, "input": ["x"], "history": "none", "output": A},
        Talk(turns=ASKED, lost=("input", "history")),
    ),
    "answer-beside-an-answer": (
        {"messages": chat(Q, A), "answer": "42"},
        Talk(turns=ASKED, lost=("answer",)),
    ),
    "two-sides-of-turns": (
        {"input": chat(block(Q)), "output": chat(block(A), first="assistant")},
        Talk(turns=ASKED),
    ),
    "authors": (
        {"messages": [{"author": "user", "content": Q}, {"author": "bot", "content": A}]},
        Talk(turns=ASKED),
    ),
    "evaluation": ({"prompt": Q, "referenceResponse": A}, Talk(turns=ASKED)),
    "document": ({"text": A, "url": "https://x.org"}, Talk(document=A, lost=("url",))),
    "text-with-its-source": ({"text": A, "source": "web"}, Talk(document=A, lost=("source",))),
    "article-with-its-source": (
        {"source": "news", "article": Q, "summary": A},
        Talk(turns=ASKED, lost=("source",)),
    ),
    "input-alone": ({"input": A}, Talk(document=A)),
}  # fmt: skip


@pytest.mark.parametrize("name", MORE)
def test_what_a_record_has_beside_them_is_kept_or_named(name: str) -> None:
    record, talk = MORE[name]
    known = read_talk(record)
    assert known is not None
    assert known.talk == talk


def test_who_wrote_a_text_is_no_question() -> None:
    known = read_talk({"type": "message", "user": "U1", "text": A})
    assert known is not None
    assert known.talk.document == A


def test_a_record_of_no_known_format_is_none() -> None:
    assert read_talk({"a": 1, "b": "two"}) is None


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"messages": chat(A, first="assistant")}, "begins with an answer"),
        ({"prompt": Q, "completion": A, "label": False}, "marked as a bad one"),
        ({"messages": chat("")}, "has no text"),
        ({"messages": []}, "has no text"),
        ({"messages": chat(Q, A), "images": [{"width": 3}]}, "an image of it says no place"),
        ({"messages": chat([{"image": {}}, {"text": Q}], A)}, "an image of it says no place"),
    ],
)
def test_a_broken_conversation_says_why(record: Mapping[str, Any], words: str) -> None:
    with pytest.raises(UnfitError, match=words):
        read_talk(record)


TEXTS = st.sampled_from(["", "user", "gpt", "human", "a text", "1.jpg", "preferred", "0"])
NAMES = st.sampled_from(
    [
        "messages",
        "conversations",
        "role",
        "from",
        "content",
        "value",
        "text",
        "prompt",
        "completion",
        "instruction",
        "output",
        "chosen",
        "rejected",
        "candidates",
        "preferenceLabel",
        "contents",
        "parts",
        "systemInstruction",
        "system",
        "image",
        "images",
        "image_url",
        "source",
        "history",
        "context",
        "question",
        "answers",
        "modelInput",
        "body",
        "input",
        "type",
        "data",
        "inputBodyJson",
        "outputBodyJson",
        "reasoningContent",
        "reasoningText",
        "reference_answer",
        "label",
    ]
)
VALUES = st.recursive(
    TEXTS | st.none() | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@examples(300)
@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_no_record_at_all_is_too_much(record: dict[str, Any]) -> None:
    with suppress(UnfitError):
        known = read_talk(record)
        if known is not None:
            for format in FORMATS:
                with suppress(UnfitError):
                    write_talk(known.talk, format, keep=lambda image: PlacedImage("png", image))


def test_reasoning_in_the_tags_of_open_models_is_reasoning() -> None:
    known = read_talk({"messages": chat(Q, f"<think>\nIt barks.\n</think>\n{A}")})
    assert known is not None
    assert known.talk.turns[1] == Turn(role="assistant", text=A, reasoning="It barks.")


@pytest.mark.parametrize("clicked", ["reject", "ignore"])
def test_what_an_annotator_rejected_teaches_nothing(clicked: str) -> None:
    with pytest.raises(UnfitError, match="rejected"):
        read_talk({"prompt": Q, "completion": A, "answer": clicked, "_task_hash": 1})
