"""`tuning logs` and `tuning redrive`: what happened in a run, and what could not be delivered."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.stub import ANY

from bedrock_tuning.client.operations import logs
from tests.cli.conftest import Run
from tests.cli.support import RUN, WORKFLOW, StubbedAws
from tests.cli.test_one_run import BEGAN, EXECUTION, SERVED, at

QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/tuning-dev-pipeline-DeadLetters"
UPLOAD = {
    "detail-type": "Object Created",
    "source": "aws.s3",
    "detail": {"bucket": {"name": "train"}, "object": {"key": "pets-search/manifest.jsonl"}},
}
ENDED = {**SERVED, "updated": "2026-11-21T09:31:00Z", **at(checking=0, failed=50)}
OTHER = EXECUTION.replace("exec-1", "exec-2")
OPEN = {**SERVED, "updated": "2026-11-21T09:31:00Z", "open": "yes", **at(checking=0)}


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
        aws,
        "pipeline",
        ("FunctionsCheckManifestLogs95A91BAC", "AWS::Logs::LogGroup", "check-logs"),
        ("WorkflowLogs95A91BAC", "AWS::Logs::LogGroup", "workflow-logs"),
    )
    stack(aws, "serving")


def event(number: int, kind: str, execution: str = EXECUTION, **details: str) -> str:
    """An event of the workflow as Step Functions logs it."""
    about = {"id": str(number), "type": kind, "details": details, "execution_arn": execution}
    return json.dumps(about)


def filtered(aws: StubbedAws, group: str, *messages: tuple[int, str]) -> None:
    """A log group's lines, each with its second since the run began; functions' have no id."""
    events = [
        {
            **({"eventId": f"{group}-{number}"} if group == "workflow-logs" else {}),
            "timestamp": int((BEGAN + timedelta(seconds=after)).timestamp() * 1000),
            "message": message,
        }
        for number, (after, message) in enumerate(messages)
    ]
    asked = {"logGroupName": group, "startTime": ANY, "endTime": ANY}
    aws.answer("logs", "filter_log_events", {"events": events}, asked)


def logged(aws: StubbedAws, *messages: str) -> None:
    """What the check said, and what the workflow did."""
    filtered(aws, "check-logs", *((30, message) for message in messages))
    filtered(
        aws,
        "workflow-logs",
        (10, event(1, "TaskStateEntered", name="Check manifest")),
        (20, event(2, "ChoiceStateEntered", name="Valid?")),
        (21, event(1, "TaskStateEntered", OTHER, name="Another run's")),
        (40, event(4, "TaskFailed", error="States.Timeout", cause="slow")),
        (41, event(5, "TaskStateExited", name="Check manifest")),
        # Whether AWS leaves out errors with the data, no page says.
        (42, event(6, "ExecutionFailed")),
    )


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
    logged(aws, OURS, OTHERS, TROUBLE, PLATFORM)
    result = run("logs", RUN)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "09:30:00  run  uploaded; the check of the dataset began",
        "09:30:10  Workflow  Check manifest",
        f"09:30:30  CheckManifest  INFO  checked run={RUN} images=8",
        "09:30:30  CheckManifest  ERROR  no answer from S3",
        "09:30:40  Workflow  ERROR  TaskFailed: States.Timeout: slow",
        "09:30:42  Workflow  ERROR  ExecutionFailed",
        "09:30:50  run  the job or a step of the run failed",
    ]


def test_all_lines_of_the_time_can_be_seen(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(**ENDED)
    groups(aws)
    logged(aws, OURS, OTHERS, PLATFORM)
    found = json.loads(run("logs", RUN, "--all", "--json").stdout)
    assert len(found) == 9


def test_logs_are_followed_until_the_run_ends_and_each_line_comes_once(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_POLL_SECONDS", 0)
    aws.deployed()
    aws.has_run(**OPEN)
    groups(aws)
    for now, messages in ((OPEN, [OURS]), (ENDED, [OURS, TROUBLE])):
        aws.has_run(**now)
        logged(aws, *messages)
    result = run("logs", RUN, "--follow")
    assert result.stdout.count("checked") == 1
    assert result.stdout.count("TaskFailed") == 1
    assert result.stdout.count("the check of the dataset began") == 1
    assert "no answer from S3" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("a step of the run failed")


def test_ctrl_c_ends_following_logs_with_the_command_to_go_on(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(logs.time, "sleep", stopped)
    aws.deployed()
    aws.has_run(**OPEN)
    groups(aws)
    aws.has_run(**OPEN)
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
