"""The gate before a new model of embeddings is published: does it find the pictures of a set?

Each caption is a question; pictures with the same caption are all right answers. A wrong picture
that is as near as the right one counts as nearer, as in `tuning compare`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any

from bedrock_tuning.config.sections.evaluation import Evaluation

Vector = Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """tuned, base: shares of questions with a right answer; base None where it was not asked."""

    passed: bool
    reason: str
    questions: int
    tuned: float
    base: float | None


def recall(
    pictures: Sequence[Vector], texts: Sequence[Vector], numbers: Sequence[int], *, at: int
) -> float:
    """The share of texts with a right picture among the nearest `at`.

    numbers: of each picture, which text is its caption. All vectors have one length.
    """
    units = [_unit(picture) for picture in pictures]
    found = 0
    for number, text in enumerate(map(_unit, texts)):
        # Equal inputs must have equal similarities, whatever the order of the sums.
        near = [round(sum(map(mul, text, unit)), 9) for unit in units]
        best = max(each for each, own in zip(near, numbers, strict=True) if own == number)
        nearer = sum(
            own != number and each >= best for each, own in zip(near, numbers, strict=True)
        )
        found += nearer < at
    return found / len(texts)


def _unit(vector: Vector) -> Vector:
    length = math.hypot(*vector) or 1.0
    return [number / length for number in vector]


def judge(wanted: Evaluation, *, questions: int, tuned: float, base: float | None) -> Judgement:
    """Whether a model may be published."""
    measure = f"R@{wanted.recall_at} of {questions:,} captions"
    reasons = []
    if wanted.min_recall is not None and tuned < wanted.min_recall:
        reasons.append(f"min_recall is {wanted.min_recall:.1%}")
    if base is not None and tuned < base:
        reasons.append(f"its base model has {base:.1%}")
    compared = "" if base is None else f", its base model {base:.1%}"
    said = f"{measure}: the tuned model has {tuned:.1%}"
    return Judgement(
        passed=not reasons,
        reason=f"{said}, but {' and '.join(reasons)}" if reasons else f"{said}{compared}",
        questions=questions,
        tuned=tuned,
        base=base,
    )


def as_data(judged: Judgement, wanted: Evaluation) -> dict[str, Any]:
    """What is kept beside the report."""
    return {
        "passed": judged.passed,
        "reason": judged.reason,
        "questions": judged.questions,
        "recall_at": wanted.recall_at,
        "tuned": judged.tuned,
        "base": judged.base,
        "min_recall": wanted.min_recall,
    }
