"""The page of a run that has ended: of what was checked, with pictures, whatever came since."""

import base64
import io
import json
from typing import Any

import PIL.Image
import pytest

from bedrock_tuning.report.run_page import SMOKE
from lambdas import draw_page
from lambdas._records import _runs
from tests.lambdas.aws import OUTPUT, TRAINING, WORKFLOW, Aws, settings
from tests.report.test_report import good_report
from tests.support.pictures import png

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("server")]

NAME, RUN = "pets-search", "20261121-093000-aaaaaa"
FOLDER = f"reports/{NAME}/{RUN}/"
HERE = f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:e1"


def _row(number: int, caption: str) -> str:
    ref = f"s3://{TRAINING}/{NAME}/images/{number}.png"
    return json.dumps({"image-ref": ref, "caption": caption})


def ended(aws: Aws, **values: Any) -> str:
    """A run of forty pictures that is over; its manifest was replaced since."""
    rows = "".join(f"{_row(number, f'dog number {number}')}\n" for number in range(40)).encode()
    version = aws.s3.objects.put(TRAINING, f"{NAME}/manifest.jsonl", rows)
    aws.s3.objects.put(TRAINING, f"{NAME}/manifest.jsonl", b"replaced\n")
    for number in range(40):
        aws.s3.objects.put(TRAINING, f"{NAME}/images/{number}.png", png(300, 200, noise=number))
    report = json.loads(good_report().to_json())
    report["text_stats"]["training"]["size"] = len(rows)
    aws.s3.objects.put(OUTPUT, f"{FOLDER}report.json", json.dumps(report).encode())
    said = {"report": f"s3://{OUTPUT}/{FOLDER}report.json", "training_version": version, **values}
    _runs.start_run("a-table", run=RUN, customization=NAME, status="served", **said)
    return version


def draw(run: str = RUN) -> dict[str, Any]:
    state = {"outcome": {"run": run}, "settings": {"value": settings()}}
    return draw_page.handler({"state": state, "execution": HERE}, None)


def page(aws: Aws) -> str:
    return aws.s3.objects.body(OUTPUT, f"{FOLDER}report.html").decode()


def test_the_page_shows_24_pictures_of_the_manifest_that_was_checked(aws: Aws) -> None:
    ended(aws)
    assert draw() == {"page": f"s3://{OUTPUT}/{FOLDER}report.html"}
    html = page(aws)
    assert html.count('src="data:image/jpeg;base64,') == 24
    assert "dog number 0" in html
    small = html.partition("data:image/jpeg;base64,")[2].partition('"')[0]
    with PIL.Image.open(io.BytesIO(base64.b64decode(small))) as image:
        assert image.size == (160, 107)


def test_of_the_manifest_that_was_checked_nothing_is_read_twice_or_beyond_its_end(
    aws: Aws,
) -> None:
    version = ended(aws)
    checked = aws.s3.objects.get(TRAINING, f"{NAME}/manifest.jsonl", version)
    draw()
    (read,) = (asked for asked in aws.s3.asked("GetObject") if asked["Bucket"] == TRAINING)
    assert read["VersionId"] == version
    assert checked is not None
    assert read["Range"] == f"bytes=0-{len(checked.body or b'') - 1}"


def test_the_small_pictures_are_kept_so_that_the_page_can_be_drawn_without_the_dataset(
    aws: Aws,
) -> None:
    ended(aws)
    draw()
    before = page(aws)
    for number in range(40):
        aws.s3.objects.delete(TRAINING, f"{NAME}/images/{number}.png")
    draw()
    assert page(aws) == before


def test_a_picture_that_is_gone_or_broken_leaves_its_caption(aws: Aws) -> None:
    ended(aws)
    aws.s3.objects.put(TRAINING, f"{NAME}/images/0.png", b"%!PS not a picture")
    draw()
    html = page(aws)
    assert html.count('src="data:image/jpeg;base64,') == 23
    assert "dog number 0" in html


def test_the_answer_to_the_smoke_test_is_on_the_page(aws: Aws) -> None:
    ended(aws)
    said = {"asked": "a dog", "detail": "an embedding", "text": "", "picture": "", "endpoint": "e"}
    body = json.dumps({**said, "passed": True, "at": "now"}).encode()
    aws.s3.objects.put(OUTPUT, f"{FOLDER}{SMOKE}", body)
    draw()
    assert "an embedding" in page(aws)


def test_a_run_that_checked_nothing_has_no_page(aws: Aws) -> None:
    _runs.start_run("a-table", run=RUN, customization=NAME, status="served")
    assert draw() == draw("") == draw("unknown") == {"page": ""}
    assert not aws.s3.objects.keys(OUTPUT)
