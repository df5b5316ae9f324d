"""Ending a lease before its time, or letting it live longer: asked for, priced, told."""

import json
from datetime import UTC, datetime

import pytest

from bedrock_tuning.cli.commands.operate import lease
from bedrock_tuning.client import executions
from tests.cli.conftest import Run
from tests.cli.support import WORKFLOW, StubbedAws
from tests.cli.test_one_run import OURS, throughput

ARN = "provisioned-model/abcdefghij00"
MINE = {**OURS, "bedrock-tuning:customization": "pets-search"}


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_now", lambda: datetime(2026, 11, 22, 9, 30, tzinfo=UTC))
    monkeypatch.setattr(executions, "started_now", lambda what: f"20261122-093000-{what}-abcdef")


def _tagged(aws: StubbedAws, expires: str) -> None:
    bedrock = aws.stub("bedrock")
    arn = f"arn:aws:bedrock:us-east-1:000000000000:{ARN}"
    tags = [{"key": "bedrock-tuning:expires", "value": expires}]
    bedrock.add_response("tag_resource", {}, {"resourceARN": arn, "tags": tags})


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_lease_is_ended_by_the_workflow_which_writes_it_down_first(
    options: list[str], run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    throughput(aws, MINE)
    name = "20261122-093000-end-abcdef"
    serving = {
        "customization": "pets-search",
        "run": name,
        "started_by": "person",
        "end": True,
    }
    aws.answer(
        "stepfunctions",
        "start_execution",
        {"executionArn": f"{WORKFLOW}:{name}", "startDate": "2026-11-22T09:30:00Z"},
        {"stateMachineArn": WORKFLOW, "name": name, "input": json.dumps({"serving": serving})},
    )

    result = run("lease", "pets-search", "--end", "--yes", *options)

    assert result.exit_code == 0, result.stderr
    assert name in (result.stdout if options else result.stderr)
    aws.assert_all_called()


def test_a_lease_lives_longer_only_if_somebody_agrees_to_its_price(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    throughput(aws, MINE)

    result = run("lease", "pets-search", "--hours", "4")

    assert result.exit_code == 2
    assert "per hour, lease until" in result.stderr
    assert "not confirmed: Keep it, billed until 2026-11-22T13:30:00Z?" in result.stderr


def test_of_several_endpoints_only_the_customizations_own_are_touched(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    throughput(aws, MINE, {**MINE, "bedrock-tuning:customization": "pets-style"}, {})
    _tagged(aws, "2026-11-22T13:30:00Z")

    result = run("lease", "pets-search", "--hours", "4", "--yes", "--json")

    assert result.exit_code == 0, result.stderr
    assert '"expires": "2026-11-22T13:30:00Z"' in result.stdout
    aws.assert_all_called()


@pytest.mark.parametrize("options", [[], ["--end", "--hours", "4"]])
def test_when_it_shall_end_is_said_once(run: Run, options: list[str]) -> None:
    result = run("lease", "pets-search", *options, "--yes")
    assert result.exit_code == 2
    assert "either --end or --hours" in result.stderr


def test_no_lease_is_as_good_as_endless(run: Run) -> None:
    result = run("lease", "pets-search", "--hours", "721", "--yes")
    assert result.exit_code == 2
    assert "a lease of 721 hours is longer than 720" in result.stderr


def test_without_an_endpoint_there_is_nothing_to_end(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    throughput(aws)
    result = run("lease", "pets-search", "--end", "--yes")
    assert result.exit_code == 2
    assert "nothing is billed by the hour" in result.stderr


def test_an_unknown_customization_is_named(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    throughput(aws)
    result = run("lease", "pets-serch", "--end", "--yes")
    assert result.exit_code == 2
    assert "did you mean pets-search?" in result.stderr
