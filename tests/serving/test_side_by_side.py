"""Two models' answers to the same prompts: what a dataset asks, how it is asked, what is kept."""

from typing import Any

import pytest

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.serving.questions import Question
from bedrock_tuning.serving.side_by_side import (
    Kept,
    ModelAnswer,
    Prompt,
    answer,
    identity,
    prompts,
    question,
    seed,
)

DRAWS, WRITES = catalogue()["titan-image-generator-v2"], catalogue()["nova-micro"]


def turn(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def texts(*given: Any) -> list[dict[str, Any]]:
    return [{"text": each} for each in given]


ASKS, ANSWERS = turn("user", "Who?"), turn("assistant", "Ron.")


@pytest.mark.parametrize(
    ("record", "prompt"),
    [
        ({"caption": "a dog", "prompt": "no"}, Prompt(text="a dog")),
        ({"prompt": "Who?", "completion": "Ron."}, Prompt(text="Who?", expected="Ron.")),
        ({"prompt": "Who?", "completion": None}, Prompt(text="Who?")),
        ({"messages": [ASKS]}, Prompt(text="Who?")),
        ({"messages": [ASKS, ANSWERS]}, Prompt(text="Who?", expected="Ron.")),
        # What a person says next is no answer.
        ({"messages": [ASKS, ASKS]}, Prompt(text="Who?")),
        (
            {"messages": [turn("user", texts("Who", "is it?")), ANSWERS]},
            Prompt(text="Who\nis it?", expected="Ron."),
        ),
        (
            {"messages": [ASKS, turn("assistant", [{"image": {}}])]},
            Prompt(text="Who?"),
        ),
        (
            {"messages": [turn("system", "Be"), turn("system", "kind."), ASKS, ANSWERS]},
            Prompt(text="Who?", system="Be kind.", expected="Ron."),
        ),
        (
            {"messages": [turn("system", ""), ASKS], "system": texts("Be kind.")},
            Prompt(text="Who?", system="Be kind."),
        ),
        (
            {"messages": [turn("system", "Be kind."), ASKS], "system": "Be quick."},
            Prompt(text="Who?", system="Be kind."),
        ),
    ],
)
def test_a_record_is_asked_in_its_own_words(record: dict[str, Any], prompt: Prompt) -> None:
    assert [*prompts([record])] == [prompt]


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"caption": " \n"},
        {"prompt": 7, "messages": "Who?"},
        {"messages": []},
        {"messages": [turn("system", "Be kind.")]},
        {"messages": [ANSWERS, ASKS]},
        {"messages": [turn("user", None)]},
        {"messages": [turn("user", [])]},
        {"messages": [turn("user", [{"image": {}}])]},
        {"messages": [turn("user", [{"image": {}}, *texts("Who?")])]},
        {"messages": [turn("user", texts("Who?", 7))]},
        {"messages": [turn("user", {"text": "Who?"})]},
    ],
)
def test_a_record_that_asks_nothing_or_with_images_is_left_out(record: dict[str, Any]) -> None:
    asks = {"caption": "a dog"}
    assert [*prompts([record, asks])] == [Prompt(text="a dog")]


def test_the_same_prompt_is_asked_once_with_the_answer_that_came_first() -> None:
    records = [
        {"prompt": "Who?", "completion": "Ron."},
        {"prompt": "Where?"},
        {"prompt": "Who?", "completion": "Smila."},
    ]
    assert [(each.text, each.expected) for each in prompts(records)] == [
        ("Who?", "Ron."),
        ("Where?", ""),
    ]


def test_a_picture_is_drawn_with_the_seed_of_its_place() -> None:
    assert [seed(place) for place in (0, 1, 9)] == [1, 2, 10]
    asked = question(DRAWS, Prompt(text="a dog", system="unused"), 4)
    assert asked.body["textToImageParams"] == {"text": "a dog"}
    assert asked.body["imageGenerationConfig"]["seed"] == 5


def test_a_text_is_asked_for_with_what_goes_before_it() -> None:
    body = question(WRITES, Prompt(text="Who?", system="Be kind."), 4).body
    assert body["messages"] == [turn("user", texts("Who?"))]
    assert body["system"] == texts("Be kind.")
    assert "system" not in question(WRITES, Prompt(text="Who?"), 4).body


def test_the_same_question_is_known_again_in_whatever_order_it_is_written() -> None:
    asked = [
        Question(operation="Converse", body=body)
        for body in ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, {"a": 1, "b": [3]})
    ]
    assert identity(asked[0]) == identity(asked[1]) != identity(asked[2])
    # Answers are kept under it, and known again in later versions.
    assert identity(asked[0]).startswith("0855bfc2")


@pytest.mark.parametrize(
    ("answered", "kept"),
    [
        ({"images": ["one", "two"]}, ModelAnswer(picture="one")),
        ({"images": [], "error": "blocked"}, ModelAnswer(problem="blocked")),
        ({"images": None, "error": None}, ModelAnswer(problem="the model drew nothing")),
        ({}, ModelAnswer(problem="the model drew nothing")),
    ],
)
def test_a_picture_is_kept_or_why_there_is_none(
    answered: dict[str, Any], kept: ModelAnswer
) -> None:
    assert answer(DRAWS, answered) == kept


def test_a_text_is_kept_as_it_was_written() -> None:
    said = {"output": {"message": turn("assistant", texts("Ron", "."))}}
    assert answer(WRITES, said) == ModelAnswer(text="Ron\n.")


def test_answers_that_are_kept_cannot_be_exchanged() -> None:
    kept = Kept(base={"a": ModelAnswer(text="b")})
    with pytest.raises(AttributeError):
        kept.base = {}  # type: ignore[misc]
    with pytest.raises(TypeError):
        Kept({}, {})  # type: ignore[misc]
