"""An upload that waits for its other manifest: over when a run takes the dataset, never before."""

import json
from typing import Any

import pytest

from bedrock_tuning.client import executions
from tests.cli.conftest import Run
from tests.cli.support import RUN, StubbedAws, index, item
from tests.cli.test_one_run import at

WAITED = "20261121-092955-bbbbbb"
OTHER = "20261121-093001-cccccc"
WAITS = {
    "run": WAITED,
    "customization": "pets-search",
    "status": "waiting",
    "message": "the run starts when the training manifest is there too",
}
TAKER = {
    "run": RUN,
    "customization": "pets-search",
    "status": "served",
    "execution": "exec-1",
    "training_version": "v1",
    "created": "2026-11-21T09:30:00Z",
}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executions, "_POLL_SECONDS", 0)


def later(aws: StubbedAws, *items: dict[str, Any]) -> None:
    """What the index answers when it is asked for runs since the one that waited."""
    aws.answer(
        "dynamodb",
        "query",
        {"Items": [item(**each) for each in items]},
        {
            "TableName": "runs",
            "IndexName": "by-customization",
            "KeyConditionExpression": "customization = :name AND #run >= :since",
            "ExpressionAttributeNames": {"#run": "run"},
            "ExpressionAttributeValues": {
                ":name": {"S": "pets-search"},
                ":since": {"S": "20261121-092955"},
            },
        },
    )


def test_in_the_list_an_upload_that_waited_names_the_run_that_took_its_dataset(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    index(aws, WAITS, TAKER, {**TAKER, "run": OTHER, "status": "checking"})
    listed = {each["run"]: each for each in json.loads(run("runs", "--json").stdout)}
    assert (listed[WAITED]["status"], listed[WAITED]["taken_by"]) == ("superseded", RUN)


@pytest.mark.parametrize(
    "other",
    [
        {**TAKER, "customization": "pets-style"},
        {**TAKER, "run": "20261121-092954-aaaaaa"},
        {"run": RUN, "customization": "pets-search", "status": "waiting"},
        {"run": RUN, "customization": "pets-search", "status": "superseded"},
    ],
    ids=["of another customization", "earlier", "itself waiting", "never admitted"],
)
def test_no_other_run_ends_the_waiting(run: Run, aws: StubbedAws, other: dict[str, Any]) -> None:
    aws.deployed()
    index(aws, WAITS, other)
    listed = {each["run"]: each for each in json.loads(run("runs", "--json").stdout)}
    assert listed[WAITED]["status"] == "waiting"


def test_an_upload_that_still_waits_says_for_what_and_how_to_go_on(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    aws.has_run(**WAITS)
    later(aws, WAITS)
    result = run("run", WAITED)
    assert "when the training manifest is there" in result.stdout
    assert "tuning upload DATASET -c pets-search" in result.stderr


def test_following_an_upload_that_waits_goes_on_with_the_run_that_takes_its_dataset(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    aws.has_run(**WAITS)
    later(aws, WAITS)
    later(aws, WAITS)
    later(aws, WAITS, TAKER)
    aws.has_run(**TAKER)
    aws.has_run(**TAKER, **at(checking=0))
    result = run("run", WAITED, "--follow", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["run"] == RUN
    assert "; waiting …" in result.stderr
    assert "the check of the dataset began" in result.stderr


def test_in_the_list_the_run_that_took_a_dataset_is_one_command_away(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    index(aws, WAITS, TAKER)
    _, _, waited = run("runs").stdout.splitlines()
    assert f"taken by {RUN}" in waited
    assert waited.endswith(f"tuning run {RUN}")
