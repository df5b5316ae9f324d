"""How a model is asked, to the letter, and how near two vectors are."""

import math

import pytest

from bedrock_tuning.serving.questions import (
    Question,
    answer_text,
    cosine,
    embedding,
    message,
    picture,
)


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"text": "a dog"}, {"inputText": "a dog"}),
        ({"text": ""}, {"inputText": ""}),
        ({"image": b"\0\1\2"}, {"inputImage": "AAEC"}),
        ({"image": b""}, {"inputImage": ""}),
        (
            {"text": "a dog", "image": b"\0", "length": 256},
            {
                "inputText": "a dog",
                "inputImage": "AA==",
                "embeddingConfig": {"outputEmbeddingLength": 256},
            },
        ),
    ],
)
def test_a_text_a_picture_or_both_are_asked_for_one_vector(
    given: dict[str, object], body: dict[str, object]
) -> None:
    assert embedding(**given) == Question(operation="InvokeModel", body=body)  # type: ignore[arg-type]


@pytest.mark.parametrize(("seed", "said"), [(None, {}), (0, {"seed": 0}), (7, {"seed": 7})])
def test_one_picture_is_asked_for_with_its_seed(seed: int | None, said: dict[str, int]) -> None:
    assert picture("a dog", seed=seed) == Question(
        operation="InvokeModel",
        body={
            "taskType": "TEXT_IMAGE",
            "textToImageParams": {"text": "a dog"},
            "imageGenerationConfig": {"numberOfImages": 1, "height": 512, "width": 512, **said},
        },
    )


def test_a_model_of_text_is_shown_pictures_before_the_question() -> None:
    body = message("Who?", system="Be kind.", images=[("png", b"\0"), ("jpeg", b"\1")]).body
    assert body == {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"image": {"format": "png", "source": {"bytes": b"\0"}}},
                    {"image": {"format": "jpeg", "source": {"bytes": b"\1"}}},
                    {"text": "Who?"},
                ],
            }
        ],
        "inferenceConfig": {"maxTokens": 200},
        "system": [{"text": "Be kind."}],
    }


def test_the_texts_of_an_answer_are_its_lines_and_other_blocks_are_left_out() -> None:
    content = [{"text": "Ron."}, {"reasoningContent": {}}, {"text": "A dog."}]
    assert answer_text({"output": {"message": {"content": content}}}) == "Ron.\nA dog."


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ([3.0, 4.0], [6.0, 8.0], 1.0),
        ([3.0, 4.0], [-3.0, -4.0], -1.0),
        ([1.0, 0.0], [0.0, 5.0], 0.0),
        ([2.0, 0.0], [2.0, 2.0], math.sqrt(0.5)),
        ([1.0, 2.0, 2.0], [2.0, 1.0, -2.0], 0.0),
    ],
)
def test_two_vectors_are_near_by_their_direction(
    one: list[float], other: list[float], near: float
) -> None:
    assert cosine(one, other) == pytest.approx(near)
