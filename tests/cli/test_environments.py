"""Which environments there are: the list, and the hint for one that is not there."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.support import REGION, StubbedAws

DATA, PIPELINE = (
    "TrainingBucket ValidationBucket OutputBucket",
    "ApprovalUrl RunsTable Workflow Topic",
)
# By their outputs.
STACKS = {
    "tuning-prod-data": DATA,
    "tuning-prod-pipeline": PIPELINE,
    "tuning-prod-serving": "Provider",
    "tuning-prod-pets-search": "Serving",
    "tuning-team-a-pipeline": PIPELINE,
    "tuning-team-a-cats": "Serving",
    "tuning-half-data": DATA,
    # Of somebody else: the name alone makes nothing ours.
    "tuning-piano-pipeline": "Table",
    "tuning-prod-piano": "Table",
    "CDKToolkit": "",
}


def listed(aws: StubbedAws, stacks: dict[str, str]) -> None:
    def stack(name: str, outputs: str) -> dict[str, Any]:
        return {
            "StackName": name,
            "CreationTime": "2026-11-21T09:00:00Z",
            "StackStatus": "UPDATE_COMPLETE",
            "Outputs": [{"OutputKey": key, "OutputValue": key} for key in outputs.split()],
        }

    found = [stack(name, outputs) for name, outputs in stacks.items()]
    aws.answer("cloudformation", "describe_stacks", {"Stacks": found}, {})


def missing(aws: StubbedAws, name: str) -> None:
    aws.stub("cloudformation").add_client_error(
        "describe_stacks", "ValidationError", f"Stack with id tuning-{name}-data does not exist"
    )


def test_environments_are_listed_with_their_customizations(run: Run, aws: StubbedAws) -> None:
    listed(aws, STACKS)
    found = json.loads(run("environments", "--json").stdout)
    assert {each["name"]: each["customizations"] for each in found} == {
        "half": [],
        "prod": ["pets-search"],
        "team-a": ["cats"],
    }
    assert {each["name"]: each["status"] for each in found} == {
        "half": "without the stack tuning-half-pipeline",
        "prod": "UPDATE_COMPLETE",
        "team-a": "UPDATE_COMPLETE",
    }


def test_an_account_without_environments_says_what_to_try(run: Run, aws: StubbedAws) -> None:
    listed(aws, {"CDKToolkit": ""})
    result = run("environments")
    assert result.exit_code == 0
    assert f"no environment is deployed in {REGION}" in result.stderr


@pytest.mark.parametrize(
    ("asked", "told"),
    [("prd", "did you mean prod?"), ("xyz", "use -e half or -e prod or -e team-a")],
)
def test_an_environment_that_is_not_there_is_answered_with_those_that_are(
    run: Run, aws: StubbedAws, asked: str, told: str
) -> None:
    missing(aws, asked)
    listed(aws, STACKS)
    result = run("runs", "-e", asked)
    assert result.exit_code == 2
    assert f"the environment {asked} is not deployed in {REGION}" in result.stderr
    assert told in result.stderr
    assert f"where: tuning-{asked}-data" in result.stderr


def test_who_may_not_list_stacks_gets_the_error_without_the_hint(run: Run, aws: StubbedAws) -> None:
    missing(aws, "prod")
    aws.stub("cloudformation").add_client_error("describe_stacks", "AccessDenied", "denied")
    result = run("runs", "-e", "prod")
    assert result.exit_code == 2
    assert "the environment prod is not deployed" in result.stderr
    assert "choose another --region, or deploy it" in result.stderr
