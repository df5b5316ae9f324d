"""`tuning doctor` as a command: which checks, what it writes, how it ends."""

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run
from tests.cli.support import CALLER, StubbedAws

PROJECT = Path(__file__).resolve().parents[3]
PLACES = ("--settings", PROJECT / "cdk.json", "--customizations", PROJECT / "customizations")


def units(aws: StubbedAws, value: float) -> None:
    aws.deployed()
    for code in ("L-32F732DE", "L-92F8A601"):
        aws.has_quota(code, value)
        aws.has_quota("L-BE77399C", value)
        none: dict[str, Any] = {"provisionedModelSummaries": []}
        aws.answer("bedrock", "list_provisioned_model_throughputs", none, {})
    caller = {"UserId": "x", "Account": "111122223333", "Arn": CALLER}
    aws.answer("sts", "get_caller_identity", caller, {})


def test_what_would_fail_ends_with_1_and_the_answer_is_written(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    units(aws, 0.0)
    file = tmp_path / "verified.toml"
    result = run("doctor", "quota-model-units", "--verified", file, *PLACES)
    assert result.exit_code == 1
    assert "fail  quota-model-units: pets-search: 0 model units of" in result.stdout
    assert "fix: request 1 before you train" in result.stdout
    assert 'unknown = "model-units"\nanswer = "0"' in file.read_text()
    assert "111122223333" not in file.read_text()


def test_all_well_ends_with_0_also_as_json(run: Run, aws: StubbedAws, tmp_path: Path) -> None:
    units(aws, 3.0)
    file = tmp_path / "verified.toml"
    result = run("doctor", "quota-model-units", "--verified", file, *PLACES, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["ok"], found["written"], found["checks"][0]["state"]) == (True, 1, "ok")


def test_nothing_that_could_be_asked_ends_with_2(run: Run, aws: StubbedAws, tmp_path: Path) -> None:
    aws.deployed()
    aws.stub("logs").add_client_error("describe_resource_policies", "AccessDeniedException")
    file = tmp_path / "verified.toml"
    result = run("doctor", "log-policies", "--verified", file, *PLACES)
    assert result.exit_code == 2
    assert "you may not ask: logs:DescribeResourcePolicies" in result.stdout
    assert not file.exists()


def test_the_list_asks_nothing_and_says_what_would_be_asked(run: Run) -> None:
    result = run("doctor", "--list", "--canary-job", "--canary-upload")
    assert result.exit_code == 0
    assert "canary-upload" in result.stdout
    assert "servicequotas:GetServiceQuota" in result.stdout
    assert "canary-job" in result.stdout
    assert "canary-job" not in run("doctor", "--list").stdout


def test_a_wrong_check_gets_a_suggestion_and_a_job_needs_its_option(run: Run) -> None:
    wrong = run("doctor", "quota-model-unit")
    assert wrong.exit_code == 2
    assert "did you mean quota-model-units?" in wrong.stderr
    job = run("doctor", "canary-job")
    assert job.exit_code == 2
    assert "tuning doctor canary-job --canary-job" in job.stderr
