"""The gate before a new model of embeddings is published: does it find the pictures of a set?

Each caption is a question; pictures with the same caption are all right answers. A wrong picture
that is as near as the right one counts as nearer, as in `tuning compare`.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import mul
from typing import Any

from bedrock_tuning.config.sections.evaluation import Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationResult:
    """tuned, base, published: shares of questions with a right answer.

    base, published: None where they are not compared.
    """

    passed: bool
    reason: str
    questions: int
    tuned: float
    base: float | None
    published: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRecall:
    """The published model's evaluation. recall: None if it is of other questions, or of none."""

    run: str
    recall: float | None


def same_questions(record: Mapping[str, Any] | None, *, asked: str, at: int) -> float | None:
    """The recall that was kept of a model, if it was asked the same in the same way.

    asked: as `questions_id`.
    """
    if record is None or (record.get("asked"), record.get("recall_at")) != (asked, at):
        return None
    return float(record["tuned"])


def questions_id(pictures: Sequence[bytes], captions: Sequence[str], *, length: int | None) -> str:
    """What stands for the pictures, their captions and the length of vectors; None: the model's."""
    digest = hashlib.sha256(str(length).encode())
    for picture, caption in zip(pictures, captions, strict=True):
        digest.update(hashlib.sha256(picture).digest())
        digest.update(hashlib.sha256(caption.encode()).digest())
    return digest.hexdigest()


def recall(
    pictures: Sequence[Sequence[float]],
    texts: Sequence[Sequence[float]],
    numbers: Sequence[int],
    *,
    at: int,
) -> float:
    """The share of texts with a right picture among the nearest `at`.

    numbers: of each picture, which text is its caption. All vectors have one length.
    """
    units = [_unit(picture) for picture in pictures]
    hits = 0
    for number, text in enumerate(map(_unit, texts)):
        # Equal inputs must have equal similarities, whatever the order of the sums.
        similarities = [round(sum(map(mul, text, unit)), 9) for unit in units]
        best = max(
            similarity
            for similarity, owner in zip(similarities, numbers, strict=True)
            if owner == number
        )
        nearer_count = sum(
            owner != number and similarity >= best
            for similarity, owner in zip(similarities, numbers, strict=True)
        )
        hits += nearer_count < at
    return hits / len(texts)


def _unit(vector: Sequence[float]) -> Sequence[float]:
    length = math.hypot(*vector) or 1.0
    return [number / length for number in vector]


def judge_model(
    evaluation: Evaluation,
    *,
    questions: int,
    tuned: float,
    base: float | None = None,
    published: PublishedRecall | None = None,
) -> EvaluationResult:
    """Whether a model may be published. published: None if nothing is, or it does not matter."""
    measure = f"R@{evaluation.recall_at} of {questions:,} captions"
    reasons = []
    if evaluation.min_recall is not None and tuned < evaluation.min_recall:
        reasons.append(f"min_recall is {evaluation.min_recall:.1%}")
    if base is not None and tuned < base:
        reasons.append(f"its base model has {base:.1%}")
    if published is not None and published.recall is None:
        reasons.append(
            f"the published model, of run {published.run}, was not evaluated with this validation "
            "set and these settings, so the two cannot be compared"
        )
    elif published is not None and published.recall is not None and tuned < published.recall:
        reasons.append(f"the published model, of run {published.run}, has {published.recall:.1%}")
    comparison = "" if base is None else f", its base model {base:.1%}"
    if published is not None and published.recall is not None:
        comparison += f", the published model {published.recall:.1%}"
    sentence = f"{measure}: the tuned model has {tuned:.1%}"
    return EvaluationResult(
        passed=not reasons,
        reason=f"{sentence}, but {' and '.join(reasons)}" if reasons else f"{sentence}{comparison}",
        questions=questions,
        tuned=tuned,
        base=base,
        published=None if published is None else published.recall,
    )


def as_data(result: EvaluationResult, evaluation: Evaluation, *, asked: str) -> dict[str, Any]:
    """What is kept beside the report. asked: as `questions_id`."""
    settings = {
        "recall_at": evaluation.recall_at,
        "min_recall": evaluation.min_recall,
        "asked": asked,
    }
    return {**asdict(result), **settings}
