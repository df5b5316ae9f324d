"""Records of every tool, spelled in every way; `python -m tests.dataset.talks.records` writes what
they say, and how it is written in each format, into records.txt.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.dataset.talks.chunks import chunks
from bedrock_tuning.dataset.talks.names import (
    ANSWERS,
    DOCUMENTS,
    PROMPTS,
    ROLES,
    SPLITS,
    SYSTEM,
    TALKS,
    WRAPPERS,
)
from bedrock_tuning.dataset.talks.nested import questions_of
from bedrock_tuning.dataset.talks.read import read_talk
from bedrock_tuning.dataset.talks.talk import Talk, Turn, UnfitError
from bedrock_tuning.dataset.talks.write import FORMATS, PlacedImage, write_talk
from tests.dataset.talks.test_read import MORE, PLAIN, A, Q, chat
from tests.dataset.talks.test_templates import LINES
from tests.dataset.test_foreign import IMAGES, RECORDS

RECORDS_TXT: Final = Path(__file__).with_name("records.txt")
_CHOICES: Final = ["sun", "moon", "star"]


def _asked(**more: Any) -> dict[str, Any]:
    return {"question": Q, "choices": _CHOICES, **more}


def _said(content: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content, **more}, *chat(A, first="assistant")]}


def _spelled() -> Iterator[Mapping[str, Any]]:
    """The names that people give to the same things, and which of two counts."""
    for one, other in zip(PROMPTS, [*PROMPTS[1:], "question"], strict=True):
        yield {other: "second", one: "first", "completion": A}
    for one, other in zip(ANSWERS, [*ANSWERS[1:], "label"], strict=True):
        yield {"prompt": Q, other: "second", one: "first"}
    for one, other in zip(DOCUMENTS, [*DOCUMENTS[1:], "id"], strict=True):
        yield {other: "second", one: "first"}
    for one, other in zip(TALKS, [*TALKS[1:], "id"], strict=True):
        yield {other: chat("x", "y"), one: chat(Q, A)}
    yield {"messages": [{"role": role, "content": role} for role in ("user", *ROLES, "x", *SYSTEM)]}
    yield {"messages": [{"from": f" {role.upper()} ", "value": role} for role in ("user", *ROLES)]}
    for name in WRAPPERS:
        yield {name: {"messages": chat(Q, A), "id": 1}, "id": 1, "x": []}
    yield {
        "prompt": Q,
        "completion": A,
        "id": 1,
        **dict.fromkeys(SPLITS, "train"),
        "x": {},
        "y": "",
    }
    yield {"PROMPT": Q, "Completion": A, "System": "x"}
    yield {"prompt": Q, "completion": A, "system": "Be kind."}
    yield {"prompt": "", "input": Q, "completion": [], "output": A}
    yield {"prompt": Q, "completion": None}
    yield {"CLASS": A, "Text": Q}
    yield {"Text": Q, "n": 1}
    yield {"question": Q, "answer": {"value": A, "aliases": ["x"]}}
    yield {"question": Q, "passage": "Long ago.", "answer": True}
    yield {"passage": Q, "answer": A}
    for beside in ("content", "body"):
        # What stands beside a document asks nothing.
        yield {"title": "x", "question": Q, beside: "Long ago."}
    yield {"instruction": Q, "input": "It barks."}
    yield {"inputText": Q, "textGenerationConfig": {"n": 1}}
    yield {"inputs": [1], "targets": [2], "inputs_pretokenized": Q, "targets_pretokenized": A}


def _chats() -> Iterator[Mapping[str, Any]]:
    """Chats and what may stand in a turn."""
    yield {"messages": chat(Q), "reference_answer": {"a": "ü"}}
    yield {"conversations": [Q, A]}
    yield {"conversations": [Q]}
    yield {"conversation": [{"input": Q, "output": A}, {"input": "And a cat?", "output": A}]}
    yield {"chat": [{"human": Q, "assistant": A}]}
    yield {"system": "Be kind.", "chat": f"USER: {Q}\n\n\nASSISTANT: {A} <|endoftext|>"}
    yield {"topic": "x", "input": f"[|Human|] {Q} [|AI|] {A}"}
    yield {"messages": chat(Q, A), "reference_answer": "another"}
    yield {"messages": [], "reference_answer": A}
    yield {"messages": chat(Q, A), "image": "1.png"}
    yield {"messages": [{"role": "system", "content": "x"}, *chat(Q, A)], "images": ["1", "2"]}
    yield {"messages": chat(A, first="assistant"), "images": ["1"]}
    yield {"messages": [*chat(Q), "x", 7, *chat(A, first="assistant")], "model": "m", "n": 1}
    yield {"messages": [*chat(Q), *chat(A, first="tool"), *chat(A, first="assistant")]}
    yield {"messages": [{"role": "user"}, *chat(Q, A)], "system": [{"text": "a"}, {"text": "b"}]}
    yield {
        "messages": [*chat(Q), *chat("more"), *chat(A, A, first="assistant", second="assistant")]
    }
    thought = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}
    yield {"messages": chat([{"text": Q}], [thought, thought, {"text": A}], [], [thought])}
    yield {
        "messages": chat(
            Q, [{"reasoningContent": {}}, {"reasoningContent": {"reasoningText": {}}}, A]
        )
    }
    for content in (
        *("<image> what ", True, False, 7, 1.5, None, {"text": Q}, [Q, " and ", {"text": "more"}]),
        *([7, None, {"type": "audio"}, {"x": 1}, {}], [{"type": "text"}], ["", {"text": ""}, "x"]),
    ):
        yield _said(content)
    place = {"s3Location": {"uri": "s3://b/1.png"}}
    for image in (
        *({"image_url": "1.png"}, {"image_url": {"url": "1.png"}}, {"image": "1.png"}),
        *({"image": {"format": "png", "source": place}}, {"image": {"source": {"bytes": "x"}}}),
        *(
            {"fileData": {"fileUri": "gs://1", "mimeType": "x"}},
            {"file_data": {"file_uri": "gs://1"}},
        ),
        *({"inlineData": {"mimeType": "image/png", "data": "AA"}}, {"inline_data": {"data": "AA"}}),
        {"inlineData": {"mime_type": "image/gif", "media_type": "image/png", "data": "AA"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
        *(
            {"type": "image", "source": {"type": "url", "url": "1"}},
            {"type": "image", "source": "1"},
        ),
        *({"type": "pdf", "source": {"url": "1"}}, {"image": {"path": "1.png"}}, {"image": 7}),
        *({"image": {"uri": 7, "path": "1"}}, {"image": {}}, {"image_url": 1, "image": "2"}),
    ):
        yield _said([image, {"text": Q}])
    yield _said(Q, images=["1", {"url": "2"}], refusal="x", candidates=[], name="x", tool_calls=[])
    for system in ("x", {"parts": [{"text": "x"}]}, {"parts": "x"}, 7):
        yield {"contents": PLAIN["vertex"]["contents"], "system_instruction": system}
    yield {"contents": [{"parts": [{"text": Q}]}, {"role": "model", "parts": [{"text": A}]}, "x"]}
    yield {"contents": "x"}


def _others() -> Iterator[Mapping[str, Any]]:
    """Preferences, logs, instructions, questions with a context or with choices."""
    better = {"preferenceLabel": "Preferred", "content": A}
    for label in ("chosen", "1", "preferred", "0"):
        candidates = [{"content": "x"}, {"content": "y", "preferenceLabel": label}, better]
        yield {"messages": [*chat(Q), {"role": "assistant", "candidates": candidates}], "id": 1}
    yield {"messages": [*chat(Q), {"role": "assistant", "candidates": "x", "content": A}]}
    for prompt in (Q, chat(Q), {"x": 1}, None):
        yield {"prompt": prompt, "chosen": A, "rejected": "x", "id": 1}
    yield {"question": Q, "chosen": chat(A, first="assistant"), "rejected": []}
    yield {"prompt": "x", "chosen": chat(Q, A), "rejected": []}
    yield {"chosen": A}
    message = {"message": {"content": [{"text": A}]}}
    body = {"messages": chat([{"text": Q}]), "anthropic_version": "x", "max_tokens": 9}
    for output in (
        message,
        {"content": A},
        {"output": message},
        {"output": "x"},
        {},
        {"message": 7},
    ):
        yield {"modelInput": body, "modelOutput": output, "recordId": "1"}
    log = {"inputBodyJson": body}
    yield {"input": log, "output": {"outputBodyJson": {"output": message}}, "schemaType": "x"}
    yield {"input": log, "output": "x"}
    yield {"input": log, "output": {}}
    for name in ("output", "response", "completion", "answer"):
        yield {
            "instruction": Q,
            "input": "more",
            "context": "most",
            "system": "x",
            name: A,
            "id": 1,
        }
    yield {
        "instruction": Q,
        "input": " ",
        "context": 7,
        "output": A,
        "history": [["a", "b"], "x", ["c"]],
    }
    yield {"instruction": 7, "output": A}
    yield {"instruction": Q}
    for answers in (
        {"text": [A, "x"]},
        [A],
        ["", A],
        [{"text": A}],
        {"text": []},
        [],
        "x",
        {"text": A},
    ):
        yield {"question": Q, "context": "Long ago.", "answers": answers, "id": 1}
    for answer in (0, 2, 3, -1, "1", " 2 ", "B", "sun", "x", True, None, 1.0):
        yield _asked(answer=answer)
    for name in ("answerKey", "answer_idx", "label", "correct", "target"):
        yield _asked(**{name: "A", "id": 1})
    yield {"prompt": Q, "options": {"1": "sun", "2": "moon"}, "answer": "2"}
    yield {"query": Q, "endings": [{"text": "sun"}, 7], "label": 1, "system": "x"}
    yield _asked(choices={"text": _CHOICES}, answer="C")
    yield _asked(choices={"text": _CHOICES, "label": [1, 2, 3]}, answer="2")
    yield _asked(choices="x", answer="x")
    yield {"choices": _CHOICES, "answer": 1}
    for name in ("text", "prompt", "content", "conversation", "input"):
        yield {name: LINES[0], "system": "x", "id": 1}
    for name in ("completion", "response", "output"):
        yield {
            "prompt": "Human: Hi\n\nAssistant:",
            name: " Ho\n\nHuman: No\n\nAssistant: Yes",
            "id": 1,
        }
    for mark in (
        *("<|im_start|> {}\n{}<|im_end|>", "<|{}|>{}<|end|>", "<start_of_turn>{}\n{}<eos>"),
        *(
            "### {}:\n{}</s>",
            "## {}\n{}",
            "# {}:\n{}",
            "<|start_header_id|>{}<|end_header_id|>{}<|endoftext|>",
        ),
    ):
        yield {"text": "".join(mark.format(role, role) for role in ("user", "assistant", "system"))}
    for role in ("Instruction", "Input", "Context", "User", "Human", "System", "Tool"):
        for answer in ("Response", "Output", "Assistant"):
            yield {"text": f"### {role}: {Q}\n### {answer}: {A}"}
    yield {"text": "[INST] a [/INST] b</s>[INST] <<SYS>>c<</SYS>> d [/INST] e"}
    yield {"text": "[INST] a [/INST]"}
    yield {"text": "\n\nHuman: a\n\nAssistant:\n\nHuman: b"}
    yield {"text": "Human: a\n\nAssistant: b\n\nSystem: c"}
    yield {"text": "a\nHuman: b\nAssistant: c"}
    yield {"text": 7}
    yield {"document": [1]}


def _nested() -> Iterator[Mapping[str, Any]]:
    pair = {"question": Q, "answers": [A]}
    yield {
        "title": "a",
        "paragraphs": [{"context": "b", "qas": [pair, pair]}, {"context": "c", "qas": []}],
    }
    yield {"context": "a", "qa_pairs": [pair], "id": 1}
    yield {"qas": [pair, "x"], "qa_pairs": [pair]}
    yield {"qas": "x", "question": Q, "answer": A}
    yield {"translation": {"de": "Hund", "en": "dog"}}
    yield {"translation": {"de": "Hund"}, "prompt": Q, "completion": A}
    yield {"translation": {"de": "Hund", "en": "dog", "fr": "chien"}}
    told = [{"input_text": "b"}, "c", {"x": 1}]
    yield {"story": "a", "questions": ["1", {"input_text": "2"}, 3], "answers": told}
    yield {"story": "a", "questions": [], "answers": []}
    yield {"story": 7, "questions": [1], "answers": [1]}
    yield {"story": "a", "questions": ["1"], "answers": "x"}


_WRITTEN: Final = {
    "a pair": Talk(turns=(Turn(role="user", text=Q), Turn(role="assistant", text=A))),
    "a pair with a system prompt": Talk(
        turns=(Turn(role="user", text=Q), Turn(role="assistant", text=A)), system="Be kind."
    ),
    "four turns": Talk(
        turns=(Turn(role="user", text=Q), Turn(role="assistant", text=A)) * 2, system="Be kind."
    ),
    "a picture and a thought": Talk(
        turns=(
            Turn(role="user", text=Q, images=("1.png", "2.png")),
            Turn(role="assistant", text=A, reasoning="Hm."),
        )
    ),
    "a picture alone": Talk(
        turns=(Turn(role="user", text="", images=("1.png",)), Turn(role="assistant", text=A))
    ),
    "a picture in the answer": Talk(
        turns=(Turn(role="user", text=Q), Turn(role="assistant", text=A, images=("1.png",)))
    ),
    "no answer": Talk(turns=(Turn(role="user", text=Q),)),
    "a document": Talk(document=A),
}


def _read(record: Mapping[str, Any], **options: Any) -> str:
    try:
        known = read_talk(record, **options)
    except UnfitError as error:
        return f"unfit: {error}"
    if known is None:
        return "in no known form"
    talk = known.talk
    turns = [
        f"{turn.role}: {turn.text!r}"
        + (f" with {list(turn.images)}" if turn.images else "")
        + (f" after {turn.reasoning!r}" if turn.reasoning else "")
        for turn in talk.turns
    ]
    system = [f"system: {talk.system!r}"] if talk.system else []
    document = [f"document: {talk.document!r}"] if talk.document else []
    lost = [f"lost: {', '.join(talk.lost)}"] if talk.lost else []
    return f"{known.form} | {' | '.join([*system, *turns, *document, *lost])}"


def written() -> str:
    """What all records say, and how it is written."""
    lines: list[str] = []
    known = [*PLAIN.values(), *(record for record, _ in MORE.values())]
    known += [record for _, record in (*RECORDS, *IMAGES)]
    known += [{"text": text} for text in LINES]
    for record in (*known, *_spelled(), *_chats(), *_others()):
        lines += [json.dumps(record, ensure_ascii=False), f"  {_read(record)}"]
        if "text" in record and _read(record, marked=False) != _read(record):
            lines.append(f"  without marks: {_read(record, marked=False)}")
    for record in _nested():
        lines.append(json.dumps(record, ensure_ascii=False))
        lines += [f"  {json.dumps(each, ensure_ascii=False)}" for each in questions_of(record)]
    for name, talk in _WRITTEN.items():
        lines.append(name)
        for format in FORMATS:
            try:
                record = write_talk(
                    talk, format, keep=lambda image: PlacedImage("png", f"s3://{image}")
                )
                lines.append(f"  {format}: {json.dumps(record, ensure_ascii=False)}")
            except UnfitError as error:
                lines.append(f"  {format}: unfit: {error}")
    text = "One two. Three!  Four five six?\nSeven eight\n\n nine ten 。eleven twelve thirteen"
    lines += [
        f"{most}: {list(chunks(text, most=most))}" for most in (*range(1, 40), 77, 78, 79, 80)
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    RECORDS_TXT.write_text(written(), "utf-8")
