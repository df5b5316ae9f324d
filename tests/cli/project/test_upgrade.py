"""`tuning upgrade`: before and after a deployment over an environment of an older version."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.support import OLDER, RUN, WAITING, WORKFLOW, StubbedAws, item

OLD_RUN = {"execution": "upload", **WAITING}
UPLOADED = json.dumps({"detail": {"object": {"key": "pets-search/manifest.jsonl"}}})
CLAIM = {"id": "claim#abc", "run": RUN, "execution": "upload"}


def _execution(name: str) -> str:
    return f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:{name}"


def _table(aws: StubbedAws, kind: str, *items: dict[str, Any]) -> None:
    """What lies in the runs table; its indexes may be another version's."""
    aws.answer(
        "dynamodb",
        "scan",
        {"Items": [item(**each) for each in items]},
        {
            "TableName": "runs",
            "ConsistentRead": True,
            "FilterExpression": "begins_with(id, :kind)",
            "ExpressionAttributeValues": {":kind": {"S": kind}},
        },
    )


def _running(aws: StubbedAws, *names: str) -> None:
    shared = {"stateMachineArn": WORKFLOW, "status": "RUNNING", "startDate": "2026-11-21T09:30:00Z"}
    aws.answer(
        "stepfunctions",
        "list_executions",
        {"executions": [{"executionArn": _execution(n), "name": n, **shared} for n in names]},
        {"stateMachineArn": WORKFLOW, "statusFilter": "RUNNING"},
    )


@pytest.mark.parametrize("status", ["training", "checking", "serving"])
def test_nothing_is_closed_while_a_run_is_at_work(status: str, run: Run, aws: StubbedAws) -> None:
    aws.deployed(older=True)
    working = {"run": OLDER, "customization": "pets-style", "status": status, "execution": "other"}
    _table(aws, "run#", OLD_RUN, working)
    _running(aws, "upload", "other")

    done = run("upgrade", "--yes")

    assert done.exit_code == 2
    assert f"{OLDER} of pets-style is {status}" in done.stderr
    assert "wait until all of it has ended, then run this again" in done.stderr


def test_an_execution_of_no_run_is_waited_for(run: Run, aws: StubbedAws) -> None:
    """A deployment's, which is serving."""
    aws.deployed(older=True)
    _table(aws, "run#")
    _running(aws, "deploy-0a1b")

    done = run("upgrade", "--yes")

    assert (done.exit_code, "the execution deploy-0a1b runs" in done.stderr) == (2, True)


def test_what_waits_for_approval_is_closed_with_what_it_began_with(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed(older=True)
    _table(aws, "run#", OLD_RUN)
    _running(aws, "upload")
    described = {"executionArn": _execution("upload"), "stateMachineArn": WORKFLOW}
    described |= {"status": "RUNNING", "startDate": "2026-11-21T09:30:00Z", "input": UPLOADED}
    arn = {"executionArn": _execution("upload")}
    aws.answer("stepfunctions", "describe_execution", described, arn)
    changed = {
        "TableName": "runs",
        "Key": {"id": {"S": f"run#{RUN}"}},
        "UpdateExpression": "SET #status = :status, #message = :message, #began = :began "
        "REMOVE #token",
        "ExpressionAttributeNames": {
            "#status": "status",
            "#message": "message",
            "#began": "began_with",
            "#token": "approval_token",
        },
        "ExpressionAttributeValues": {
            ":status": {"S": "closed"},
            ":message": {"S": "closed for an upgrade; admitted again after it: `tuning upgrade`"},
            ":began": {"S": UPLOADED},
        },
    }
    aws.answer("dynamodb", "update_item", {}, changed)
    aws.answer("stepfunctions", "stop_execution", {"stopDate": "2026-11-21T10:00:00Z"}, None)

    done = run("upgrade", "--yes", "--json")

    assert json.loads(done.stdout) == {"step": "deploy", "closed": [RUN], "admitted": []}
    assert "nothing is at work: cdk deploy --all --context environment=dev" in done.stderr


def test_nothing_is_closed_without_an_answer(run: Run, aws: StubbedAws) -> None:
    aws.deployed(older=True)
    _table(aws, "run#", OLD_RUN)
    _running(aws, "upload")

    done = run("upgrade")

    assert done.exit_code == 2
    assert "not confirmed: Close 1 run" in done.stderr


def test_after_the_deployment_what_was_closed_is_admitted_again_and_not_as_a_duplicate(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    _table(aws, "run#", {**OLD_RUN, "status": "closed", "began_with": UPLOADED})
    _running(aws)
    _table(aws, "claim#", CLAIM, {"id": "claim#other", "run": OLDER})
    claim = {"TableName": "runs", "Key": {"id": {"S": "claim#abc"}}}
    aws.answer("dynamodb", "delete_item", {}, claim)
    aws.answer(
        "stepfunctions",
        "start_execution",
        {"executionArn": _execution(f"again-{RUN}"), "startDate": "2026-11-21T10:00:00Z"},
        {"stateMachineArn": WORKFLOW, "name": f"again-{RUN}", "input": UPLOADED},
    )
    aws.answer("dynamodb", "update_item", {}, None)

    done = run("upgrade")

    assert done.exit_code == 0
    assert f"started again-{RUN}" in done.stderr


def test_an_environment_of_this_version_has_nothing_to_upgrade(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    _table(aws, "run#", OLD_RUN)
    _running(aws, "upload")

    done = run("upgrade")

    assert (done.exit_code, "nothing to do" in done.stderr) == (0, True)


def test_other_commands_say_what_comes_first(run: Run, aws: StubbedAws) -> None:
    aws.stands("data", TrainingBucket="train", ValidationBucket="valid", OutputBucket="out")
    aws.stands("pipeline", RunsTable="runs", Workflow=WORKFLOW)

    done = run("runs")

    assert "the stack has no output ApprovalUrl" in done.stderr
    assert "`tuning upgrade`, then deploy this version of the project" in done.stderr
