"""Retrieval by two models: ranks against a count by hand, intervals, and the verdict."""

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.serving.comparison import RECALL_AT, Comparison, compare, distinct

Vectors = list[list[float]]


def noisy(
    captions: int, copies: int, noise: float, *, seed: int = 1
) -> tuple[list[str], Vectors, Vectors]:
    """Captions of pictures, vectors of the pictures, vectors of the distinct captions.

    A picture's vector is its caption's plus noise.
    """
    dice = random.Random(seed)  # noqa: S311
    texts = [[dice.gauss(0, 1) for _ in range(16)] for _ in range(captions)]
    names, images = [], []
    for number in range(captions):
        for _ in range(copies):
            names.append(f"caption {number}")
            images.append([x + noise * dice.gauss(0, 1) for x in texts[number]])
    return names, images, texts


def by_hand(names: Sequence[str], images: Vectors, texts: Vectors) -> dict[str, list[int]]:
    """The ranks, counted one by one."""

    def near(one: Sequence[float], other: Sequence[float]) -> float:
        product = sum(a * b for a, b in zip(one, other, strict=True))
        return round(product / math.hypot(*one) / math.hypot(*other), 9)

    kept, numbers = distinct(names)
    found: dict[str, list[int]] = {"text-to-image": [], "image-to-text": []}
    for number in range(len(kept)):
        mine = [
            near(texts[number], image)
            for image, n in zip(images, numbers, strict=True)
            if n == number
        ]
        others = [
            near(texts[number], image)
            for image, n in zip(images, numbers, strict=True)
            if n != number
        ]
        found["text-to-image"].append(1 + sum(other >= max(mine) for other in others))
    for image, number in zip(images, numbers, strict=True):
        mine_ = near(image, texts[number])
        others = [near(image, text) for n, text in enumerate(texts) if n != number]
        found["image-to-text"].append(1 + sum(other >= mine_ for other in others))
    return found


@pytest.mark.parametrize(("captions", "copies", "noise"), [(12, 1, 2.0), (7, 3, 1.0), (3, 5, 4.0)])
def test_scores_are_those_that_one_counts_by_hand(captions: int, copies: int, noise: float) -> None:
    names, images, texts = noisy(captions, copies, noise)
    result = compare(captions=names, base=(images, texts), tuned=(images, texts))
    expected = by_hand(names, images, texts)
    for side in result.sides:
        ranks = expected[side.direction]
        assert side.questions == len(ranks)
        assert side.base.mrr == pytest.approx(sum(1 / rank for rank in ranks) / len(ranks))
        for at in RECALL_AT:
            assert side.base.recall[at] == pytest.approx(sum(r <= at for r in ranks) / len(ranks))


def test_a_model_that_gives_every_input_the_same_vector_finds_nothing() -> None:
    names = [f"caption {number}" for number in range(300)]
    same: Vectors = [[1.0, 2.0, 3.0]] * 300
    result = compare(captions=names, base=(same, same), tuned=(same, same))
    assert [side.base.recall[10] for side in result.sides] == [0.0, 0.0]


def verdict_of(base_noise: float, tuned_noise: float, *, captions: int = 250) -> Comparison:
    names, images, texts = noisy(captions, 1, base_noise, seed=1)
    _, tuned_images, tuned_texts = noisy(captions, 1, tuned_noise, seed=2)
    return compare(captions=names, base=(images, texts), tuned=(tuned_images, tuned_texts))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("base_noise", "tuned_noise", "verdict"),
    [(3.0, 0.5, "better"), (0.5, 3.0, "worse"), (1.5, 1.5, "no-difference")],
)
def test_the_verdict_follows_the_interval(
    base_noise: float, tuned_noise: float, verdict: str
) -> None:
    result = verdict_of(base_noise, tuned_noise)
    assert result.verdict == verdict
    for side in result.sides:
        difference = side.mrr_difference
        assert difference.low <= difference.value <= difference.high
        assert difference.value == pytest.approx(side.tuned.mrr - side.base.mrr)


def test_with_few_questions_nothing_is_decided() -> None:
    assert verdict_of(3.0, 0.5, captions=50).verdict == "too-few"


def test_captions_that_differ_in_case_and_blanks_only_are_one_answer() -> None:
    assert distinct(["A dog", "a  dog ", "a cat"]) == (["A dog", "a cat"], [0, 0, 1])


def test_each_of_the_captions_of_a_picture_is_right_and_none_counts_against_it() -> None:
    """Five captions each, and a model that puts all five nearest to their picture."""
    dice = random.Random(3)  # noqa: S311
    images = [[dice.gauss(0, 1) for _ in range(16)] for _ in range(40)]
    pictures = [number for number in range(40) for _ in range(5)]
    names = [f"caption {place} of picture {number}" for place, number in enumerate(pictures)]
    texts = [[x + 0.01 * dice.gauss(0, 1) for x in images[number]] for number in pictures]
    found = compare(captions=names, pictures=pictures, base=(images, texts), tuned=(images, texts))
    assert found.images == 40
    assert [side.questions for side in found.sides] == [200, 40]
    assert [side.base.recall[1] for side in found.sides] == [1.0, 1.0]
    # One picture of 40 is right for a caption, five captions of 200 for a picture.
    assert found.sides[0].chance[1] == pytest.approx(1 / 40)
    assert found.sides[1].chance[1] == pytest.approx(5 / 200)


@pytest.mark.slow
def test_chance_is_the_share_that_random_vectors_reach() -> None:
    reached = dict.fromkeys(RECALL_AT, 0.0)
    rounds = 60
    for seed in range(rounds):
        names, images, _ = noisy(8, 4, 100.0, seed=seed)
        _, _, texts = noisy(8, 4, 0.0, seed=seed + 1_000)
        side = compare(captions=names, base=(images, texts), tuned=(images, texts)).sides[0]
        for at in RECALL_AT:
            reached[at] += side.base.recall[at] / rounds
    for at in RECALL_AT:
        assert reached[at] == pytest.approx(side.chance[at], abs=0.08)


def test_what_moved_farthest_comes_first() -> None:
    result = verdict_of(3.0, 0.5)
    for side in result.sides:
        shares = [abs(math.log(move.base / move.tuned)) for move in side.moved]
        assert shares == sorted(shares, reverse=True)
        assert all(move.base != move.tuned for move in side.moved)


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12), st.integers(0, 10**6))
def test_the_order_of_the_pictures_changes_no_score(names: list[str], seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    kept, numbers = distinct(names)
    texts = [[dice.gauss(0, 1) for _ in range(4)] for _ in kept]
    images = [[dice.gauss(0, 1) for _ in range(4)] for _ in names]
    once = compare(captions=names, base=(images, texts), tuned=(images, texts))
    order = list(range(len(names)))
    dice.shuffle(order)
    shuffled = [names[place] for place in order]
    texts_again = [texts[numbers[names.index(name)]] for name in distinct(shuffled)[0]]
    images_again = [images[place] for place in order]
    again = compare(
        captions=shuffled, base=(images_again, texts_again), tuned=(images_again, texts_again)
    )
    for one, other in zip(once.sides, again.sides, strict=True):
        assert one.base.mrr == pytest.approx(other.base.mrr)
