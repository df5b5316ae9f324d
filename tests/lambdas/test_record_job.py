"""What a completed job made: whatever its metrics look like, the model is not lost."""

import json
from typing import Any

import pytest

from lambdas import record_job
from lambdas._records import _runs
from tests.lambdas.aws import OUTPUT, Aws
from tests.lambdas.bedrock import BASE, job_arn, model_arn

RUN = "20261121-093000-aaaaaa"
JOB, MODEL = job_arn(7), model_arn(7)
FOLDER = f"jobs/pets-search/model-customization-job-{JOB.rpartition('/')[2]}/"
TRAINING = f"{FOLDER}training_artifacts/step_wise_training_metrics.csv"
HEADER = "step_number,epoch_number,training_loss,perplexity\n"


@pytest.fixture(autouse=True)
def _claimed(aws: Aws) -> None:
    _runs.start_run("a-table", run=RUN, customization="pets-search", status="training")
    _runs.acquire_lock("a-table", key="k" * 48, run=RUN, job_name="a-job")


def _record(**job: Any) -> dict[str, Any]:
    finished = {
        "JobArn": JOB,
        "OutputModelArn": MODEL,
        "BaseModelArn": BASE,
        "OutputDataConfig": {"S3Uri": f"s3://{OUTPUT}/jobs/pets-search/"},
        "TrainingMetrics": {"TrainingLoss": 0.25},
        "ValidationMetrics": [{"ValidationLoss": 0.5}],
        **job,
    }
    admission = {"customization": "pets-search", "run": RUN}
    event = {"admission": admission, "start": {"run_key": "k" * 48}, "job": finished}
    return record_job.handler(event, None)


def _metrics(aws: Aws) -> dict[str, Any]:
    body = aws.s3.objects.body(OUTPUT, f"reports/pets-search/{RUN}/metrics.json")
    found: dict[str, Any] = json.loads(body)
    return found


def test_serving_goes_on_with_the_model(aws: Aws) -> None:
    found = _record()

    assert {name: found[name] for name in ("customization", "run", "model_arn", "base_arn")} == {
        "customization": "pets-search",
        "run": RUN,
        "model_arn": MODEL,
        "base_arn": BASE,
    }


def test_a_result_in_bedrocks_own_spelling_is_recorded_as_well(aws: Aws) -> None:
    finished = {
        "jobArn": JOB,
        "outputModelArn": MODEL,
        "baseModelArn": BASE,
        "trainingMetrics": {"trainingLoss": 0.25},
        "validationMetrics": [{"validationLoss": 0.5}],
    }
    event = {
        "admission": {"customization": "pets-search", "run": RUN},
        "start": {"run_key": "k" * 48},
        "job": finished,
    }

    found = record_job.handler(event, None)

    assert (found["model_arn"], found["base_arn"]) == (MODEL, BASE)
    assert _metrics(aws)["training_loss"] == 0.25
    assert _metrics(aws)["validation_loss"] == [0.5]


def test_the_run_and_the_work_know_their_model(aws: Aws) -> None:
    _record()

    run, work = aws.run(RUN), aws.dynamodb.item(f"key#{'k' * 48}")
    assert (run["status"], run["model_arn"], run["job_arn"]) == ("trained", MODEL, JOB)
    assert run["metrics"] == f"s3://{OUTPUT}/reports/pets-search/{RUN}/metrics.json"
    assert (work["state"], work["model_arn"]) == ("trained", MODEL)


def test_the_metrics_say_which_job_made_which_model_how_well_and_by_which_files(aws: Aws) -> None:
    aws.s3.objects.put(OUTPUT, TRAINING, f"{HEADER}1,1,0.5,2.0\n".encode())

    found = _record()

    row = {"step_number": "1", "epoch_number": "1", "training_loss": "0.5", "perplexity": "2.0"}
    assert _metrics(aws) == {
        "job_arn": JOB,
        "model_arn": MODEL,
        "training_loss": 0.25,
        "validation_loss": [0.5],
        "files": {"training_artifacts/step_wise_training_metrics.csv": [row]},
        "unreadable": [],
    }
    uri = f"s3://{OUTPUT}/reports/pets-search/{RUN}/metrics.json"
    assert (found["metrics"], aws.run(RUN)["metrics"]) == (uri, uri)
    assert aws.run(RUN)["job_arn"] == JOB


def test_metrics_are_read_where_the_job_wrote_them(aws: Aws) -> None:
    """A customization may name the folder of its output."""
    folder = FOLDER.replace("jobs/pets-search/", "jobs/marketing/ron/")
    aws.s3.objects.put(OUTPUT, f"{folder}metrics.csv", f"{HEADER}1,1,0.5,2.0\n".encode())

    _record(OutputDataConfig={"S3Uri": f"s3://{OUTPUT}/jobs/marketing/ron"})

    assert list(_metrics(aws)["files"]) == ["metrics.csv"]


def test_the_losses_are_kept(aws: Aws) -> None:
    _record()

    assert _metrics(aws)["training_loss"] == 0.25
    assert _metrics(aws)["validation_loss"] == [0.5]


@pytest.mark.parametrize("nothing", [None, {}, []])
def test_a_job_without_metrics_is_recorded_all_the_same(nothing: Any, aws: Aws) -> None:
    _record(TrainingMetrics=nothing, ValidationMetrics=nothing)

    assert _metrics(aws)["training_loss"] is None
    assert _metrics(aws)["files"] == {}


@pytest.mark.parametrize(
    "path",
    [
        "validation_artifacts/post_fine_tuning_validation/validation_metrics.csv",
        "validation_artifacts/validation_metrics.csv",
        "validation_artifacts/post_fine_tuning_validation/validation/validation_metrics.csv",
    ],
)
def test_metrics_are_found_wherever_bedrock_puts_them(path: str, aws: Aws) -> None:
    """Published layouts differ (docs/facts/jobs.md#metrics)."""
    aws.s3.objects.put(OUTPUT, f"{FOLDER}{path}", b"step_number,validation_loss\n0,0.5\n")
    aws.s3.objects.put(OUTPUT, TRAINING, f"{HEADER}0,0,0.9,2.4\n1,0,0.8,2.2\n".encode())

    _record()

    files = _metrics(aws)["files"]
    assert files[path] == [{"step_number": "0", "validation_loss": "0.5"}]
    assert [row["training_loss"] for row in files[TRAINING.removeprefix(FOLDER)]] == ["0.9", "0.8"]


def test_metrics_of_many_files_are_all_listed(aws: Aws) -> None:
    aws.s3.page = 2
    for number in range(5):
        aws.s3.objects.put(OUTPUT, f"{FOLDER}{number}/metrics.csv", b"a\n1\n")

    _record()

    assert len(_metrics(aws)["files"]) == 5


def test_other_files_and_other_jobs_are_left_alone(aws: Aws) -> None:
    for key in (
        "jobs/pets-search/.write_access_check_file.tmp",
        f"{FOLDER}model.bin",
        "jobs/pets-search/model-customization-job-other/metrics.csv",
    ):
        aws.s3.objects.put(OUTPUT, key, b"a\n1\n")

    _record()

    assert _metrics(aws)["files"] == {}


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b"", []),
        (b"step_number,training_loss\n", []),
        (b"\xef\xbb\xbfstep_number\n0\n", [{"step_number": "0"}]),
        (b"step_number,training_loss\n0\n", [{"step_number": "0", "training_loss": None}]),
        (b"step_number\n0,1\n", [{"step_number": "0", "": ["1"]}]),
        (b"step_number\r\n0\r\n", [{"step_number": "0"}]),
        (b"step_number\r0\r", [{"step_number": "0"}]),
        (b"step_number,Verlust\xfc\n0,1\n", [{"step_number": "0", "Verlust\ufffd": "1"}]),
    ],
    ids=["empty", "header", "bom", "missing", "extra", "crlf", "cr", "latin-1"],
)
def test_columns_are_kept_by_name_whatever_they_are(body: bytes, rows: Any, aws: Aws) -> None:
    aws.s3.objects.put(OUTPUT, TRAINING, body)

    _record()

    assert _metrics(aws)["files"] == {TRAINING.removeprefix(FOLDER): rows}


def test_metrics_that_cannot_be_read_do_not_lose_a_trained_model(aws: Aws) -> None:
    aws.s3.objects.put(OUTPUT, TRAINING, b'"' + b"x" * 200_000)

    found = _record()

    assert found["model_arn"] == MODEL
    assert "field larger than field limit" in _metrics(aws)["unreadable"][0]
    assert _metrics(aws)["files"] == {}


def test_the_model_is_known_before_anything_else_can_go_wrong(aws: Aws) -> None:
    """Else the same data would be trained, and paid for, a second time."""
    aws.s3.refuse("ListObjectsV2", "AccessDenied", times=9)

    with pytest.raises(Exception, match="AccessDenied"):
        _record()

    assert aws.dynamodb.item(f"key#{'k' * 48}")["state"] == "trained"
