"""The page of a run: what became of it, what it was made of, its cost, and the model's answer."""

import json
import re
from typing import Any

import msgspec
import pytest

from bedrock_tuning.report.run_page import RunFiles, read_files, run_page
from bedrock_tuning.run.messages import STATUSES
from bedrock_tuning.run.row import at, next_steps, timeline
from tests.report.test_report import HOSTILE, bad_report, drawn, good_report, parsed

RUN = "20261121-093000-3f9a1c"
PLACE = "dev · 111122223333 · us-east-1"
SERVED: dict[str, Any] = {
    "run": RUN,
    "customization": "pets-style",
    "status": "served",
    "message": "The smoke test passed: a PNG image of 68 bytes.",
    "created": "2026-11-21T09:30:00Z",
    "at_checking": "2026-11-21T09:30:00Z",
    "at_valid": "2026-11-21T09:31:00Z",
    "at_awaiting_approval": "2026-11-21T09:31:05Z",
    "at_training": "2026-11-21T10:00:01Z",
    "at_trained": "2026-11-21T12:00:00Z",
    "at_served": "2026-11-21T12:30:00Z",
    "approved_by": "arn:aws:iam::111122223333:user/ann",
    "decided_at": "2026-11-21T10:00:00Z",
    "decision_reason": "for the fair",
    "approval_reason": "243.95 USD are more than 100.00",
    "estimate": "training: 5,000 steps\ntotal 243.95 USD",
    "hyperparameters": json.dumps({"stepCount": "5000", "batchSize": "8"}),
    "settings_version": 7,
    "training_version": "v1",
    "model_arn": "arn:aws:bedrock:us-east-1:111122223333:custom-model/m",
    "endpoint_arn": "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/p",
}
STEPS = "training_artifacts/step_wise_training_metrics.csv"
METRICS = {
    "training_loss": "0.2",
    "files": {
        STEPS: [
            {
                "step_number": str(step),
                "epoch_number": "0",
                "training_loss": str(1.3329 / (step + 1)),
                "training_perplexity": str(3.3461 / (step + 1)),
            }
            for step in range(20)
        ]
    },
}
SMOKE = {
    "asked": "Ron the dog on the moon",
    "passed": True,
    "detail": "a PNG image of 68 bytes",
    "text": "",
    "picture": "smoke.png",
    "endpoint": SERVED["endpoint_arn"],
    "at": "2026-11-21T12:29:00Z",
}
FILES = {
    "report.json": good_report().to_json(),
    "metrics.json": json.dumps(METRICS).encode(),
    "pictures.json": msgspec.json.encode(drawn("data:image/png;base64,AAAA")),
    "smoke.json": json.dumps(SMOKE).encode(),
    "smoke.png": b"\x89PNG",
}


def page(row: dict[str, Any] = SERVED, files: dict[str, bytes] = FILES, **more: Any) -> str:
    there = msgspec.structs.replace(read_files(files.get), **more)
    return run_page(row, there, place=PLACE, command=lambda words: f"tuning {words} -e dev")


@pytest.mark.parametrize(
    ("more", "shown"), [({"commit": "a" * 40}, "a" * 40), ({}, "not recorded")]
)
def test_the_page_says_which_commit_the_deployment_was_of(more: dict[str, str], shown: str) -> None:
    html = re.sub(r"\s+", " ", page({**SERVED, **more}))
    assert re.search(rf"<dt>Commit</dt> ?<dd>{shown}</dd>", html) is not None


def test_a_served_run_shows_everything_that_it_was() -> None:
    html = page(billed="212.40 USD so far")
    parsed(html)
    for shown in (
        "Served", "pets-style", RUN, PLACE, "version 7", "version v1", SERVED["model_arn"],
        "Hyperparameters", "stepCount", "5000",
        "for the fair", "243.95 USD are more than 100.00", "212.40 USD so far", "total 243.95 USD",
        "Ron the dog on the moon", 'src="data:image/png;base64,iVBORw=="',
        "a dog in a sheet", "training loss", "<polyline",
        "tuning invoke pets-style &#34;TEXT&#34; -e dev", "tuning lease pets-style --end -e dev",
    ):  # fmt: skip
        assert shown.lower() in html.lower(), shown
    assert "SIMULATED" not in html


def test_what_happened_stands_in_its_order_with_who_approved() -> None:
    moments = timeline(SERVED)
    assert [moment.at for moment in moments] == sorted(moment.at for moment in moments)
    words = [moment.what for moment in moments]
    approved = words.index("approved by arn:aws:iam::111122223333:user/ann")
    assert words[approved - 1] == "asked for approval of the price"
    assert words[approved + 1] == "the training job was cleared to start"


def test_a_run_that_was_rejected_shows_what_to_fix_and_no_model() -> None:
    row = {**SERVED, "status": "rejected", "message": HOSTILE}
    for name in ("model_arn", "endpoint_arn", "estimate", "hyperparameters", "approved_by"):
        del row[name]
    html = page(row, {"report.json": bad_report().to_json()})
    parsed(html)
    assert html.index("Rejected".lower()) < html.index("Next steps") < html.index("What to fix")
    assert "tuning upload DATASET -c pets-style -e dev" in html
    for absent in ("Smoke test", "<h2>Training", "<h2>Price", "Hyperparameters", "<polyline"):
        assert absent not in html
    assert html.count("<script") == 1


def test_a_run_without_a_dataset_has_a_page_as_well() -> None:
    row = {"run": RUN, "customization": "pets", "status": "failed", "message": "no"}
    html = run_page(row, RunFiles(), place=PLACE, command=str)
    assert "failed" in html
    assert "<script" not in html


def test_on_the_local_aws_the_page_says_simulated() -> None:
    html = run_page(SERVED, RunFiles(), place="local · 000000000000 · us-east-1", command=str)
    assert "SIMULATED" in html


@pytest.mark.parametrize(
    ("status", "first"),
    [
        ("served", 'invoke pets-style "TEXT"'),
        ("trained", f"serve pets-style --run {RUN}"),
        ("rejected", "upload DATASET -c pets-style"),
        ("awaiting-approval", f"approve {RUN}"),
        ("failed", f"run {RUN}"),
    ],
)
def test_each_end_has_a_next_step(status: str, first: str) -> None:
    assert next(next_steps({**SERVED, "status": status}))[0] == first


def test_the_loss_is_drawn_from_its_first_step_to_its_last() -> None:
    points = re.search(r'<polyline class="trace training" points="([^"]*)"', page())
    assert points is not None
    pairs = [tuple(map(float, pair.split(","))) for pair in points[1].split()]
    assert len(pairs) == 20
    assert pairs == sorted(pairs)
    # Down is up on a screen: the loss falls from the top of the chart to its floor.
    assert pairs[0][1] < pairs[-1][1]


@pytest.mark.parametrize(
    "status",
    sorted({*STATUSES, "waiting", "pending", "checking", "valid", "queued", "serving"}),
)
def test_each_status_that_a_run_comes_to_is_told_in_words(status: str) -> None:
    (moment,) = timeline({at(status): "2026-11-21T09:30:00Z"})
    assert " " in moment.what
    assert moment.what[0].islower()
    assert not moment.what.endswith(".")


def test_what_the_workflow_notes_comes_after_the_answer_that_let_it_go_on() -> None:
    row = {
        "at_training": "2026-11-21T10:00:01.192Z",
        "approved_by": "somebody",
        "decided_at": "2026-11-21T10:00:01Z",
    }
    assert timeline(row) == [
        ("2026-11-21T10:00:01Z", "approved by somebody"),
        ("2026-11-21T10:00:01Z", "the training job was cleared to start"),
    ]
