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
    kept: list[str] = []
    found = []
    for caption in captions:
        key = " ".join(caption.lower().split())
        if key not in numbers:
            numbers[key] = len(kept)
            kept.append(caption)
        found.append(numbers[key])
    return kept, found


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
    kept, texts = distinct(captions)
    right = sorted(
        set(zip(range(len(captions)) if pictures is None else pictures, texts, strict=True))
    )
    sides = []
    for direction in DIRECTIONS:
        pairs = right if direction == "image-to-text" else [(text, image) for image, text in right]
        of_base, of_tuned = (
            _answered(*(given if direction == "image-to-text" else given[::-1]), pairs)
            for given in (base, tuned)
        )
        offered = len(base[direction == "image-to-text"])
        side = _side(direction, of_base, of_tuned, _chance(pairs, offered))
        if classes is not None:
            whose = classes.of_picture if direction == "image-to-text" else classes.of_texts(pairs)
            side = replace(side, classes=_by_class(classes, whose, of_base.ranks, of_tuned.ranks))
        sides.append(side)
    return Comparison(
        images=len(base[0]),
        captions=tuple(kept),
        classed_by=None if classes is None else classes.by,
        sides=(sides[0], sides[1]),
    )


def _unit(vectors: Sequence[Vector]) -> "NDArray[Any]":
    import numpy as np

    matrix = np.asarray(vectors, dtype=np.float64)
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(norms == 0, 1, norms)


class _Answered(NamedTuple):
    """Of each question: the rank of its best right answer, and the answer that came first."""

    ranks: "NDArray[Any]"
    first: "NDArray[Any]"


def _answered(
    asked: Sequence[Vector],
    offered: Sequence[Vector],
    pairs: Sequence[tuple[int, int]],
) -> _Answered:
    """pairs: a question and a right answer to it. Chunks: 20,000 by 20,000 numbers are 3 GB."""
    import numpy as np

    questions, answers, known = _unit(asked), _unit(offered), np.asarray(pairs)
    ranks, first = [], []
    for start in range(0, len(questions), _CHUNK):
        # Equal inputs must have equal similarities, whatever the order of the sums.
        near = np.round(questions[start : start + _CHUNK] @ answers.T, 9)
        right = np.zeros(near.shape, dtype=bool)
        here = known[(known[:, 0] >= start) & (known[:, 0] < start + _CHUNK)]
        right[here[:, 0] - start, here[:, 1]] = True
        best = np.where(right, near, -np.inf).max(axis=1)
        ranks.append(1 + (~right & (near >= best[:, None])).sum(axis=1))
        first.append(near.argmax(axis=1))
    return _Answered(np.concatenate(ranks), np.concatenate(first))


def _side(
    direction: Direction,
    of_base: _Answered,
    of_tuned: _Answered,
    chance: dict[int, float],
) -> DirectionFigures:
    import numpy as np

    base, tuned = of_base.ranks, of_tuned.ranks
    moved = [
        Moved(
            number=number,
            base=int(base[number]),
            tuned=int(tuned[number]),
            base_first=int(of_base.first[number]),
            tuned_first=int(of_tuned.first[number]),
        )
        for number in np.flatnonzero(base != tuned).tolist()
    ]
    moved.sort(key=lambda move: abs(math.log(move.base / move.tuned)), reverse=True)
    return DirectionFigures(
        **_figures(base, tuned),
        direction=direction,
        chance=chance,
        moved=tuple(moved[:_MOVED]),
        classes=(),
    )


def _by_class(
    classes: Classes, whose: Sequence[int], base: "NDArray[Any]", tuned: "NDArray[Any]"
) -> tuple[ClassFigures, ...]:
    """whose: the class of each question. A class without a question is left out."""
    import numpy as np

    asked, pictures = np.asarray(whose), Counter(classes.of_picture)
    found = [
        ClassFigures(
            **_figures(base[mine], tuned[mine]),
            name=classes.names[number],
            pictures=pictures[number],
            too_few=int(mine.sum()) < CLASS_QUESTIONS_MIN,
        )
        for number in sorted(set(whose))
        for mine in [asked == number]
    ]

    def change(each: ClassFigures) -> tuple[bool, float, float]:
        differences = (each.recall_difference[CLASS_RECALL_AT], each.mrr_difference)
        recall, mrr = (-abs(difference.value) for difference in differences)
        return each.too_few, recall, mrr

    return tuple(sorted(found, key=change))


def _figures(base: "NDArray[Any]", tuned: "NDArray[Any]") -> dict[str, Any]:
    """The fields of Figures, of the ranks of the same questions."""
    import numpy as np

    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(0, len(base), size=(_RESAMPLES, len(base)))

    def difference(before: "NDArray[Any]", after: "NDArray[Any]") -> Difference:
        changed = after.astype(float) - before.astype(float)
        means = changed[drawn].mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        return Difference(value=float(changed.mean()), low=float(low), high=float(high))

    return {
        "questions": len(base),
        "base": _scores(base),
        "tuned": _scores(tuned),
        "recall_difference": {at: difference(base <= at, tuned <= at) for at in RECALL_AT},
        "mrr_difference": difference(1 / base, 1 / tuned),
    }


def _scores(ranks: "NDArray[Any]") -> Scores:
    return Scores(
        recall={at: float((ranks <= at).mean()) for at in RECALL_AT},
        mrr=float((1 / ranks).mean()),
    )


def _chance(pairs: Sequence[tuple[int, int]], offered: int) -> dict[int, float]:
    """The mean probability that a right answer is among the first N of an order drawn by lot."""
    right = Counter(question for question, _ in pairs)
    return {
        at: sum(1 - _none(offered, count, min(at, offered)) for count in right.values())
        / len(right)
        for at in RECALL_AT
    }


def _none(offered: int, right: int, drawn: int) -> float:
    """The probability that none of `right` among `offered` is among `drawn`."""
    return math.comb(offered - right, drawn) / math.comb(offered, drawn)
