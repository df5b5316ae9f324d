"""Which pictures make a class, and what each class gained or lost."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.serving.classes import Classes, classes_of
from bedrock_tuning.serving.comparison import (
    CLASS_QUESTIONS_MIN,
    RECALL_AT,
    Comparison,
    DirectionFigures,
    compare,
    distinct,
)

Vectors = list[list[float]]
HOME = "s3://valid/pets-search/images"


def own(*captions: str) -> list[list[str]]:
    return [[caption] for caption in captions]


@pytest.mark.parametrize("root", [HOME, "s3://valid/elsewhere", "images", ""])
def test_pictures_of_one_folder_are_a_class_whatever_they_are_called(root: str) -> None:
    names = [f"{root}/{name}".lstrip("/") for name in ("dogs/1", "cats/1", "dogs/2", "cats/2")]
    found = classes_of(names, own("a", "a", "b", "b"))
    assert found == Classes(by="folder", names=("cats", "dogs"), of_picture=(1, 0, 1, 0))


def test_a_folder_in_a_folder_is_a_class_of_its_own_and_pictures_in_none_are_one_too() -> None:
    places = ("a/b", "a/b", "a-b", "a-b", "a", "a", "", "")
    names = [f"{HOME}/{place}/{n}.png".replace("//", "/") for n, place in enumerate(places)]
    found = classes_of(names, own(*"abcdefgh"))
    assert found is not None
    assert found.names == ("(no folder)", "a", "a-b", "a/b")
    assert found.of_picture == (3, 3, 2, 2, 1, 1, 0, 0)


def test_without_folders_pictures_that_share_a_caption_are_a_class() -> None:
    names = [f"{HOME}/{number}.png" for number in range(4)]
    found = classes_of(names, own("the letter B", "the letter A", "the letter B", "the letter A"))
    assert found == Classes(
        by="caption", names=("the letter A", "the letter B"), of_picture=(1, 0, 1, 0)
    )


@pytest.mark.parametrize(
    ("names", "captions"),
    [
        (["images/1", "images/2"], own("a", "b")),
        (["images/1", "images/2", "images/3"], own("a", "a", "a")),
        # A folder for each picture, and one of two.
        (["a/1", "b/1", "c/1", "c/2"], own(*"abcd")),
        # Most captions are of one picture only.
        ([f"images/{n}" for n in range(9)], own(*"aabbcdefg")),
        # Two captions each make no classes, even where they repeat.
        (["images/1", "images/2", "images/3", "images/4"], [["a", "b"]] * 2 + [["c", "d"]] * 2),
        (["images/1", "images/2", "images/3", "images/4"], [*own(*"aac"), ["c", "d"]]),
    ],
)
def test_other_sets_have_no_classes(names: list[str], captions: list[list[str]]) -> None:
    assert classes_of(names, captions) is None


def test_a_text_of_pictures_in_two_classes_belongs_to_the_one_that_has_most_of_them() -> None:
    classes = Classes(by="folder", names=("cats", "dogs"), of_picture=(0, 1, 1, 0))
    assert classes.of_texts([(0, 0), (0, 1), (0, 2), (1, 3), (2, 0), (2, 1)]) == [1, 0, 0]


def learned(noise: dict[str, float], *, each: int, seed: int) -> tuple[Vectors, Vectors]:
    """Vectors of `each` pictures of every folder, and of their captions, as near as noise lets."""
    dice = random.Random(f"{seed}")  # noqa: S311
    texts = [[dice.gauss(0, 1) for _ in range(16)] for _ in range(each * len(noise))]
    shares = [share for share in noise.values() for _ in range(each)]
    images = [
        [x + share * dice.gauss(0, 1) for x in text]
        for text, share in zip(texts, shares, strict=True)
    ]
    return images, texts


def by_folder(base: dict[str, float], tuned: dict[str, float], *, each: int) -> Comparison:
    names = [f"{HOME}/{folder}/{number}.png" for folder in base for number in range(each)]
    captions = [f"a picture with the number {number}" for number in range(len(names))]
    return compare(
        captions=captions,
        classes=classes_of(names, own(*captions)),
        base=learned(base, each=each, seed=1),
        tuned=learned(tuned, each=each, seed=1),
    )


def test_a_class_that_improved_is_told_from_one_that_did_not() -> None:
    nothing = {"cats": 3.0, "dogs": 3.0}
    found = by_folder(nothing, {"cats": 3.0, "dogs": 0.5}, each=60)
    assert found.classed_by == "folder"
    for side in found.sides:
        dogs, cats = side.classes
        assert (dogs.name, cats.name) == ("dogs", "cats")
        assert dogs.pictures == dogs.questions == 60
        assert dogs.recall_difference[5].low > 0
        assert cats.recall_difference[5].low <= 0 <= cats.recall_difference[5].high


def test_a_model_that_learned_nothing_is_the_same_in_each_class() -> None:
    nothing = {"cats": 3.0, "dogs": 1.0}
    for side in by_folder(nothing, nothing, each=60).sides:
        assert {each.name for each in side.classes} == {"cats", "dogs"}
        for each in side.classes:
            assert each.base == each.tuned
            assert each.recall_difference[5].low == each.recall_difference[5].high == 0
            assert not each.too_few


def test_a_class_with_few_questions_tells_nothing_and_comes_last() -> None:
    several = CLASS_QUESTIONS_MIN
    names = [f"{HOME}/{'dogs' if n < several else 'cats'}/{n}" for n in range(2 * several - 1)]
    captions = list(map(str, range(len(names))))
    images, texts = learned({"": 0.5}, each=len(names), seed=1)
    # Only cats get better, from nothing to all.
    wrong = images[:several] + [[-x for x in image] for image in images[several:]]
    found = compare(
        captions=captions,
        classes=classes_of(names, own(*captions)),
        base=(wrong, texts),
        tuned=(images, texts),
    )
    side = found.sides[1]
    assert [(each.name, each.too_few) for each in side.classes] == [("dogs", False), ("cats", True)]


def weighted(side: DirectionFigures, at: int) -> float:
    return sum(each.questions * each.tuned.recall[at] for each in side.classes) / side.questions


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("uvwxyz")), min_size=4, max_size=30),
    st.integers(0, 10**6),
)
def test_the_classes_are_the_whole_in_parts(rows: Sequence[tuple[str, str]], seed: int) -> None:
    names = [f"{HOME}/{folder}/{number}" for number, (folder, _) in enumerate(rows)]
    captions = [caption for _, caption in rows]
    classes = classes_of(names, own(*captions))
    dice = random.Random(seed)  # noqa: S311
    texts = [[dice.gauss(0, 1) for _ in range(4)] for _ in distinct(captions)[0]]
    images = [[dice.gauss(0, 1) for _ in range(4)] for _ in rows]
    found = compare(captions=captions, classes=classes, base=(images, texts), tuned=(images, texts))
    if classes is None:
        assert found.classed_by is None
        assert not any(side.classes for side in found.sides)
        return
    assert sum(each.pictures for each in found.sides[1].classes) == len(rows)
    for side in found.sides:
        assert sum(each.questions for each in side.classes) == side.questions
        for at in RECALL_AT:
            assert weighted(side, at) == pytest.approx(side.tuned.recall[at])
