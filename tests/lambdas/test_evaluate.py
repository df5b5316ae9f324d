"""A new model is judged before it is published; below the gate, what was served stays."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from bedrock_tuning.config.customization import Customization
from bedrock_tuning.config.sections.evaluation import Evaluation
from bedrock_tuning.run.outcome import outcome
from bedrock_tuning.s3_layout import checked_manifest_key
from lambdas import verify_images
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
def gate(customize: Callable[..., Customization]) -> Callable[..., None]:
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
