"""Did training pay? How well a base and a tuned model of embeddings find what belongs together.

Two questions are asked of each model: which picture belongs to a caption, and which caption to a
picture. Pictures with the same caption are all right answers to it, and so are all captions of one
picture to that. A question's rank is 1 where a right answer is nearest; a wrong answer that is as
near counts as nearer, so that a model that gives every input the same vector finds nothing.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from bedrock_tuning.serving.classes import ClassedBy, Classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

Vector: TypeAlias = "Sequence[float] | NDArray[Any]"
Direction = Literal["text-to-image", "image-to-text"]
DIRECTIONS: Final[tuple[Direction, Direction]] = ("text-to-image", "image-to-text")
ComparisonVerdict = Literal["better", "worse", "no-difference", "too-few"]

RECALL_AT: Final = (1, 5, 10)
# By which classes are ordered.
CLASS_RECALL_AT: Final = 5
# With fewer questions the interval is wider than what tuning usually changes.
QUESTIONS_MIN: Final = 200
# A class is shown without a verdict, so its interval only has to be right. Measured with changes of
# six kinds: among 30 questions it holds the true change in 92 to 97 % of samples, among 10 in 65 to
# 97 %.
CLASS_QUESTIONS_MIN: Final = 30
_RESAMPLES: Final = 2_000
_SEED: Final = 0
_CHUNK: Final = 1_000
_MOVED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """recall: share of questions with a right answer among the first N. mrr: mean of 1/rank."""

    recall: dict[int, float]
    mrr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Tuned minus base, with the 95 % interval of a paired bootstrap over the questions."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A question whose rank changed, and the answer that each model gave first.

    number: of the picture or of the distinct caption; the first answers are of the other kind.
    """

    number: int
    base: int
    tuned: int
    base_first: int
    tuned_first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What both models reach with the same questions."""

    questions: int
    base: Scores
    tuned: Scores
    recall_difference: dict[int, Difference]
    mrr_difference: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures(Figures):
    """Those of one class. too_few: its intervals say nothing."""

    name: str
    pictures: int
    too_few: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionFigures(Figures):
    """One direction. chance: recall of an order drawn by lot. moved: by how far, farthest first.

    classes: whose recall changed most first, and those with too few questions last.
    """

    direction: Direction
    chance: dict[int, float]
    moved: tuple[Moved, ...]
    classes: tuple[ClassFigures, ...]

    @property
    def verdict(self) -> ComparisonVerdict:
        """By the interval of the MRR's difference."""
        if self.questions < QUESTIONS_MIN:
            return "too-few"
        if self.mrr_difference.low > 0:
            return "better"
        return "worse" if self.mrr_difference.high < 0 else "no-difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both directions. captions: the distinct ones, to which Moved.number of a text refers.

    classed_by: what makes the classes of both; None if there are none.
    """

    images: int
    captions: tuple[str, ...]
    classed_by: ClassedBy | None
    sides: tuple[DirectionFigures, DirectionFigures]

    @property
    def verdict(self) -> ComparisonVerdict:
        """Better only where one direction is and none is worse; few questions decide nothing."""
        verdicts = {side.verdict for side in self.sides}
        for verdict in ("worse", "better", "no-difference"):
            if verdict in verdicts:
                return verdict
        return "too-few"


def distinct(captions: Sequence[str]) -> tuple[list[str], list[int]]:
    """Captions that differ by more than case and blanks, and each caption's number among them."""
    numbers: dict[str, int] = {}
    texts: list[str] = []
    indexes = []
    for caption in captions:
        key = " ".join(caption.lower().split())
        if key not in numbers:
            numbers[key] = len(texts)
            texts.append(caption)
        indexes.append(numbers[key])
    return texts, indexes


def compare(
    *,
    captions: Sequence[str],
    pictures: Sequence[int] | None = None,
    classes: Classes | None = None,
    base: tuple[Sequence[Vector], Sequence[Vector]],
    tuned: tuple[Sequence[Vector], Sequence[Vector]],
) -> Comparison:
    """Compares two models on the same pictures.

    captions: of all pairs. pictures: the number of each pair's picture, from 0; without, each pair
    has a picture of its own. base, tuned: vectors of the pictures, and of distinct(captions).
    """
    distinct_captions, texts = distinct(captions)
    right_pairs = sorted(
        set(zip(range(len(captions)) if pictures is None else pictures, texts, strict=True))
    )
    sides = []
    for direction in DIRECTIONS:
        pairs = (
            right_pairs
            if direction == "image-to-text"
            else [(text, image) for image, text in right_pairs]
        )
        base_ranking, tuned_ranking = (
            _rank(*(vectors if direction == "image-to-text" else vectors[::-1]), pairs)
            for vectors in (base, tuned)
        )
        answer_count = len(base[direction == "image-to-text"])
        side = _side(direction, base_ranking, tuned_ranking, _chance(pairs, answer_count))
        if classes is not None:
            class_numbers = (
                classes.of_picture if direction == "image-to-text" else classes.of_texts(pairs)
            )
            side = replace(
                side,
                classes=_by_class(classes, class_numbers, base_ranking.ranks, tuned_ranking.ranks),
            )
        sides.append(side)
    return Comparison(
        images=len(base[0]),
        captions=tuple(distinct_captions),
        classed_by=None if classes is None else classes.by,
        sides=(sides[0], sides[1]),
    )


def _unit(vectors: Sequence[Vector]) -> "NDArray[Any]":
    import numpy as np

    matrix = np.asarray(vectors, dtype=np.float64)
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(norms == 0, 1, norms)


class _Ranking(NamedTuple):
    """Of each question: the rank of its best right answer, and the answer that came first."""

    ranks: "NDArray[Any]"
    first: "NDArray[Any]"


def _rank(
    question_vectors: Sequence[Vector],
    answer_vectors: Sequence[Vector],
    pairs: Sequence[tuple[int, int]],
) -> _Ranking:
    """pairs: a question and a right answer to it. Chunks: 20,000 by 20,000 numbers are 3 GB."""
    import numpy as np

    questions, answers, right_pairs = (
        _unit(question_vectors),
        _unit(answer_vectors),
        np.asarray(pairs),
    )
    ranks, first = [], []
    for start in range(0, len(questions), _CHUNK):
        # Equal inputs must have equal similarities, whatever the order of the sums.
        similarities = np.round(questions[start : start + _CHUNK] @ answers.T, 9)
        is_right = np.zeros(similarities.shape, dtype=bool)
        chunk_pairs = right_pairs[
            (right_pairs[:, 0] >= start) & (right_pairs[:, 0] < start + _CHUNK)
        ]
        is_right[chunk_pairs[:, 0] - start, chunk_pairs[:, 1]] = True
        thresholds = np.where(is_right, similarities, -np.inf).max(axis=1)
        ranks.append(1 + (~is_right & (similarities >= thresholds[:, None])).sum(axis=1))
        first.append(similarities.argmax(axis=1))
    return _Ranking(np.concatenate(ranks), np.concatenate(first))


def _side(
    direction: Direction,
    base_ranking: _Ranking,
    tuned_ranking: _Ranking,
    chance: dict[int, float],
) -> DirectionFigures:
    import numpy as np

    base, tuned = base_ranking.ranks, tuned_ranking.ranks
    moves = [
        Moved(
            number=number,
            base=int(base[number]),
            tuned=int(tuned[number]),
            base_first=int(base_ranking.first[number]),
            tuned_first=int(tuned_ranking.first[number]),
        )
        for number in np.flatnonzero(base != tuned).tolist()
    ]
    moves.sort(key=lambda move: abs(math.log(move.base / move.tuned)), reverse=True)
    return DirectionFigures(
        **_figures(base, tuned),
        direction=direction,
        chance=chance,
        moved=tuple(moves[:_MOVED]),
        classes=(),
    )


def _by_class(
    classes: Classes, class_numbers: Sequence[int], base: "NDArray[Any]", tuned: "NDArray[Any]"
) -> tuple[ClassFigures, ...]:
    """class_numbers: the class of each question. A class without a question is left out."""
    import numpy as np

    question_classes, pictures = np.asarray(class_numbers), Counter(classes.of_picture)
    figures = [
        ClassFigures(
            **_figures(base[mask], tuned[mask]),
            name=classes.names[number],
            pictures=pictures[number],
            too_few=int(mask.sum()) < CLASS_QUESTIONS_MIN,
        )
        for number in sorted(set(class_numbers))
        for mask in [question_classes == number]
    ]

    def change(entry: ClassFigures) -> tuple[bool, float, float]:
        differences = (entry.recall_difference[CLASS_RECALL_AT], entry.mrr_difference)
        recall, mrr = (-abs(difference.value) for difference in differences)
        return entry.too_few, recall, mrr

    return tuple(sorted(figures, key=change))


def _figures(base: "NDArray[Any]", tuned: "NDArray[Any]") -> dict[str, Any]:
    """The fields of Figures, of the ranks of the same questions."""
    import numpy as np

    rng = np.random.default_rng(_SEED)
    samples = rng.integers(0, len(base), size=(_RESAMPLES, len(base)))

    def difference(before: "NDArray[Any]", after: "NDArray[Any]") -> Difference:
        changes = after.astype(float) - before.astype(float)
        means = changes[samples].mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        return Difference(value=float(changes.mean()), low=float(low), high=float(high))

    return {
        "questions": len(base),
        "base": _scores(base),
        "tuned": _scores(tuned),
        "recall_difference": {
            cutoff: difference(base <= cutoff, tuned <= cutoff) for cutoff in RECALL_AT
        },
        "mrr_difference": difference(1 / base, 1 / tuned),
    }


def _scores(ranks: "NDArray[Any]") -> Scores:
    return Scores(
        recall={cutoff: float((ranks <= cutoff).mean()) for cutoff in RECALL_AT},
        mrr=float((1 / ranks).mean()),
    )


def _chance(pairs: Sequence[tuple[int, int]], answer_count: int) -> dict[int, float]:
    """The mean probability that a right answer is among the first N of an order drawn by lot."""
    right_counts = Counter(question for question, _ in pairs)
    return {
        cutoff: sum(
            1 - _chance_of_none(answer_count, count, min(cutoff, answer_count))
            for count in right_counts.values()
        )
        / len(right_counts)
        for cutoff in RECALL_AT
    }


def _chance_of_none(answer_count: int, right_count: int, draw_count: int) -> float:
    """The probability that `draw_count` of all answers hold none of the right ones."""
    return math.comb(answer_count - right_count, draw_count) / math.comb(answer_count, draw_count)
