"""`tuning retire`: shows what ends and what stays, and lets nothing end that is at work."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bedrock_tuning.client import retirement
from tests.cli.conftest import Run
from tests.cli.support import REGION, WORKFLOW, StubbedAws

STACK = "tuning-dev-pets-search"
NAME = "dev-pets-search-20261121-093000-3f9a1c"
EXECUTION = f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:upload"


def _stack(aws: StubbedAws, status: str = "CREATE_COMPLETE", **more: str) -> None:
    described = {
        "StackName": STACK,
        "StackId": f"arn:aws:cloudformation:{REGION}:000000000000:stack/{STACK}/1",
        "CreationTime": "2026-11-21T09:00:00Z",
        "StackStatus": status,
        **more,
    }
    aws.answer("cloudformation", "describe_stacks", {"Stacks": [described]}, None)


def _there(
    aws: StubbedAws,
    *,
    given: dict[str, Any] | None = None,
    jobs: Mapping[str, str] = {},
    commitment: str | None = None,
) -> None:
    """What is there of pets-search. given: the input of an execution that runs.

    jobs: whose each is.
    """
    aws.deployed()
    _stack(aws)
    running = [] if given is None else [EXECUTION]
    aws.answer(
        "stepfunctions",
        "list_executions",
        {
            "executions": [
                {
                    "executionArn": each,
                    "stateMachineArn": WORKFLOW,
                    "name": "upload",
                    "status": "RUNNING",
                    "startDate": "2026-11-21T09:30:00Z",
                }
                for each in running
            ]
        },
        {"stateMachineArn": WORKFLOW, "statusFilter": "RUNNING"},
    )
    for each in running:
        aws.answer(
            "stepfunctions",
            "describe_execution",
            {
                "executionArn": each,
                "stateMachineArn": WORKFLOW,
                "status": "RUNNING",
                "startDate": "2026-11-21T09:30:00Z",
                "input": json.dumps(given),
            },
            {"executionArn": each},
        )
    job = f"arn:aws:bedrock:{REGION}:000000000000:model-customization-job/x/y"
    aws.answer(
        "bedrock",
        "list_model_customization_jobs",
        {
            "modelCustomizationJobSummaries": [
                {
                    "jobArn": job,
                    "jobName": each,
                    "baseModelArn": f"arn:aws:bedrock:{REGION}::foundation-model/x",
                    "status": "InProgress",
                    "creationTime": "2026-11-21T09:30:00Z",
                }
                for each in jobs
            ]
        },
        {"statusEquals": "InProgress"},
    )
    # Of jobs with these names: what their tags say.
    for each in jobs:
        whose = {"environment": "dev", "customization": jobs[each]}
        tagged = [{"key": f"bedrock-tuning:{key}", "value": value} for key, value in whose.items()]
        aws.answer("bedrock", "list_tags_for_resource", {"tags": tagged}, {"resourceARN": job})
    throughput = f"arn:aws:bedrock:{REGION}:000000000000:provisioned-model/abcdefghijkl"
    model = f"arn:aws:bedrock:{REGION}:000000000000:custom-model/amazon.x/abc"
    base = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-image-generator-v2:0"
    summary: dict[str, Any] = {
        "provisionedModelName": "dev-pets-search-3f9a1c00",
        "provisionedModelArn": throughput,
        "modelArn": model,
        "desiredModelArn": model,
        "foundationModelArn": base,
        "modelUnits": 1,
        "desiredModelUnits": 1,
        "status": "InService",
        "creationTime": "2026-11-21T09:30:00Z",
        "lastModifiedTime": "2026-11-21T09:30:00Z",
    }
    if commitment is not None:
        summary |= {
            "commitmentDuration": commitment,
            "commitmentExpirationTime": datetime(2026, 12, 21, tzinfo=UTC),
        }
    aws.answer(
        "bedrock",
        "list_provisioned_model_throughputs",
        {"provisionedModelSummaries": [summary]},
        {},
    )
    tags = {"environment": "dev", "customization": "pets-search"}
    aws.answer(
        "bedrock",
        "list_tags_for_resource",
        {"tags": [{"key": f"bedrock-tuning:{key}", "value": value} for key, value in tags.items()]},
        {"resourceARN": throughput},
    )
    aws.answer(
        "bedrock",
        "list_custom_models",
        {
            "modelSummaries": [
                {
                    "modelArn": model,
                    "modelName": name,
                    "creationTime": "2026-11-21T09:30:00Z",
                    "baseModelArn": base,
                    "baseModelName": "x",
                }
                for name in (NAME, NAME.replace("pets-search", "pets"))
            ]
        },
        {},
    )
    for owner in ("pets-search", "pets"):
        whose = {"environment": "dev", "customization": owner}
        tagged = [{"key": f"bedrock-tuning:{key}", "value": value} for key, value in whose.items()]
        aws.answer("bedrock", "list_tags_for_resource", {"tags": tagged}, {"resourceARN": model})


def _deletes(aws: StubbedAws, *statuses: tuple[str, dict[str, str]]) -> None:
    _stack(aws)
    aws.answer("cloudformation", "delete_stack", {}, {"StackName": STACK})
    for status, more in statuses:
        _stack(aws, status, **more)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retirement, "_POLL_SECONDS", 0.0)


def test_what_ends_and_what_stays_is_shown_and_then_the_stack_is_deleted(
    run: Run, aws: StubbedAws
) -> None:
    _there(aws)
    _deletes(aws, ("DELETE_IN_PROGRESS", {}), ("DELETE_COMPLETE", {}))
    result = run("retire", "pets-search", "--yes")
    assert result.exit_code == 0
    assert "dev-pets-search-3f9a1c00: " in result.stderr
    assert "it is deleted now" in result.stderr
    assert f"{NAME} stays: 1.95 USD a month" in result.stderr
    assert "dev-pets-2026" not in result.stderr
    assert f"deleted {STACK}" in result.stderr


def test_a_commitment_is_shown_with_its_end(run: Run, aws: StubbedAws) -> None:
    _there(aws, commitment="OneMonth")
    _deletes(aws, ("DELETE_COMPLETE", {}))
    result = run("retire", "pets-search", "--yes")
    assert "its commitment (OneMonth) is billed until 2026-12-21" in result.stderr


@pytest.mark.parametrize(
    "given",
    [
        {"detail": {"object": {"key": "pets-search/manifest.jsonl"}}},
        {"serving": {"customization": "pets-search", "run": "x"}},
    ],
    ids=["an upload", "tuning serve"],
)
def test_a_run_that_has_not_ended_is_a_refusal(
    run: Run, aws: StubbedAws, given: dict[str, Any]
) -> None:
    _there(aws, given=given)
    result = run("retire", "pets-search", "--yes")
    assert result.exit_code == 2
    assert "pets-search is at work: execution upload" in result.stderr


@pytest.mark.parametrize("name", [NAME, "ron-and-smila-20261121-093000-3f9a1c"])
def test_a_job_without_its_execution_is_a_refusal_too(run: Run, aws: StubbedAws, name: str) -> None:
    others = "dev-pets-search-x-20261121-093000-3f9a1c"
    _there(aws, jobs={name: "pets-search", others: "pets-search-x"})
    result = run("retire", "pets-search", "--yes")
    assert result.exit_code == 2
    assert f"at work: job {name}\n" in result.stderr.replace("fix:", "\n")


def test_somebody_elses_run_is_none_of_its_own(run: Run, aws: StubbedAws) -> None:
    _there(aws, given={"detail": {"object": {"key": "pets/manifest.jsonl"}}})
    _deletes(aws, ("DELETE_COMPLETE", {}))
    assert run("retire", "pets-search", "--yes").exit_code == 0


def test_a_stack_that_stays_is_said_with_the_reason(run: Run, aws: StubbedAws) -> None:
    _there(aws)
    _deletes(aws, ("DELETE_FAILED", {"StackStatusReason": "still billed: x"}))
    result = run("retire", "pets-search", "--yes")
    assert result.exit_code == 2
    assert "could not be deleted: still billed: x" in result.stderr


def test_what_has_no_stack_cannot_be_retired(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.stub("cloudformation").add_client_error(
        "describe_stacks", "ValidationError", "Stack with id tuning-dev-cows does not exist"
    )
    result = run("retire", "cows", "--yes")
    assert result.exit_code == 2
    assert "no such stack" in result.stderr
    assert "tuning list" in result.stderr


def test_nothing_is_deleted_without_a_yes(run: Run, aws: StubbedAws) -> None:
    _there(aws)
    result = run("retire", "pets-search")
    assert result.exit_code == 2
    assert "not confirmed" in result.stderr
