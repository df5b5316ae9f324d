"""The gate: recall as `tuning compare` measures it, and what a model must reach."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.config.customization import load
from bedrock_tuning.config.sections.evaluation import Evaluation
from bedrock_tuning.errors import CustomizationError
from bedrock_tuning.run.cost import estimate
from bedrock_tuning.serving.comparison import compare, distinct
from bedrock_tuning.serving.evaluation import (
    PublishedRecall,
    as_data,
    judge_model,
    questions_id,
    recall,
    same_questions,
)

_NUMBER = st.integers(-3, 3).map(float)
_VECTOR = st.lists(_NUMBER, min_size=3, max_size=3)


@given(st.data(), st.integers(2, 12), st.sampled_from((1, 5, 10)))
def test_recall_is_the_one_of_tuning_compare(data: Any, pictures: int, at: int) -> None:
    captions = data.draw(st.lists(st.sampled_from("abcde"), min_size=pictures, max_size=pictures))
    texts, numbers = distinct(captions)

    def vectors(count: int) -> Sequence[Sequence[float]]:
        return data.draw(st.lists(_VECTOR, min_size=count, max_size=count))

    images, words = vectors(pictures), vectors(len(texts))
    side, _ = compare(captions=captions, base=(images, words), tuned=(images, words)).sides
    assert recall(images, words, numbers, at=at) == pytest.approx(side.tuned.recall[at])


@pytest.mark.parametrize(
    ("wanted", "tuned", "base", "passed"),
    [
        ({"min_recall": 0.6}, 0.6, None, True),
        ({"min_recall": 0.6}, 0.599, None, False),
        ({"not_worse_than_base": True}, 0.3, 0.3, True),
        ({"not_worse_than_base": True}, 0.29, 0.3, False),
        ({"min_recall": 0.6, "not_worse_than_base": True}, 0.7, 0.8, False),
    ],
)
def test_a_model_must_reach_what_was_set(
    wanted: dict[str, Any], tuned: float, base: float | None, passed: bool
) -> None:
    judged = judge_model(Evaluation(**wanted), questions=200, tuned=tuned, base=base)
    assert judged.passed == passed
    assert f"{tuned:.1%}" in judged.reason
    assert ("but" in judged.reason) != passed


@pytest.mark.parametrize(
    ("published", "passed", "said"),
    [(0.5, True, "the published model 50.0%"), (0.51, False, "has 51.0%"),
     (None, False, "cannot be compared")],
)  # fmt: skip
def test_a_model_must_find_what_the_published_one_found(
    published: float | None, passed: bool, said: str
) -> None:
    wanted = Evaluation(not_worse_than_published=True)
    other = PublishedRecall(run="20261120-093000-aaaaaa", recall=published)
    judged = judge_model(wanted, questions=200, tuned=0.5, published=other)
    assert judged.passed == passed
    assert said in judged.reason


def test_the_first_model_has_no_published_one_to_reach() -> None:
    assert judge_model(Evaluation(not_worse_than_published=True), questions=200, tuned=0.0).passed


def test_what_is_kept_beside_the_report_is_all_that_was_measured_and_wanted() -> None:
    wanted = Evaluation(min_recall=0.4)
    judged = judge_model(wanted, questions=200, tuned=0.5, base=0.3)
    assert as_data(judged, wanted, asked="abc") == {
        **{"passed": True, "reason": judged.reason, "questions": 200, "asked": "abc"},
        **{"tuned": 0.5, "base": 0.3, "published": None},
        **{"recall_at": wanted.recall_at, "min_recall": 0.4},
    }


def test_only_the_same_questions_are_compared() -> None:
    asked = questions_id([b"a", b"b"], ["x", "y"], length=256)
    kept = {"asked": asked, "recall_at": 5, "tuned": 0.4}
    assert same_questions(kept, asked=asked, at=5) == 0.4
    assert same_questions(kept, asked=asked, at=1) is None
    assert same_questions(None, asked=asked, at=5) is None
    others = (
        questions_id([b"a", b"c"], ["x", "y"], length=256),
        questions_id([b"b", b"a"], ["x", "y"], length=256),
        questions_id([b"a", b"b"], ["x", "z"], length=256),
        questions_id([b"a", b"b"], ["x", "y"], length=384),
    )
    assert [same_questions(kept, asked=each, at=5) for each in others] == [None] * 4


BASE = """
description = "pets"
base_model = "titan-multimodal-embeddings-g1"
[serving]
mode = "provisioned"
lease_hours = 8
[budget]
max_run_usd = 50
"""


def loaded(text: str) -> Any:
    return load(BASE + text, file="customizations/pets.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[evaluation]\npictures = 50", "set min_recall, not_worse_than_base"),
        (
            '[evaluation]\nmin_recall = 0.5\n[dataset]\nvalidation = "optional"',
            'set validation = "required" in [dataset]',
        ),
    ],
)
def test_a_gate_that_cannot_be_is_refused(text: str, said: str) -> None:
    with pytest.raises(CustomizationError, match="evaluation") as caught:
        loaded(text)
    assert said in str(caught.value)


def test_models_of_other_tasks_have_no_gate() -> None:
    text = 'base_model = "nova-micro"\n[evaluation]\nmin_recall = 0.5\n'
    with pytest.raises(CustomizationError) as caught:
        load(text, file="customizations/answers.toml")
    assert "judges embedding models" in str(caught.value)


def test_the_calls_of_the_base_model_are_part_of_the_price() -> None:
    plain = estimate(customization=loaded(""))
    gated = estimate(customization=loaded("[evaluation]\nnot_worse_than_base = true"))
    (line,) = [each for each in gated.lines if each not in plain.lines]
    assert line.label == "evaluation of the base model"
    assert line.usd is not None
    assert 0 < line.usd < 1
    assert line.source
    alone = estimate(customization=loaded("[evaluation]\nmin_recall = 0.5"))
    assert alone.lines == plain.lines
