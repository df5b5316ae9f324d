"""Conversations written as one text: the marks of each template are read, prose is left alone."""

import pytest

from bedrock_tuning.dataset.talks.read import read_talk
from bedrock_tuning.dataset.talks.talk import Turn, UnfitError

TURNS = (Turn(role="user", text="Hi"), Turn(role="assistant", text="Hello"))
CHATML = "<|im_start|>system\nBe kind<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
LLAMA_3 = "<|start_header_id|>{}<|end_header_id|>\n\n{}<|eot_id|>"
LINES = [
    f"{CHATML}<|im_start|>assistant\nHello<|im_end|>",
    "<s>[INST] <<SYS>>\nBe kind\n<</SYS>>\n\nHi [/INST] Hello </s>",
    "<|begin_of_text|>"
    + "".join(
        LLAMA_3.format(*each)
        for each in (("system", "Be kind"), ("user", "Hi"), ("assistant", "Hello"))
    ),
    "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>",
    "<|system|>\nBe kind</s>\n<|user|>\nHi</s>\n<|assistant|>\nHello</s>",
    "Below is a task.\n\n### Instruction:\nHi\n\n### Response:\nHello",
    "### Human: Hi### Assistant: Hello",
    "\n\nHuman: Hi\n\nAssistant: Hello",
]


@pytest.mark.parametrize("text", LINES, ids=lambda text: text[:20].strip())
def test_the_marks_of_a_template_divide_a_text_into_turns(text: str) -> None:
    known = read_talk({"text": text})
    assert known is not None
    assert known.talk.turns == TURNS
    assert known.talk.system == ("Be kind" if "Be kind" in text else "")
    assert known.talk.document == ""


def test_a_prompt_with_marks_goes_on_in_its_completion() -> None:
    known = read_talk({"prompt": "\n\nHuman: Hi\n\nAssistant:", "completion": " Hello"})
    assert known is not None
    assert known.talk.turns == TURNS


def test_the_better_of_two_answers_may_have_marks() -> None:
    talk = "\n\nHuman: Hi\n\nAssistant: {}"
    known = read_talk({"chosen": talk.format("Hello"), "rejected": talk.format("No")})
    assert known is not None
    assert known.talk.turns == TURNS


@pytest.mark.parametrize(
    "text", ["### Input data\nA page.\n\n### Output\nfoo", "Human: nature is a book.", "a <s> b"]
)
def test_prose_is_a_document(text: str) -> None:
    known = read_talk({"text": text})
    assert known is not None
    assert known.talk.document == text


def test_marks_stay_where_documents_are_wanted() -> None:
    known = read_talk({"text": LINES[0]}, marked=False)
    assert known is not None
    assert known.talk.document == LINES[0]


@pytest.mark.parametrize(
    "record",
    [
        {"question": "Which?", "choices": ["sun", "moon"], "answer": 1},
        {"question": "Which?", "choices": ["sun", "moon"], "answer": "1"},
        {"question": "Which?", "choices": ["sun", "moon"], "answer": "moon"},
        {"question": "Which?", "options": {"A": "sun", "B": "moon"}, "answer": "B"},
        {
            "question": "Which?",
            "choices": {"text": ["sun", "moon"], "label": ["A", "B"]},
            "answerKey": "B",
        },
    ],
)
def test_an_answer_among_choices_is_written_out(record: dict[str, object]) -> None:
    known = read_talk(record)
    assert known is not None
    assert [turn.text for turn in known.talk.turns] == ["Which?\nA. sun\nB. moon", "B. moon"]


def test_an_answer_that_is_none_of_its_choices_is_left_out() -> None:
    with pytest.raises(UnfitError, match="none of its choices"):
        read_talk({"question": "Which?", "choices": ["sun", "moon"], "answer": 2})
