"""`tuning metrics`: the loss of runs as a chart, a table, JSON, CSV and a picture."""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.support import OLDER, RUN, StubbedAws

PATH = "training_artifacts/step_wise_training_metrics.csv"


def trained(aws: StubbedAws, run: str = RUN, **written: Any) -> None:
    """A trained run whose metrics are these."""
    folder = f"reports/pets-search/{run}/"
    aws.has_run(
        run=run,
        customization="pets-search",
        status="served",
        report=f"s3://out/{folder}report.json",
        metrics=f"s3://out/{folder}metrics.json",
    )
    body = io.BytesIO(json.dumps(written).encode())
    aws.answer(
        "s3", "get_object", {"Body": body}, {"Bucket": "out", "Key": f"{folder}metrics.json"}
    )


def falling(scale: float = 1.0) -> dict[str, Any]:
    rows = [
        {"step_number": str(step), "training_loss": str(scale * (0.2 + math.exp(-step / 2)))}
        for step in range(20)
    ]
    return {"files": {PATH: rows}, "unreadable": []}


def test_the_loss_is_drawn_listed_and_explained(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    trained(aws, **falling())
    result = run("metrics", RUN)
    assert result.exit_code == 0, result.output
    assert "loss by step" in result.stdout
    row = next(line for line in result.stdout.splitlines() if line.startswith(RUN))
    assert row.split() == [RUN, "training", "loss", "20", "1.2", "0.2001", "0.2001", "19"]
    assert "levelled off" in result.stderr


def test_as_json_values_are_numbers(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    trained(aws, **falling())
    said = json.loads(run("metrics", RUN, "--json").stdout)[RUN]
    (curve,) = said["curves"]
    assert curve["name"] == "training loss"
    assert curve["points"][0] == {"step": 0, "epoch": None, "value": 1.2}
    assert len(said["advice"]) == 1


def test_several_runs_are_compared_as_csv(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    trained(aws, **falling())
    trained(aws, OLDER, **falling(2))
    rows = list(csv.DictReader(io.StringIO(run("metrics", RUN, OLDER, "--csv").stdout)))
    assert [row["value"] for row in rows if row["step"] == "0"] == ["1.2", "2.4"]
    assert {row["run"] for row in rows} == {RUN, OLDER}


@pytest.mark.parametrize(("name", "begins"), [("loss.svg", b"<?xml"), ("loss.png", b"\x89PNG")])
def test_the_loss_is_drawn_into_a_file_and_never_over_another(
    run: Run, aws: StubbedAws, tmp_path: Path, name: str, begins: bytes
) -> None:
    aws.deployed()
    trained(aws, **falling())
    file = tmp_path / name
    assert run("metrics", RUN, "--no-plot", "--draw", file).exit_code == 0
    assert file.read_bytes().startswith(begins)
    refused = run("metrics", RUN, "--draw", file)
    assert refused.exit_code == 2
    assert "already exists" in refused.stderr


def test_a_file_of_an_unknown_kind_is_refused_with_the_kinds(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    aws.deployed()
    trained(aws, **falling())
    refused = run("metrics", RUN, "--no-plot", "--draw", tmp_path / "loss.xyz")
    assert refused.exit_code == 2
    assert ".svg or .png" in refused.stderr


def test_a_run_that_is_not_trained_has_none_yet(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(run=RUN, customization="pets-search", status="training", report="s3://out/a/b")
    result = run("metrics", RUN)
    assert result.exit_code == 2
    assert f"run {RUN} has no metrics: it is training" in result.stderr


def test_a_job_that_left_no_file_says_so_with_its_final_loss(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    trained(aws, files={}, unreadable=["x.csv: line contains NUL"], training_loss=0.4)
    result = run("metrics", RUN)
    assert result.exit_code == 0
    assert "wrote no metrics by step; Bedrock's final training loss is 0.4" in result.stderr
    assert "x.csv: line contains NUL" in result.stderr


def test_csv_and_json_at_once_are_refused(run: Run) -> None:
    assert "contradict each other" in run("metrics", RUN, "--csv", "--json").stderr
