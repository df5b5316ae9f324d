"""The smoke test: the question fits the model, and only a real answer passes."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.catalogue import BaseModel, catalogue
from bedrock_tuning.config.customization import CustomizationSettings, load_all
from bedrock_tuning.serving import smoke_test

SHIPPED = load_all(Path(__file__).parents[2] / "customizations")
SEARCH, STYLE = SHIPPED["pets-search"], SHIPPED["pets-style"]
TEXT = replace(SEARCH, base_model=catalogue()["nova-micro"])
VECTOR = [0.25, -0.5] * 512
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 40).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + b"\0" * 40).decode()


def _said(*texts: str) -> dict[str, Any]:
    content = [{"text": text} for text in texts]
    return {"output": {"message": {"role": "assistant", "content": content}}}


def _thought(text: str) -> dict[str, Any]:
    content = [{"reasoningContent": {"reasoningText": {"text": text}}}]
    return {"output": {"message": {"role": "assistant", "content": content}}}


def test_an_embedding_model_is_asked_for_the_length_of_the_settings() -> None:
    question = smoke_test.question(SEARCH)

    assert question.operation == "InvokeModel"
    assert question.body == {
        "inputText": "a dog",
        "embeddingConfig": {"outputEmbeddingLength": 1024},
    }


def test_without_a_length_in_the_settings_the_model_chooses() -> None:
    any_length = replace(SEARCH, serving=replace(SEARCH.serving, embedding_length=None))

    assert smoke_test.question(any_length).body == {"inputText": "a dog"}
    assert smoke_test.verdict(any_length, {"embedding": [1.0] * 256}).passed


def test_an_image_model_is_asked_for_one_small_picture_of_the_smoke_text() -> None:
    question = smoke_test.question(STYLE).body

    assert question["taskType"] == "TEXT_IMAGE"
    assert question["textToImageParams"] == {"text": "Ron the dog wearing a superhero cape"}
    assert question["imageGenerationConfig"] == {
        "numberOfImages": 1,
        "height": 512,
        "width": 512,
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", [model for model in catalogue().values() if model.task.endswith("to-text")]
)
def test_every_model_of_text_is_asked_by_the_operation_that_all_of_them_share(
    model: BaseModel,
) -> None:
    question = smoke_test.question(replace(SEARCH, base_model=model))

    assert question.operation == "Converse"
    assert question.body["messages"] == [{"role": "user", "content": [{"text": "a dog"}]}]
    shape = Session().get_service_model("bedrock-runtime").operation_model("Converse").input_shape
    members = {"modelId": "arn", **question.body}
    assert not ParamValidator().validate(members, shape).has_errors()


def test_every_model_is_asked_in_a_way_that_somebody_answers() -> None:
    tasks = {model.task for model in catalogue().values()}

    assert {task for task in tasks if not task.endswith("to-text")} == {
        "image-to-embedding",
        "text-to-image",
    }


@pytest.mark.parametrize(
    ("customization", "answer", "detail"),
    [
        (SEARCH, {"embedding": VECTOR, "inputTextTokenCount": 3}, "an embedding of 1024 numbers"),
        (STYLE, {"images": [PNG]}, "a PNG image of 48 bytes"),
        (STYLE, {"images": [JPEG], "error": None}, "a JPEG image of 44 bytes"),
        (TEXT, _said("woof", " woof"), "a text of 8 characters"),
        (TEXT, _thought("What is a dog?"), "a text of 14 characters"),
    ],
)
def test_a_real_answer_passes(
    customization: CustomizationSettings, answer: Any, detail: str
) -> None:
    found = smoke_test.verdict(customization, answer)

    assert found.passed
    assert found.detail == detail


def test_the_length_of_a_vector_is_kept() -> None:
    assert smoke_test.verdict(SEARCH, {"embedding": VECTOR}).length == 1024


@pytest.mark.parametrize(
    ("customization", "answer", "detail"),
    [
        (SEARCH, ["embedding"], "the answer is list, not an object"),
        (SEARCH, {}, "no embedding: empty"),
        (SEARCH, {"embedding": [], "message": "too long"}, "no embedding: too long"),
        (SEARCH, {"embedding": "0.5"}, "no embedding: empty"),
        (SEARCH, {"embedding": [float("nan")] * 1024}, "holds values that are not numbers"),
        (SEARCH, {"embedding": [float("inf")] * 1024}, "holds values that are not numbers"),
        (SEARCH, {"embedding": ["0.5"] * 1024}, "holds values that are not numbers"),
        (SEARCH, {"embedding": [float("-inf")] * 1024}, "holds values that are not numbers"),
        (SEARCH, {"embedding": [True] * 1024}, "holds values that are not numbers"),
        (SEARCH, {"embedding": [0.0] * 1024}, "all zeros"),
        (SEARCH, {"embedding": [0.5] * 256}, "has 256 numbers, 1024 were asked for"),
        (STYLE, {"images": [], "error": "blocked by our filters"}, "blocked by our filters"),
        (STYLE, {"images": ["not base64!"]}, "not base64"),
        (STYLE, {"images": [f"{PNG}!"]}, "not base64"),
        (STYLE, {"images": [7]}, "not base64"),
        (STYLE, {"images": [base64.b64encode(b"<html>").decode()]}, "neither PNG nor JPEG"),
        (STYLE, {"images": [""]}, "neither PNG nor JPEG"),
        (TEXT, {}, "no message in the answer"),
        (TEXT, {"output": {"message": {"content": ["woof"]}}}, "no message in the answer"),
        (TEXT, {"output": {"message": {"content": []}}}, "a text of 0 characters"),
        (TEXT, _said("  \n"), "a text of 0 characters"),
    ],
)
def test_anything_else_fails_and_says_why(
    customization: CustomizationSettings, answer: Any, detail: str
) -> None:
    found = smoke_test.verdict(customization, answer)

    assert not found.passed
    assert detail in found.detail


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (_said("woof", "woof"), ("woof\nwoof", b"", "")),
        (_said("w" * 2_001), ("w" * 2_000, b"", "")),
        ({"images": [PNG]}, ("", base64.b64decode(PNG), "png")),
        ({"images": [JPEG, PNG]}, ("", base64.b64decode(JPEG), "jpeg")),
        ({"images": [base64.b64encode(b"<html>").decode()]}, ("", b"", "")),
        # Whatever else it is, it has neither.
        ({"images": []}, ("", b"", "")),
        ({"images": ["no"]}, ("", b"", "")),
        ({"images": ["Hündin"]}, ("", b"", "")),
        ({"images": [7]}, ("", b"", "")),
        ({"images": 7}, ("", b"", "")),
        ({"output": {"message": {"content": [7]}}}, ("", b"", "")),
        ({"output": {}}, ("", b"", "")),
        ({"embedding": VECTOR}, ("", b"", "")),
        ([], ("", b"", "")),
        (None, ("", b"", "")),
    ],
)
def test_people_see_the_text_or_the_picture_of_an_answer(
    answer: Any, kept: tuple[str, bytes, str]
) -> None:
    assert smoke_test.kept(answer) == kept


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["embedding", "images", "output", "message", "content", "text", "reasoningContent"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(customization=st.sampled_from([SEARCH, STYLE, TEXT]), answer=JSON)
def test_no_answer_is_too_strange_to_be_judged(
    customization: CustomizationSettings, answer: Any
) -> None:
    found = smoke_test.verdict(customization, answer)

    assert found.detail
