"""A new model is judged before it is published; below the gate, what was served stays."""

import base64
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.lambda_environment import DatasetEnvironment
from bedrock_tuning.config.sections.evaluation import Evaluation
from bedrock_tuning.run.outcome import outcome
from bedrock_tuning.s3_layout import checked_manifest_key
from lambdas import verify_images
from lambdas._data import _evaluation
from lambdas._records import _pins
from tests.lambdas.aws import OUTPUT, TRAINING, VALIDATION, Aws, settings
from tests.lambdas.flow import DEPLOYMENT, NAME, OLD, PERSON, RUN, Flow

pytestmark = pytest.mark.usefixtures("trained")
COLOURS = ("red", "green", "blue", "white")


def vector(text: str) -> list[float]:
    return [byte - 128.0 for byte in hashlib.sha256(text.encode()).digest()] * 32


def model(aws: Aws, *, knows: Callable[[str], bool]) -> None:
    """Models that give a picture the vector of its caption, or of something else."""

    def answer(modelId: str, body: Any, **_: Any) -> dict[str, Any]:  # noqa: N803
        asked = json.loads(body)
        if "inputImage" not in asked:
            return {"embedding": vector(asked["inputText"])}
        name = base64.b64decode(asked["inputImage"]).decode()
        return {"embedding": vector(name if knows(modelId) else f"not {name}")}

    aws.bedrock_runtime.answers = answer


@pytest.fixture(autouse=True)
def _validation_set(aws: Aws) -> None:
    rows = []
    for name in COLOURS:
        key = f"{NAME}/images/{name}.png"
        aws.s3.objects.put(VALIDATION, key, name.encode())
        aws.s3.objects.put(TRAINING, f"{NAME}/images/{name}-too.png", f"{name} too".encode())
        rows.append(json.dumps({"image-ref": f"s3://{VALIDATION}/{key}", "caption": name}))
    checked = checked_manifest_key(NAME, RUN, "validation")
    aws.s3.objects.put(VALIDATION, checked, "\n".join(rows).encode())


@pytest.fixture
def gate(customize: Callable[..., CustomizationSettings]) -> Callable[..., None]:
    def set_up(**wanted: Any) -> None:
        customize(evaluation=Evaluation(recall_at=1, **wanted))

    return set_up


def kept(aws: Aws) -> dict[str, Any]:
    body = aws.s3.objects.body(OUTPUT, f"reports/{NAME}/{RUN}/evaluation.json")
    found: dict[str, Any] = json.loads(body)
    return found


def test_a_model_that_reaches_the_gate_is_published(
    aws: Aws, flow: Flow, gate: Callable[..., None]
) -> None:
    gate(min_recall=0.9, not_worse_than_base=True)
    model(aws, knows=lambda model_id: ":provisioned-model/" in model_id)
    ended = flow.run()
    assert ended["step"] == "served"
    assert flow.steps[-4:] == ["Evaluate", "Good enough?", "Publish endpoint", "Published?"]
    assert (kept(aws)["passed"], kept(aws)["tuned"], kept(aws)["base"]) == (True, 1.0, 0.0)


def test_below_the_gate_what_was_served_stays_and_people_are_told_why(
    aws: Aws, flow: Flow, gate: Callable[..., None]
) -> None:
    aws.bedrock.have(model=OLD)
    served = flow.run(model_arn=OLD, run="20261120-093000-cccccc")
    assert served["step"] == "served"
    gate(min_recall=0.9)
    model(aws, knows=lambda _: False)
    ended = flow.run()
    assert ended["step"] == "failed"
    assert kept(aws)["passed"] is False
    assert aws.pointer("model") == OLD
    assert f"serves {OLD} again" in ended["reason"]
    told = outcome({"serving": ended, "job": {}, "admission": {"run": RUN}}, environment="dev")
    assert (told.status, told.failed) == ("not-better", False)
    assert "min_recall is 90.0%" in told.message
    assert f"tuning serve {NAME} --run {RUN} -e dev" in told.message


def test_a_model_that_finds_less_than_its_base_model_is_not_published(
    aws: Aws, flow: Flow, gate: Callable[..., None]
) -> None:
    gate(not_worse_than_base=True)
    model(aws, knows=lambda model_id: model_id.startswith("amazon."))
    ended = flow.run()
    assert ended["step"] == "failed"
    assert "its base model has 100.0%" in ended["why"]
    assert aws.pointer("model") is None


def test_a_model_that_finds_less_than_the_published_one_leaves_it_there(
    aws: Aws, flow: Flow, gate: Callable[..., None]
) -> None:
    before = "20261120-093000-cccccc"
    gate(not_worse_than_published=True)
    aws.bedrock.have(model=OLD)
    rows = aws.s3.objects.body(VALIDATION, checked_manifest_key(NAME, RUN, "validation"))
    aws.s3.objects.put(VALIDATION, checked_manifest_key(NAME, before, "validation"), rows)
    model(aws, knows=lambda model_id: ":provisioned-model/" in model_id)
    assert flow.run(model_arn=OLD, run=before)["step"] == "served"
    model(aws, knows=lambda _: False)
    ended = flow.run()
    assert ended["step"] == "failed"
    assert f"the published model, of run {before}, has 100.0%" in ended["why"]
    assert aws.pointer("model") == OLD


def test_a_published_model_that_nobody_evaluated_is_no_reason_to_publish(
    aws: Aws, flow: Flow, gate: Callable[..., None]
) -> None:
    aws.bedrock.have(model=OLD)
    assert flow.run(model_arn=OLD, run="20261120-093000-cccccc")["step"] == "served"
    gate(not_worse_than_published=True)
    model(aws, knows=lambda _: True)
    ended = flow.run()
    assert ended["step"] == "failed"
    assert "cannot be compared" in ended["why"]


def test_without_a_gate_nothing_is_asked(aws: Aws, flow: Flow) -> None:
    assert flow.run()["step"] == "served"
    (_smoke,) = aws.bedrock_runtime.asked("InvokeModel")


@pytest.mark.parametrize("started_by", [DEPLOYMENT, PERSON])
def test_whom_a_person_serves_was_judged_in_its_own_run(
    aws: Aws, flow: Flow, gate: Callable[..., None], started_by: dict[str, Any]
) -> None:
    first = flow.run()
    gate(min_recall=1)
    model(aws, knows=lambda _: False)
    assert flow.run(**{**started_by, "model_arn": first["model_arn"]})["step"] == "served"


def verified(aws: Aws) -> dict[str, Any]:
    pins: dict[Any, _pins.Pins] = {
        kind: {
            key: aws.s3.objects.get(bucket, key).etag.strip('"')  # type: ignore[union-attr]
            for key in aws.s3.objects.keys(bucket, f"{NAME}/")
        }
        for kind, bucket in (("training", TRAINING), ("validation", VALIDATION))
    }
    _pins.write(OUTPUT, RUN, "00000", pins)
    _pins.merge(OUTPUT, RUN, NAME, shards=1)
    event = {"run": RUN, "settings": settings(), "check": {"shards": 1}}
    return verify_images.handler(event, None)


def test_a_test_picture_that_would_be_trained_on_stops_the_run_before_it_is_paid(
    aws: Aws, gate: Callable[..., None]
) -> None:
    gate(min_recall=0.5)
    assert verified(aws)["decision"] == "same"
    aws.s3.objects.put(TRAINING, f"{NAME}/images/copy.png", b"green")
    decided = verified(aws)
    assert decided["decision"] == "trained-on"
    assert f"s3://{VALIDATION}/{NAME}/images/green.png" in decided["reason"]
    told = outcome({"images": decided, "admission": {"customization": NAME}}, environment="dev")
    assert (told.status, told.failed) == ("trained-on", False)


def test_without_a_gate_validation_pictures_may_be_trained_on(aws: Aws) -> None:
    aws.s3.objects.put(TRAINING, f"{NAME}/images/copy.png", b"green")
    assert verified(aws)["decision"] == "same"


@pytest.mark.parametrize(
    ("pictures", "lines"),
    [(1, [0]), (2, [0, 3]), (3, [0, 2, 4]), (7, range(7)), (1000, range(7))],
)
def test_a_model_is_judged_by_records_from_all_over_the_validation_set(
    pictures: int, lines: Sequence[int], aws: Aws, customize: Callable[..., CustomizationSettings]
) -> None:
    """Lines as an editor may leave them: empty ones between, and a byte order mark."""
    every = [{"image-ref": f"s3://v/{number}.png", "caption": str(number)} for number in range(7)]
    text = "\ufeff" + "\n \n".join(map(json.dumps, every)) + "\n\n"
    aws.s3.objects.put(VALIDATION, checked_manifest_key(NAME, RUN, "validation"), text.encode())
    wanted = customize(evaluation=Evaluation(recall_at=1, pictures=pictures))

    found = _evaluation.records(DatasetEnvironment.from_env(os.environ), wanted, RUN)

    assert found == [every[number] for number in lines]


def test_six_questions_are_asked_at_once_and_no_more(
    aws: Aws, flow: Flow, gate: Callable[..., None]
) -> None:
    """Bedrock takes 2,000 requests a minute, and an answer takes a moment."""
    six, lock, now, most = threading.Barrier(6, timeout=10), threading.Lock(), set(), []
    gate(min_recall=0.5)

    def answer(body: Any, **_: Any) -> dict[str, Any]:
        asked = json.loads(body)
        if flow.steps[-1] != "Evaluate":
            return {"embedding": vector("smoke")}
        with lock:
            now.add(body)
            most.append(len(now))
        six.wait()
        time.sleep(0.05)
        with lock:
            now.remove(body)
        return {"embedding": vector(asked.get("inputText", "a picture"))}

    rows = aws.s3.objects.body(VALIDATION, checked_manifest_key(NAME, RUN, "validation"))
    for name in ("black", "grey"):
        key = f"{NAME}/images/{name}.png"
        aws.s3.objects.put(VALIDATION, key, name.encode())
        rows += (
            b"\n" + json.dumps({"image-ref": f"s3://{VALIDATION}/{key}", "caption": name}).encode()
        )
    aws.s3.objects.put(VALIDATION, checked_manifest_key(NAME, RUN, "validation"), rows)
    aws.bedrock_runtime.answers = answer

    flow.run()

    assert len(most) == 12
    assert max(most) == 6
