"""`tuning logs` and `tuning redrive`: what happened in a run, and what could not be delivered."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bedrock_tuning.client.operations import logs
from tests.cli.conftest import Run
from tests.cli.support import RUN, WORKFLOW, StubbedAws
from tests.cli.test_one_run import BEGAN, EXECUTION, SERVED, described

QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/tuning-dev-pipeline-DeadLetters"
UPLOAD = {
    "detail-type": "Object Created",
    "source": "aws.s3",
    "detail": {"bucket": {"name": "train"}, "object": {"key": "pets-search/manifest.jsonl"}},
}
ENDED = {
    **SERVED,
    "created": "2026-11-21T09:30:00Z",
    "updated": "2026-11-21T09:31:00Z",
}


def stack(aws: StubbedAws, part: str, *listed: tuple[str, str, str]) -> None:
    """The logical id, type and name of what a stack holds."""
    resources = [
        {
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical,
            "ResourceType": kind,
            "LastUpdatedTimestamp": BEGAN,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for logical, kind, physical in listed
    ]
    aws.answer(
        "cloudformation",
        "list_stack_resources",
        {"StackResourceSummaries": resources},
        {"StackName": f"tuning-dev-{part}"},
    )


def groups(aws: StubbedAws) -> None:
    stack(
        aws, "pipeline", ("FunctionsCheckManifestLogs95A91BAC", "AWS::Logs::LogGroup", "check-logs")
    )
    stack(aws, "serving")


def history(aws: StubbedAws) -> None:
    def event(number: int, kind: str, **details: Any) -> dict[str, Any]:
        when = BEGAN + timedelta(seconds=10 * number)
        return {"id": number, "type": kind, "timestamp": when, **details}

    events = [
        event(1, "TaskStateEntered", stateEnteredEventDetails={"name": "Check manifest"}),
        event(2, "ChoiceStateEntered", stateEnteredEventDetails={"name": "Valid?"}),
        event(4, "TaskFailed", taskFailedEventDetails={
            "error": "States.Timeout", "cause": "slow", "resourceType": "lambda", "resource": "x",
        }),
    ]  # fmt: skip
    asked = {"executionArn": EXECUTION, "includeExecutionData": True}
    aws.answer("stepfunctions", "get_execution_history", {"events": events}, asked)


def logged(aws: StubbedAws, *messages: str) -> None:
    when = int((BEGAN + timedelta(seconds=30)).timestamp() * 1000)
    events = [
        {"eventId": f"{number}", "timestamp": when, "message": message}
        for number, message in enumerate(messages)
    ]
    aws.answer("logs", "filter_log_events", {"events": events}, None)


OURS = json.dumps({"level": "INFO", "message": "checked", "run": RUN, "images": 8})
OTHERS = json.dumps({"level": "INFO", "message": "checked", "run": "another"})
TROUBLE = json.dumps({"level": "ERROR", "message": "no answer from S3"})
PLATFORM = "REPORT RequestId: 1 Duration: 2 ms"


def test_a_runs_logs_are_its_steps_its_errors_and_what_functions_said_of_it(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    aws.has_run(**ENDED)
    groups(aws)
    history(aws)
    logged(aws, OURS, OTHERS, TROUBLE, PLATFORM)
    result = run("logs", RUN)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "09:30:10  workflow  Check manifest",
        f"09:30:30  CheckManifest  INFO  checked run={RUN} images=8",
        "09:30:30  CheckManifest  ERROR  no answer from S3",
        "09:30:40  workflow  ERROR  error States.Timeout: slow",
    ]


def test_all_lines_of_the_time_can_be_seen(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(**ENDED)
    groups(aws)
    history(aws)
    logged(aws, OURS, OTHERS, PLATFORM)
    found = json.loads(run("logs", RUN, "--all", "--json").stdout)
    assert len(found) == 5


def test_logs_are_followed_until_the_execution_ends_and_each_line_comes_once(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "POLL_SECONDS", 0)
    aws.deployed()
    aws.has_run(**ENDED, open="yes")
    groups(aws)
    for status, messages in (("RUNNING", [OURS]), ("SUCCEEDED", [OURS, TROUBLE])):
        described(aws, status)
        history(aws)
        logged(aws, *messages)
    result = run("logs", RUN, "--follow")
    assert result.stdout.count("checked") == 1
    assert result.stdout.splitlines()[-1].endswith("no answer from S3")


def test_ctrl_c_ends_following_logs_with_the_command_to_go_on(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(logs.time, "sleep", stopped)
    aws.deployed()
    aws.has_run(**ENDED)
    groups(aws)
    described(aws, "RUNNING")
    history(aws)
    logged(aws, OURS)
    result = run("logs", RUN, "-f")
    assert result.exit_code == 130
    assert f"tuning logs {RUN} -f" in result.stderr


def waiting(aws: StubbedAws, *bodies: str) -> None:
    """The queue holds these; it is asked until it is empty."""
    stack(aws, "pipeline", ("MessagesDeadLetters0A1B2C3D", "AWS::SQS::Queue", QUEUE))
    messages = [
        {
            "MessageId": f"m{number}",
            "ReceiptHandle": f"r{number}",
            "Body": body,
            "MessageAttributes": {
                "ERROR_CODE": {"StringValue": "NO_PERMISSIONS", "DataType": "String"}
            },
        }
        for number, body in enumerate(bodies)
    ]
    for answer in ([{"Messages": messages}] if messages else []) + [{}]:
        aws.answer("sqs", "receive_message", answer, None)


def called(aws: StubbedAws, method: str, **expected: object) -> None:
    aws.answer("sqs", method, {}, {"QueueUrl": QUEUE, **expected})


def test_an_upload_that_was_not_delivered_starts_its_run_once_and_leaves_the_queue(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    body = json.dumps(UPLOAD)
    waiting(aws, body, "{}")
    aws.answer(
        "stepfunctions",
        "start_execution",
        {"executionArn": EXECUTION, "startDate": datetime.now(UTC)},
        # The same name and input again start no second execution.
        {"stateMachineArn": WORKFLOW, "name": "redrive-m0", "input": body},
    )
    called(aws, "delete_message", ReceiptHandle="r0")
    called(aws, "delete_message", ReceiptHandle="r1")
    result = run("redrive", "--yes")
    assert result.exit_code == 0, result.output
    assert "upload s3://train/pets-search/manifest.jsonl" in result.stdout
    assert "NO_PERMISSIONS" in result.stdout
    assert f"started {EXECUTION}" in result.stdout


@pytest.mark.parametrize(("option", "code"), [("--dry-run", 0), ("--json", 2)])
def test_what_is_not_delivered_is_put_back_at_once(
    run: Run, aws: StubbedAws, option: str, code: int
) -> None:
    aws.deployed()
    waiting(aws, json.dumps(UPLOAD))
    called(aws, "change_message_visibility", ReceiptHandle="r0", VisibilityTimeout=0)
    assert run("redrive", option).exit_code == code


def test_an_empty_queue_is_said(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    waiting(aws)
    assert "every event was delivered" in run("redrive").stderr
