"""Right before a job, every image is what it was when it was checked, or no job starts."""

import json
from typing import Any

import pytest

from lambdas import check_images, verify_images
from lambdas._records import _pins
from tests.lambdas.aws import OUTPUT, TRAINING, VALIDATION, Aws, settings
from tests.support.pictures import png

NAME, RUN = "pets-search", "20261121-093000-aaaaaa"
PICTURE, OTHER = png(520, 520), png(640, 640)


def _put(aws: Aws, key: str, body: bytes = PICTURE, bucket: str = TRAINING) -> None:
    aws.s3.objects.put(bucket, f"{NAME}/images/{key}", body)


def _pinned(aws: Aws) -> None:
    """What the check of one shard would have kept of all images that are there."""
    pins: dict[Any, dict[str, str]] = {
        kind: {
            key: found[-1].etag.strip('"')
            for key, found in aws.s3.objects.buckets.get(bucket, {}).items()
        }
        for kind, bucket in (("training", TRAINING), ("validation", VALIDATION))
    }
    _pins.write(OUTPUT, RUN, "00000", pins)
    _pins.merge(OUTPUT, RUN, NAME, shards=1)


def _verify(shards: int = 1) -> dict[str, Any]:
    event = {"run": RUN, "settings": settings(NAME), "check": {"shards": shards}}
    return verify_images.handler(event, None)


@pytest.fixture
def checked(aws: Aws) -> Aws:
    """A training set of three images and a validation set of one, checked."""
    for name in ("a.png", "b.png", "c.png"):
        _put(aws, name)
    _put(aws, "v.png", bucket=VALIDATION)
    _pinned(aws)
    return aws


def test_images_that_are_as_they_were_let_the_job_start(checked: Aws) -> None:
    assert _verify()["decision"] == "same"


def test_an_image_that_came_later_changes_nothing(checked: Aws) -> None:
    _put(checked, "new.png")
    assert _verify()["decision"] == "same"


def test_an_image_that_was_replaced_stops_the_run_by_its_name(checked: Aws) -> None:
    _put(checked, "b.png", OTHER)
    answer = _verify()
    assert answer["decision"] == "outdated"
    assert f"s3://{TRAINING}/{NAME}/images/b.png" in answer["reason"]
    assert "a.png" not in answer["reason"]


def test_an_image_of_the_validation_set_that_vanished_stops_the_run(checked: Aws) -> None:
    del checked.s3.objects.buckets[VALIDATION][f"{NAME}/images/v.png"]
    assert f"s3://{VALIDATION}/{NAME}/images/v.png" in _verify()["reason"]


@pytest.mark.parametrize(
    ("images", "more"), [(20, ""), (21, " and 1 more"), (300, " and 280 more")]
)
def test_a_list_of_many_is_cut_and_counted(images: int, more: str, aws: Aws) -> None:
    for number in range(images):
        _put(aws, f"{number:03d}.png")
    _pinned(aws)
    for number in range(images):
        _put(aws, f"{number:03d}.png", OTHER)
    reason = _verify()["reason"]
    assert reason.startswith(f"{images} images changed or vanished after the check")
    named = [f"s3://{TRAINING}/{NAME}/images/{number:03d}.png" for number in range(20)]
    assert f": {', '.join(named)}{more}. Upload" in reason


def test_a_dataset_without_images_needs_no_pins(aws: Aws) -> None:
    assert _verify(shards=0)["decision"] == "same"


def test_without_pins_nobody_says_that_the_images_are_the_same(aws: Aws) -> None:
    with pytest.raises(_pins.UncheckedError, match=r"pins\.json"):
        _verify()


def test_a_shard_that_pinned_nothing_is_noticed_by_the_merge(checked: Aws) -> None:
    with pytest.raises(_pins.UncheckedError, match=r"00001\.json"):
        _pins.merge(OUTPUT, RUN, NAME, shards=2)


@pytest.mark.usefixtures("server")
def test_the_check_pins_what_it_has_read(aws: Aws) -> None:
    _put(aws, "a.png")
    refs = [["training", 1, f"{NAME}/images/a.png", 0]]
    aws.s3.objects.put(OUTPUT, "shard.json", json.dumps(refs).encode())
    shard = {"number": "00000", "key": "shard.json"}
    check_images.handler({"run": RUN, "settings": settings(NAME), "shard": shard}, None)
    _pins.merge(OUTPUT, RUN, NAME, shards=1)
    assert _verify()["decision"] == "same"
    _put(aws, "a.png", OTHER)
    assert _verify()["decision"] == "outdated"
