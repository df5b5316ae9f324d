"""What captions are made of: names without a class, languages, images that break several limits."""

import json
from collections.abc import Sequence

import pytest

from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.images import check_images
from bedrock_tuning.checking.result import merge
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.dataset.language import language_of
from bedrock_tuning.dataset.scope import ImageRef
from bedrock_tuning.report.report import Report
from tests.support.examples import check, scope_of
from tests.support.pictures import Folder, png

FLAGSHIP = "titan-multimodal-embeddings-g1"
PETS = "titan-image-generator-v2"


def judged(captions: Sequence[str], *, model: str = FLAGSHIP) -> Report:
    scope = scope_of(model)
    rows = [
        {"image-ref": f"s3://bucket/folder/{number}.png", "caption": caption}
        for number, caption in enumerate(captions)
    ]
    data = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    _, result = check(data, scope=scope)
    return conclude(result, ModelRequirements(base_model=scope.model, dataset=scope.contract))


def words(report: Report, name: str) -> list[str]:
    return [each.message for each in report.findings if each.name == name]


@pytest.mark.parametrize(
    ("captions", "names"),
    [
        (["Ron on a bed", "Ron in a car", "Ron at the sea"], ["Ron"]),
        (["a photo of Fidolin", "Fidolin asleep", "the sea with Fidolin"], ["Fidolin"]),
        (["Ron on a bed", "Ron in a car", "Smila on a sofa"] * 3, ["Ron", "Smila"]),
        (["Ron the dog on a bed", "Ron in a car", "Ron at the sea"], []),
        (["Ron, a dog, on a bed", "Ron in a car", "Ron at the sea"], []),
        (["the dog Ron on a bed", "the dog Ron in a car", "a dog named Ron"], []),
        (["Dog on a bed", "Dog in a car", "Dog at the sea"], []),
        (["A red sofa", "A red sofa in a room", "The sofa by a window"], []),
        (["a view of Mount Everest", "snow on Mount Everest", "Mount Everest"], []),
        (["USB cable", "USB plug", "a USB stick"], []),
        (["Ron on a bed", "a cat"], []),
    ],
)
def test_a_name_without_its_class_is_told(captions: list[str], names: list[str]) -> None:
    report = judged(captions, model=PETS)

    assert [each.split('"')[1] for each in words(report, "name-without-class-word")] == names
    assert all(each.severity == "warning" for each in report.findings if each.rule == "D210")


@pytest.mark.parametrize(
    ("caption", "language"),
    [
        ("a dog on a lawn", "English"),
        ("ein Hund auf der Wiese", "German"),
        ("un chien sur la plage", "French"),
        ("un perro en la playa con una pelota", "Spanish"),
        ("um cão na praia com uma bola", "Portuguese"),
        ("een hond op het strand", "Dutch"),
        ("un cane sulla spiaggia con la palla", "Italian"),
        ("собака на пляже", "another script"),
        ("犬が眠る", "another script"),
        ("un perro en la playa", "French or Spanish"),
        ("o gato está na mesa", "Portuguese"),
        ("IMG 1234", ""),
        ("dog no 3", ""),
        ("white van 4", ""),
        ("die cast car", ""),
        ("do not enter", ""),
        ("las vegas sign", ""),
        ("la croix can", ""),
        ("el camino car", ""),
        ("en suite bathroom", ""),
        ("pies na plaży przy wodzie", "Polish"),
        # Half of the letters are Latin ones, or fewer.
        ("aя", ""),
        ("aяя", "another script"),
        # Words that are English, too, tell something from three on; single letters never.
        ("la la car", ""),
        ("la la la car", "French or Italian or Spanish"),
        ("im", "German"),
        ("a la", "English"),
        ("z z", ""),
        ("z fold", ""),
        ("dog", ""),
        ("", ""),
    ],
)
def test_the_language_of_a_caption_is_told_by_its_commonest_words(
    caption: str, language: str
) -> None:
    assert language_of(caption) == language


GERMAN = "ein Hund auf der Wiese"


@pytest.mark.parametrize(
    ("captions", "count"),
    [
        ([GERMAN] * 20, 1),
        (["a dog on a lawn"] * 20, 0),
        (["a dog on a lawn"] * 95 + [GERMAN] * 5, 0),
        (["a dog on a lawn"] * 80 + ["犬が眠る"] * 20, 1),
        (["dog"] * 20, 0),
        ([f"dog no {n}" for n in range(300)], 0),
        ([f"dog {n}" for n in range(295)] + [GERMAN] * 5, 0),
        ([f"{GERMAN} {n}" for n in range(5_000)], 1),
    ],
)
def test_captions_that_are_not_english_are_a_warning(captions: list[str], count: int) -> None:
    found = words(judged(captions), "captions-not-english")

    assert len(found) == count
    assert all("are not in English" in each for each in found)


def test_the_share_of_captions_in_another_language_is_told() -> None:
    report = judged(["a dog on a lawn"] * 15 + [GERMAN] * 5)
    values = [each.value for each in report.findings if each.name == "captions-not-english"]
    assert values == ["25%"]


def test_the_language_of_a_model_that_names_none_does_not_matter() -> None:
    assert words(judged([GERMAN] * 20, model=PETS), "captions-not-english") == []


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ([("1.png", "a dog"), ("1.png", "a brown dog"), ("1.png", "a dog on a lawn")], []),
        ([("1.png", "a dog"), ("1.png", "a dog")], ["those of line 1"]),
        ([("1.png", "a dog"), ("1.png", "a cat"), ("1.png", "a cat")], ["those of line 1"]),
        ([("1.png", "a dog"), ("2.png", "a dog")], ["that of line 1"]),
        ([("1.png", "a dog"), ("2.png", "a cat")], ["that of line 1"]),
    ],
)
def test_several_captions_of_one_image_are_no_copies(
    pairs: Sequence[tuple[str, str]], told: list[str]
) -> None:
    scope = scope_of(FLAGSHIP)
    rows = [
        {"image-ref": f"s3://bucket/folder/{name}", "caption": caption} for name, caption in pairs
    ]
    refs, text = check("\n".join(json.dumps(row) for row in rows).encode(), scope=scope)
    same = dict.fromkeys(("folder/1.png", "folder/2.png"), png(600, 400))
    result = merge([text, check_images(refs, Folder(same), scope)])
    report = conclude(result, ModelRequirements(base_model=scope.model, dataset=scope.contract))

    found = words(report, "duplicate-image")
    assert len(found) == len(told)
    assert all(each.endswith(end) for each, end in zip(found, told, strict=True))


def test_an_image_is_one_error_however_many_limits_it_breaks() -> None:
    scope, ref = scope_of(), [ImageRef(1, "folder/1.png")]
    result = check_images(ref, Folder({"folder/1.png": png(5_000, 100)}), scope)
    ((finding,),) = result.findings.values()

    assert sum(result.counts.values()) == 1
    assert finding.message == (
        "the height is 100 px; the width is 5,000 px; width / height is 50.000"
    )
