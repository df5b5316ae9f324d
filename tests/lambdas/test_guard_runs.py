"""The guard of open runs: no deployment takes what they use, and no rollback is refused."""

import pytest

from lambdas import guard_runs
from lambdas._deploying import _cloudformation
from lambdas._records import _runs
from tests.lambdas.aws import USED, Aws
from tests.lambdas.cloudformation import CloudFormation

STARTERS, SERVICE_ROLES = "role/tuning/dev/start/*", "role/tuning/dev/bedrock/*"
BEFORE = f"output, {STARTERS}, training"
RUN = "20261121-093000-3f9a1c"


@pytest.fixture
def stack(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> CloudFormation:
    """The pipeline's stack, which has said that runs use starters and two buckets."""
    made = CloudFormation(aws, guard_runs.handler, {"Uses": BEFORE}, "run-guard/dev/Earlier")
    monkeypatch.setattr(_cloudformation.urllib3, "PoolManager", lambda: made)
    aws.ssm.values[USED] = BEFORE
    return made


def begin(status: str, run: str = RUN, **values: str) -> None:
    _runs.start_run("a-table", run=run, customization="pets-search", status=status, **values)


@pytest.mark.parametrize(
    ("status", "deployed"),
    [
        ("checking", "FAILED"),
        ("awaiting-approval", "FAILED"),
        ("queued", "FAILED"),
        ("training", "FAILED"),
        ("trained", "SUCCESS"),
        ("serving", "SUCCESS"),
    ],
)
def test_a_deployment_takes_nothing_from_a_run_whose_job_has_not_ended(
    stack: CloudFormation, status: str, deployed: str
) -> None:
    begin(status, training_version="v1")

    answer = stack.ask("Create", Uses=f"output, {SERVICE_ROLES}, training")

    assert answer["Status"] == deployed
    if deployed == "FAILED":
        assert f"takes {STARTERS} from open runs: {RUN} ({status})." in answer["Reason"]
        assert "tuning stop RUN" in answer["Reason"]
        assert "tuning runs -e dev" in answer["Reason"]
        assert answer["Reason"].endswith("then deploy again")
        # The buckets' policies, which name the roles of runs, were changed before it was asked.
        assert "the earlier settings again if it has changed tuning-dev-data" in answer["Reason"]
        _runs.close_run("a-table", RUN, status="declined")
        again = stack.ask("Create", Uses=f"output, {SERVICE_ROLES}, training")
        assert again["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    "uses",
    [BEFORE, f"function.Admit, {BEFORE}", f"{BEFORE}, {SERVICE_ROLES}"],
    ids=["the same", "a function more", "roles more"],
)
def test_what_only_adds_is_deployed_beside_a_run(stack: CloudFormation, uses: str) -> None:
    begin("training", training_version="v1")
    assert stack.ask("Create", Uses=uses)["Status"] == "SUCCESS"


def test_a_bucket_that_exists_already_takes_the_place_of_none_that_a_run_uses(
    stack: CloudFormation,
) -> None:
    begin("training", training_version="v1")
    answer = stack.ask("Create", Uses=f"output ml-output, {STARTERS}, training")
    assert answer["Status"] == "FAILED"
    assert "takes output from open runs" in answer["Reason"]


def test_the_first_deployment_with_a_guard_is_refused_by_no_run(
    aws: Aws, stack: CloudFormation
) -> None:
    """Neither a new environment nor one of a version before has said what runs use."""
    del aws.ssm.values[USED]
    begin("training", training_version="v1")
    assert stack.ask("Create", Uses="output")["Status"] == "SUCCESS"


def test_an_order_to_serve_is_no_run_that_starts_a_job(stack: CloudFormation) -> None:
    begin("checking")
    assert stack.ask("Create", Uses="output")["Status"] == "SUCCESS"


def test_a_guard_is_deleted_whatever_runs(aws: Aws, stack: CloudFormation) -> None:
    """At the end of a deployment the old one, in a rollback the new one."""
    begin("training", training_version="v1")
    answer = stack.ask("Delete", Uses="output")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "run-guard/dev/Earlier")
    assert aws.ssm.calls == []


def test_a_refused_guard_is_another_resource_than_the_one_before(stack: CloudFormation) -> None:
    begin("training", training_version="v1")
    answer = stack.ask("Create", Uses="output")
    assert (answer["Status"], answer["PhysicalResourceId"]) == (
        "FAILED",
        "run-guard/dev/AResource",
    )
    assert stack.failed == [], "the alarm of the function counts no refusal"


def test_of_many_runs_five_are_named(stack: CloudFormation) -> None:
    for number in range(40):
        begin("awaiting-approval", f"20261121-0930{number:02}-3f9a1c", training_version="v1")
    reason = stack.ask("Create", Uses="output")["Reason"]
    assert reason.count("awaiting-approval") == 5
    assert "and 35 more. First deploy the earlier settings" in reason
    assert reason.endswith("then deploy again")


def test_a_refusal_by_aws_is_answered(aws: Aws, stack: CloudFormation) -> None:
    aws.ssm.refuse("GetParameter", "AccessDeniedException", "not you")
    answer = stack.ask("Create", Uses="output")
    assert answer["Status"] == "FAILED"
    assert "not you" in answer["Reason"]
