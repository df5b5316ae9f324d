"""Formats of other tools: one finding names the format and the command that converts it."""

import gzip
import io
import json
import tarfile
import zipfile
from typing import Any

import pytest

from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.manifest import ManifestCheck
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.dataset.foreign import (
    UNKNOWN,
    command_for,
    foreign_format,
    why_not_converted,
)
from bedrock_tuning.rules.finding import Finding, Heard
from tests.support.examples import scope_of

NOVA = "nova-lite"
CONVERT = "tuning prepare FILE --to-format converse -m nova-lite -o OUT"
TALK = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "ho"}]
PARTIES = ("user", "model")
CHAT = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
PARTS = [
    {"type": "text", "text": "what is it"},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
]
PICTURE = {"type": "image", "source": {"type": "base64", "data": "AAAA"}}
LAST = {
    "role": "assistant",
    "candidates": [{"content": [{"text": "a"}], "preferenceLabel": "preferred"}],
}

# What people call it, and a record of it; all of them are texts.
RECORDS: list[tuple[str, dict[str, Any]]] = [
    ("Dolly", {"instruction": "when", "context": "", "response": "1990", "category": "qa"}),
    ("Dolly", {"Instruction": "when", "Response": "1990"}),
    ("Alpaca", {"instruction": "when", "input": "", "output": "1990"}),
    ("Alpaca", {"instruction": "when", "output": "1990", "text": "all of it"}),
    ("ShareGPT", {"conversations": TALK}),
    ("ShareGPT", {"id": "1", "system": "be kind", "conversations": TALK}),
    ("LLaVA", {"id": "1", "image": "1.jpg", "conversations": TALK}),
    ("OpenAI chat", {"messages": CHAT}),
    ("OpenAI chat", {"messages": [{"role": "system", "content": "be kind"}, *CHAT]}),
    ("OpenAI chat with pictures", {"messages": [{"role": "user", "content": PARTS}, CHAT[1]]}),
    ("OpenAI chat with tools", {"messages": CHAT, "functions": []}),
    ("Anthropic Messages", {"messages": [{"role": "user", "content": [PICTURE]}, CHAT[1]]}),
    ("Vertex AI", {"contents": [{"role": each, "parts": [{"text": "hi"}]} for each in PARTIES]}),
    ("Vertex AI", {"systemInstruction": {}, "contents": [{"role": "user", "parts": []}]}),
    ("Vertex AI", {"input_text": "hi", "output_text": "ho"}),
    ("Gemini", {"text_input": "hi", "output": "ho"}),
    ("Nova DPO", {"messages": [{"role": "user", "content": [{"text": "hi"}]}, LAST]}),
    ("DPO", {"prompt": "hi", "chosen": "ho", "rejected": "no"}),
    ("prompt and completion", {"prompt": "hi", "completion": "ho"}),
    ("prompt and response", {"prompt": "hi", "response": "ho"}),
    ("question and answer", {"question": "hi", "answer": "ho"}),
    ("question and answer", {"Question": "hi", "Answer": "ho", "id": 7}),
    ("query and response", {"query": "hi", "response": "ho"}),
    ("input and output", {"input": "hi", "output": "ho"}),
    ("text and label", {"text": "hi", "label": 1}),
    ("SQuAD", {"context": "a", "question": "b", "answers": {"text": ["c"]}}),
    ("SQuAD (a document", {"title": "a", "paragraphs": [{"context": "b", "qas": []}]}),
    ("SQuAD (one object", {"version": "1.1", "data": [{"title": "a", "paragraphs": []}]}),
    ("questions with choices", {"question": "a", "choices": ["b", "c"], "answer": 1}),
    ("one text with the marks", {"text": "<s>[INST] Hi [/INST] Hello </s>"}),
    ("one object with a list for each split", {"train": [{"input": "a", "output": "b"}]}),
    ("MRQA", {"context": "a", "qas": [{"question": "b", "answers": ["c"]}]}),
    ("CoQA", {"story": "a", "questions": [], "answers": []}),
    ("article and highlights", {"article": "long", "highlights": "short", "id": "1"}),
    ("a conversation (dialog)", {"dialog": CHAT}),
    ("Bedrock batch inference", {"recordId": "1", "modelInput": {}, "modelOutput": {}}),
    ("Bedrock invocation logs", {"schemaType": "ModelInvocationLog", "input": {}, "output": {}}),
    ("OpenAI batch", {"custom_id": "1", "method": "POST", "url": "/v1", "body": {}}),
    ("InvokeModel for Claude", {"anthropic_version": "bedrock-2023-05-31", "messages": CHAT}),
]
IMAGES: list[tuple[str, dict[str, Any]]] = [
    ("COCO", {"images": [{"id": 1}], "annotations": [{"image_id": 1, "caption": "a"}]}),
    ("Hugging Face", {"file_name": "1.jpg", "text": "a dog"}),
    ("SageMaker Ground Truth", {"source-ref": "s3://b/1.jpg", "label": 0, "label-metadata": {}}),
    ("Label Studio", {"id": 1, "data": {"image": "1.jpg"}, "annotations": []}),
    ("Roboflow", {"image": "1.jpg", "prefix": "what", "suffix": "a dog"}),
    ("open_clip", {"filepath": "1.jpg", "title": "a dog"}),
]


def findings(model: str, data: bytes, *, step: int = 1 << 20) -> tuple[list[Finding], int]:
    """All findings about a manifest that arrives in pieces, and its records."""
    scope = scope_of(model)
    running = ManifestCheck(scope)
    for start in range(0, len(data), step):
        running.feed(data[start : start + step])
    _, result = running.finish()
    report = conclude(result, ModelRequirements(base_model=scope.model, dataset=scope.contract))
    return report.findings, report.records


@pytest.mark.parametrize("names", [("text",), ("input",), ("image", "text"), ("image", "caption")])
def test_what_a_record_of_few_fields_is_depends_on_its_having_no_others(names: Any) -> None:
    record = dict.fromkeys(names, "x")
    assert foreign_format(record, "prompt-completion") is not None
    assert foreign_format({**record, "language": "en"}, "input-only") in (None, UNKNOWN)


TABLES = "a table of web addresses of images"
LISTS = ("dialog", "dialogue", "conversation", "chat", "turns")


@pytest.mark.parametrize(
    ("record", "name"),
    [
        # A list, as the format has it, or another value under the same name.
        ({"version": "1.1", "data": []}, "SQuAD (one object with all documents)"),
        ({"version": "1.1", "data": {}}, None),
        ({"contents": []}, "Vertex AI (contents and parts)"),
        ({"contents": "x"}, None),
        ({"train": []}, "one object with a list for each split"),
        ({"train": "x"}, None),
        *(({name: []}, f"a conversation ({name})") for name in LISTS),
        *(({name: "x"}, None) for name in LISTS),
        ({"url": "http://x.org/1.jpg"}, TABLES),
        ({"url": "https://x.org/1.jpg"}, TABLES),
        ({"url": "1.jpg"}, None),
        ({"image_url": "https://x.org/1", "caption": "a dog"}, TABLES),
        # The page of a text is no image.
        ({"url": "https://x.org/1", "text": "x", "title": "x"}, "texts with their places"),
        ({"url": "https://x.org/1"}, None),
        ({"id": "1", "data": ["hi", "ho"]}, "turns without roles"),
        ({"id": "1", "data": [1]}, None),
        ({"messages": [{"content": [{"type": "text"}]}], "system": "x"}, "Anthropic Messages"),
        # An id of somebody's own is no batch.
        ({"custom_id": "1", "prompt": "x", "response": "x"}, "prompt and response"),
        ({"custom_id": "1", "params": "x"}, None),
        ({"custom_id": "1", "result": "x"}, None),
        # A text with marks, and one without.
        ({"text": "<s>[INST] Hi [/INST] Ho </s>", "id": 1}, "one text with the marks"),
        ({"text": "Hi", "id": 1}, None),
        # Turns by what their contents are.
        ({"messages": "x"}, "a conversation"),
        ({"messages": ["x"]}, "a conversation"),
        ({"messages": [{"role": "user"}]}, "OpenAI chat (turns whose contents are texts)"),
        ({"messages": [*CHAT, {"content": 1}]}, "a conversation"),
        ({"messages": CHAT, "functions": 1}, "OpenAI chat with tools"),
        ({"messages": [{"content": [PICTURE]}], "functions": 1}, "Anthropic Messages"),
        ({"messages": [{"content": [{"type": "input_text"}]}]}, "OpenAI chat with pictures"),
        ({"messages": [{"content": ["x", {"type": "image_url"}]}]}, "OpenAI chat with pictures"),
        ({"messages": [{"content": [{"type": "tool_use"}]}]}, "Anthropic Messages"),
        ({"messages": [{"content": [{"type": "text"}]}]}, "Anthropic Messages"),
        ({"messages": [{"content": [{"text": "x"}]}]}, "Converse"),
        ({"messages": [{"content": []}, {"content": "x"}]}, "a conversation"),
        ({"messages": [], "schemaVersion": 1}, "Converse"),
        ({"messages": [LAST], "functions": 1}, "preference pairs (Nova DPO"),
    ],
)
def test_what_the_fields_of_a_record_hold_tells_formats_apart(
    record: dict[str, Any], name: str | None
) -> None:
    found = foreign_format(record, "input-only")
    assert found is not None
    assert found.name.startswith(name or ""), found
    assert (found is UNKNOWN) == (name is None)


@pytest.mark.parametrize("name", ["input", "document"])
def test_two_names_of_texts_are_no_prompt_and_its_answer(name: str) -> None:
    record = {name: "x", "text": "y"}
    assert foreign_format(record, "input-only") is None
    assert foreign_format(record, "converse") is UNKNOWN


@pytest.mark.parametrize(
    ("record", "is_unknown"),
    [
        ({"a": 1}, True),
        ({}, False),
        ({"a": 1, "system": "x"}, True),
        # What may be meant to be the turns is a list.
        ({"message": "x", "passage": "y"}, True),
        ({"mesages": []}, False),
        ({"Messages": []}, False),
    ],
)
def test_a_record_without_what_the_format_needs_is_in_another(
    record: dict[str, Any], is_unknown: bool
) -> None:
    assert (foreign_format(record, "converse") is UNKNOWN) is is_unknown


def test_names_of_a_record_with_very_many_are_not_compared() -> None:
    wide: dict[str, Any] = {f"zq{n}": [] for n in range(100)}
    assert foreign_format(wide, "converse") is UNKNOWN
    assert foreign_format(wide | {"zq": None}, "converse") is None


CHATTY = "it is a conversation, not a plain text"


@pytest.mark.parametrize(
    ("record", "wanted", "why"),
    [
        ({"frage": "hi", "antwort": "ho", "nr": 1}, "converse", None),
        ({"translation": {"en": "hi", "de": "ho"}}, "converse", None),
        ({"a": 1}, "converse", ""),
        ({"content": "x", "a": 1}, "converse", "it is a document, not a conversation"),
        ({"content": "x", "a": 1}, "input-only", None),
        ({"frage": "hi", "antwort": "ho", "nr": 1}, "input-only", CHATTY),
        ({"question": "hi", "choices": []}, "converse", "it ends without an answer"),
        ({"prompt": "hi"}, "converse", "it ends without an answer"),
        ({"prompt": "hi"}, "rft", None),
    ],
)
def test_a_record_is_converted_or_there_is_a_reason(
    record: dict[str, Any], wanted: Any, why: str | None
) -> None:
    found = why_not_converted(record, wanted)
    assert (None if found is None else str(found)) == why


ASKED = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "hi"},
        {"question": "hi", "id": 1},
        {"instruction": "hi", "input": "all"},
        {"inputText": "hi"},
        {"messages": ASKED},
        {"recordId": "1", "modelInput": {"messages": ASKED}},
        {"custom_id": "1", "params": {"model": "m", "messages": ASKED}},
    ],
)
def test_a_prompt_alone_is_enough_where_a_teacher_answers(record: dict[str, Any]) -> None:
    lines = (json.dumps(record) + "\n").encode() * 100
    distilled, _ = findings("nova-lite/DISTILLATION", lines)
    command = "tuning prepare FILE --to-format converse -m nova-lite --type DISTILLATION -o OUT"
    assert [each.name for each in distilled if each.severity == "error"] == [
        "record-of-another-format"
    ]
    assert distilled[0].message.endswith(command)
    tuned, _ = findings(NOVA, lines)
    assert "which this record cannot become: it ends without an answer" in tuned[0].message


def asked(content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}, CHAT[1]]}


WITHOUT = {"instruction": "hi", "output": None}
LINKED = [{"type": "image_url", "image_url": {"url": "https://x.org/1"}}]


@pytest.mark.parametrize(
    ("model", "record", "ending"),
    [
        # The first record may lack what the others have.
        (NOVA, WITHOUT, f"it ends without an answer; for the others: {CONVERT}"),
        ("titan-text-lite/CONTINUED_PRE_TRAINING", {"prompt": "a", "completion": "b"}, CHATTY),
        ("titan-text-lite", asked(PARTS), "and the format has no place for them"),
        (NOVA, asked(LINKED), "download it first"),
    ],
)
def test_why_a_record_cannot_be_converted_is_told(
    model: str, record: dict[str, Any], ending: str
) -> None:
    found, _ = findings(model, json.dumps(record).encode())
    assert [each.message.endswith(ending) for each in found if each.line] == [True]


@pytest.mark.parametrize(("good", "has_reason"), [(99, True), (100, False)])
def test_only_early_records_are_converted_for_a_reason(good: int, has_reason: bool) -> None:
    blocks = ({"role": each, "content": [{"text": "hi"}]} for each in ("user", "assistant"))
    lines = [{"messages": [*blocks]}] * good + [WITHOUT]
    found, _ = findings(NOVA, "\n".join(map(json.dumps, lines)).encode())
    (one,) = (each for each in found if each.name == "record-of-another-format")
    assert one.message.endswith(CONVERT)
    assert ("ends without an answer" in one.message) == has_reason


def test_a_file_of_records_that_share_no_field_with_the_format_is_one_finding() -> None:
    lines = b"".join(json.dumps({"a": n, "b": [n]}).encode() + b"\n" for n in range(100))
    found, records = findings(NOVA, lines)
    assert [each.name for each in found] == ["record-of-another-format"]
    assert records == 100


PAIRS = {
    "prompt": "response answer output target label text completion",
    "question": "answer answers response output",
    "query": "response answer output",
    "input": "output target response label",
    "source": "target",
    "text": "label labels summary",
    "document": "summary",
    "article": "highlights",
    "user": "assistant",
    "human": "assistant",
}


@pytest.mark.parametrize(
    ("one", "other"), [(one, each) for one, others in PAIRS.items() for each in others.split()]
)
def test_a_question_and_its_answer_are_known_by_their_two_names(one: str, other: str) -> None:
    found = foreign_format({one: "x", other: "y", "id": 1}, "input-only")
    assert found is not None
    assert (found.name, found.way) == (f"{one} and {other}", "texts")
    ours: Any = {"completion": ("prompt-completion",)}.get(other, ())
    assert found.formats == ours


# By name: how `tuning prepare` reads it, and which of ours it is.
WAYS: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
    ({"recordId": 1, "modelInput": 1}, "texts", ()),
    ({"recordId": 1, "modelInput": 1, "modelOutput": 1}, "texts", ()),
    ({"conversations": [], "image": 1}, "captions in chats", ()),
    ({"conversations": [], "images": 1}, "captions in chats", ()),
    ({"conversations": []}, "texts", ()),
    ({"images": 1, "annotations": 1}, "images", ()),
    ({"source-ref": 1}, "images", ()),
    ({"file_name": 1}, "images", ()),
    ({"data": 1, "annotations": 1}, "images", ()),
    ({"image": 1, "prefix": 1, "suffix": 1}, "images", ()),
    ({"filepath": 1, "title": 1}, "images", ()),
    ({"url": "http://x/1.jpg"}, "", ()),
    ({"custom_id": 1, "params": {}}, "texts", ()),
    ({"custom_id": 1, "response": {}}, "", ()),
    ({"custom_id": 1, "result": {}}, "", ()),
    ({"message_id": 1, "parent_id": 1, "role": 1, "text": 1}, "", ()),
    ({"mapping": {}, "current_node": 1}, "", ()),
    ({"input": {}, "preferred_output": []}, "texts", ()),
    ({"prompt": [], "reward_model": {}}, "texts", ()),
    ({"prompt": 1, "referenceResponse": 1}, "texts", ()),
    ({"conversationTurns": []}, "texts", ()),
    ({"image-ref": 1}, "", ("image-caption",)),
    ({"image": 1, "question": 1, "answer": 1}, "images", ()),
    ({"image": 1, "caption": 1}, "images", ()),
    ({"image": 1, "text": 1}, "images", ()),
    ({"messages": CHAT}, "texts", ("claude-messages", "rft")),
    ({"messages": [{"content": PARTS}]}, "texts with images", ("rft",)),
    ({"messages": [{"content": [PICTURE]}]}, "texts with images", ()),
    ({"messages": [{"content": [{"type": "tool_use"}]}]}, "texts", ()),
    ({"messages": [{"content": [{"type": "text"}]}], "system": "x"}, "texts", ("rft",)),
    ({"messages": [], "schemaVersion": 1}, "texts", ("converse",)),
    ({"messages": [{"content": [{"type": "text"}]}]}, "texts", ("converse", "rft")),
    ({"messages": [{"content": []}]}, "texts", ("claude-messages", "converse", "rft")),
    ({"messages": []}, "texts", ("claude-messages", "converse", "rft")),
    ({"input": 1}, "documents", ("input-only",)),
    ({"text": 1}, "documents", ()),
    ({"inputText": 1}, "texts", ()),
    ({"question": 1, "choices": 1}, "texts", ()),
    ({"question": 1, "options": 1}, "texts", ()),
    ({"instruction": 1, "completion": 1}, "texts", ()),
]


@pytest.mark.parametrize(("record", "way", "formats"), WAYS)
def test_each_format_says_how_it_is_prepared_and_which_of_ours_it_is(
    record: dict[str, Any], way: str, formats: tuple[str, ...]
) -> None:
    every: tuple[Any, ...] = (
        *("claude-messages", "converse", "image-caption", "input-only"),
        *("prompt-completion", "rft"),
    )
    told = {each: foreign_format(record, each) for each in every}
    assert tuple(each for each in every if told[each] is None) == formats
    assert {found.way for found in told.values() if found is not None} == {way}


PLACE = " --to s3://BUCKET/NAME/"
IMAGE = f"tuning prepare FOLDER --captions FILE -m m -o OUT{PLACE}"


@pytest.mark.parametrize(
    ("way", "wanted", "command"),
    [
        ("images", "image-caption", IMAGE),
        ("texts", "image-caption", ""),
        ("texts with images", "image-caption", ""),
        (
            "captions in chats",
            "image-caption",
            IMAGE,
        ),
        ("captions in chats", "rft", "tuning prepare FILE --to-format rft -m m -o OUT"),
        ("images", "converse", ""),
        ("documents", "converse", ""),
        ("documents", "input-only", "tuning prepare FILE --to-format input-only -m m -o OUT"),
        ("texts", "input-only", "tuning prepare FILE --to-format input-only -m m -o OUT"),
        ("texts with images", "rft", "tuning prepare FILE --to-format rft -m m -o OUT"),
        (
            "texts with images",
            "converse",
            f"tuning prepare FILE --to-format converse -m m -o OUT{PLACE}",
        ),
        ("", "converse", ""),
    ],
)
def test_the_command_is_the_one_that_makes_the_wanted_format(
    way: Any, wanted: Any, command: str
) -> None:
    assert command_for(way, wanted, "m") == command


def test_a_validation_set_has_a_bucket_of_its_own() -> None:
    told = command_for("images", "image-caption", "m", validation=True)
    assert told.endswith(f"{PLACE} --validation-to s3://VALIDATION-BUCKET/NAME/")


def test_a_foreign_record_with_a_schema_is_one_finding_still() -> None:
    better = {"content": [{"text": "ho"}], "preferenceLabel": "preferred"}
    turns = [
        {"role": "user", "content": [{"text": "hi"}]},
        {"role": "assistant", "candidates": [better]},
    ]
    record = {"schemaVersion": "ours", "messages": turns}
    for model in (NOVA, "llama-3-3-70b"):
        found, _ = findings(model, json.dumps(record).encode())
        (one,) = (each for each in found if each.line is not None)
        assert one.name == "record-of-another-format"


@pytest.mark.parametrize(("name", "record"), RECORDS)
def test_the_command_asks_where_images_will_lie_only_if_there_are_images(
    name: str, record: dict[str, Any]
) -> None:
    found, _ = findings(NOVA, json.dumps(record).encode())
    (one,) = (each for each in found if each.line is not None)
    has_images = any(word in name for word in ("LLaVA", "pictures", "Anthropic"))
    assert (f"{CONVERT} --to s3://BUCKET/NAME/" in one.message) == has_images


def test_requests_without_answers_name_no_command_that_would_fail() -> None:
    record = {"recordId": "1", "modelInput": {"messages": CHAT[:1]}}
    found, _ = findings(NOVA, json.dumps(record).encode())
    (one,) = (each for each in found if each.line is not None)
    assert "Bedrock batch inference" in one.message
    assert "tuning prepare" not in one.message


@pytest.mark.parametrize(("name", "record"), RECORDS)
def test_a_file_of_another_tool_is_one_finding_with_its_name_and_the_command(
    name: str, record: dict[str, Any]
) -> None:
    found, records = findings(NOVA, json.dumps(record).encode())
    (one,) = (each for each in found if each.line is not None)

    assert one.name == "record-of-another-format"
    assert name in one.message
    assert CONVERT in one.message
    assert records == 1


@pytest.mark.parametrize(
    ("name", "record"), [("text only", {"text": "a"}), ("input only", {"input": "a"})]
)
def test_documents_are_no_conversations_and_no_command_makes_them_one(
    name: str, record: dict[str, str]
) -> None:
    found, _ = findings(NOVA, json.dumps(record).encode())
    (one,) = (each for each in found if each.line is not None)

    assert name in one.message
    assert "tuning prepare" not in one.message


def test_a_plain_text_becomes_no_conversation_either() -> None:
    (one,), _ = findings(NOVA, b"Hello there,\nthis is a text.\n")
    assert "tuning prepare" not in one.message


@pytest.mark.parametrize(("name", "record"), IMAGES)
def test_a_table_of_images_leads_to_prepare(name: str, record: dict[str, Any]) -> None:
    found, _ = findings("titan-multimodal-embeddings-g1", json.dumps(record).encode())
    (one,) = (each for each in found if each.line is not None)

    assert name in one.message
    assert "tuning prepare FOLDER --captions FILE" in one.message


@pytest.mark.slow
@pytest.mark.parametrize(("name", "record"), RECORDS[:6])
def test_a_thousand_records_of_it_are_still_one_finding(name: str, record: dict[str, Any]) -> None:
    lines = (json.dumps({**record, "id": n}).encode() for n in range(1_000))
    data = b"\n".join(lines)

    for model in (NOVA, "titan-text-lite", "titan-multimodal-embeddings-g1"):
        found, records = findings(model, data)
        assert [each.name for each in found if each.line is not None] == [
            "record-of-another-format"
        ]
        assert records == 1_000


def test_every_line_of_another_format_is_left_out_of_the_accepted_ones() -> None:
    marked: list[int] = []
    for model in (NOVA, "titan-text-lite"):
        running = ManifestCheck(
            scope_of(model), Heard(error_line=lambda _, line: marked.append(line))
        )
        running.feed(b'{"question": "hi", "answer": "ho"}\n' * 500)
        running.finish()
    assert marked == [*range(1, 501)] * 2


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("1.txt"))
    return file.getvalue()


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<xml/>")
    return file.getvalue()


ALPACA = {"instruction": "name it", "input": "", "output": "x"}
ROWS = [ALPACA] * 50
FILES: list[tuple[str, bytes]] = [
    ("one JSON array of 50 records in the format Alpaca", json.dumps(ROWS).encode()),
    ("one JSON array of 50 records in the format Alpaca", json.dumps(ROWS, indent=2).encode()),
    (
        "one JSON array of 50 records in the format Alpaca",
        b"[\n" + b",\n".join(json.dumps(row).encode() for row in ROWS) + b"\n]\n",
    ),
    ("one JSON array of 1 record", b"\xef\xbb\xbf" + json.dumps([ALPACA]).encode()),
    ("one array of turns per line", (json.dumps(CHAT) + "\n").encode() * 3),
    ("one JSON array of 0 records", b"[]\n"),
    ("one JSON object on several lines", json.dumps(ALPACA, indent=2).encode()),
    ("JSON objects on several lines", (json.dumps(ALPACA, indent=2) + "\n").encode() * 5),
    (
        'one JSON object with a list "data" of 50 records in the format Alpaca',
        json.dumps({"version": 1, "data": ROWS}, indent=2).encode(),
    ),
    ("JSON on several lines", json.dumps({"data": ROWS * 500}, indent=2).encode()),
    ("a table (CSV) in the format prompt and completion", b"prompt,completion\na,b\nc,d\n"),
    ("a table (CSV)", b'"prompt","completion"\r\n"a, b","c"\r\n'),
    ("a table (CSV)", b"prompt;completion\na;b\n"),
    ("a table (TSV)", b"prompt\tcompletion\na\tb\n"),
    ("a table (CSV) in the format question and answer", b"question|answer\na|b\n"),
    ("plain text", b"Hello there,\nthis is a text.\n\nIt goes on.\n"),
    ("YAML", b"- prompt: a\n  completion: b\n- prompt: c\n  completion: d\n"),
    ("a web page", b"<!DOCTYPE html>\n<html>\n</html>\n"),
    ("Python dictionaries", b"{'prompt': 'a'}\n{'prompt': 'b'}\n"),
    ("UTF-16", (json.dumps(ALPACA) + "\n").encode("utf-16") * 3),
    ("UTF-16-LE -t UTF-8", (json.dumps(ALPACA) + "\n").encode("utf-16-le") * 3),
    ("UTF-16-BE -t UTF-8", (json.dumps(ALPACA) + "\n").encode("utf-16-be") * 3),
    ("binary data", bytes(range(256)) * 4),
    ('one JSON object with a list "data"', json.dumps({"data": ROWS}).encode()),
    ("gunzip", gzip.compress(json.dumps(ALPACA).encode(), mtime=0)),
    ("a tar archive", tar()),
    ("Excel", zipped()),
    ("Parquet", b"PAR1" + bytes(100)),
]


@pytest.mark.slow
@pytest.mark.parametrize("step", [1 << 20, 7, 1])
@pytest.mark.parametrize(("name", "data"), FILES)
def test_a_file_that_is_no_json_lines_is_one_finding(name: str, data: bytes, step: int) -> None:
    if step == 1 and len(data) > 10_000:
        step = 999
    (one,), _ = findings(NOVA, data, step=step)

    assert one.name == "not-json-lines"
    assert name in one.message


@pytest.mark.parametrize(("name", "data"), FILES[:3])
def test_the_records_of_an_array_are_counted_and_converted(name: str, data: bytes) -> None:
    (one,), records = findings(NOVA, data)

    assert records == 50
    assert CONVERT in one.message


GOOD = b'{"prompt": "a", "completion": "b"}\n'


@pytest.mark.parametrize(
    "first",
    [
        b"[",
        b"[1]",
        b"{",
        b"// a comment",
        b"oops",
        b"[[[[",
        b"{'a': 1}",
        b'{"a": 1,',
        b"\n",
        b"<s>",
    ],
)
def test_one_bad_line_at_the_beginning_hides_no_other(first: bytes) -> None:
    data = first + b"\n" + GOOD + b"[]\n" + GOOD
    found, records = findings("titan-text-lite", data)

    assert "not-json-lines" not in {each.name for each in found}
    lines = {each.line for each in found if each.line and each.name != "duplicate-record"}
    assert lines - {2} == {1, 3 + first.count(b"\n")}
    assert records >= 3
