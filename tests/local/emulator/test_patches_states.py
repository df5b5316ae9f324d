"""Gaps of the emulator in Step Functions: still there as it comes, closed by their patches.

When a `…_as_it_comes` assertion fails, upstream has closed the gap: delete the patch.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from bedrock_tuning.config.names import LOCAL_ACCOUNT
from local.emulator.layout import REGION
from local.emulator.server import LocalAws
from tests.local.support import (
    Pets,
    allow,
    bucket,
    ended,
    eventually,
    function,
    jsonl,
    machine,
    queue,
    received,
    refused,
    role,
    run,
    set_policy,
    task,
    unique,
)

IDENTITY = "def handler(event, context): return event"
ANY_MACHINE = f"arn:aws:states:{REGION}:{LOCAL_ACCOUNT}:stateMachine:*"


@dataclass(frozen=True, slots=True)
class Work:
    """Something that a state machine does, and what its role needs for it."""

    states: Mapping[str, Any]
    needs: Any


def publish(aws: LocalAws) -> Work:
    topic = aws.client("sns").create_topic(Name=unique("topic"))["TopicArn"]
    parameters = {"TopicArn": topic, "Message": {"any": "object"}}
    return Work(task("sns:publish", parameters), allow("sns:Publish", topic))


def table_of(aws: LocalAws) -> tuple[str, str]:
    """Name and ARN of a new table with the key `pk`."""
    table = aws.client("dynamodb").create_table(
        TableName=unique("table"),
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]
    return table["TableName"], table["TableArn"]


def put_item(aws: LocalAws) -> Work:
    name, arn = table_of(aws)
    parameters = {"TableName": name, "Item": {"pk": {"S": "a"}}}
    return Work(task("dynamodb:putItem", parameters), allow("dynamodb:PutItem", arn))


def update_by_sdk(aws: LocalAws) -> Work:
    name, arn = table_of(aws)
    parameters = {"TableName": name, "Key": {"pk": {"S": "a"}}}
    resource = "aws-sdk:dynamodb:updateItem"
    return Work(task(resource, parameters), allow("dynamodb:UpdateItem", arn))


def invoke(aws: LocalAws) -> Work:
    arn = function(aws, IDENTITY)
    return Work(
        task("lambda:invoke", {"FunctionName": arn, "Payload": {"n": 1}}),
        allow("lambda:InvokeFunction", arn),
    )


def map_over(aws: LocalAws) -> tuple[Mapping[str, Any], str]:
    """A Distributed Map over a JSONL object, and the object's ARN."""
    name = bucket(aws)
    rows = [{"n": n} for n in range(5)]
    aws.client("s3").put_object(Bucket=name, Key="work/shards.jsonl", Body=jsonl(rows))
    mode = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    child = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSONL"},
        "Parameters": {"Bucket": name, "Key": "work/shards.jsonl"},
    }
    state = {"Type": "Map", "ItemReader": reader, "End": True}
    state["ItemProcessor"] = {"ProcessorConfig": mode, **child}
    return {"M": state}, f"arn:aws:s3:::{name}/work/shards.jsonl"


def read_items(aws: LocalAws) -> Work:
    states, arn = map_over(aws)
    return Work(states, allow("s3:GetObject", arn))


EVERY_WORK = [publish, put_item, update_by_sdk, invoke, read_items]


@pytest.mark.parametrize("work", EVERY_WORK)
def test_a_role_without_any_right_may_do_everything_as_it_comes(
    plain: LocalAws, work: Callable[[LocalAws], Work]
) -> None:
    assert run(plain, machine(plain, work(plain).states))["status"] == "SUCCEEDED"


@pytest.mark.parametrize("work", EVERY_WORK)
def test_a_task_fails_when_the_role_lacks_its_right(
    aws: LocalAws, work: Callable[[LocalAws], Work]
) -> None:
    done = work(aws)
    found = run(aws, machine(aws, done.states, policy=[allow("states:StartExecution", "*")]))
    assert found["status"] == "FAILED"
    assert f"is not authorized to perform: {done.needs['Action']}" in found["cause"]


@pytest.mark.parametrize("work", EVERY_WORK)
def test_a_task_succeeds_when_the_role_has_its_right(
    aws: LocalAws, work: Callable[[LocalAws], Work]
) -> None:
    done = work(aws)
    start = allow("states:StartExecution", ANY_MACHINE)
    found = run(aws, machine(aws, done.states, policy=[done.needs, start]))
    assert found["status"] == "SUCCEEDED", found


def test_a_map_needs_the_right_to_start_its_children(aws: LocalAws) -> None:
    done = read_items(aws)
    found = run(aws, machine(aws, done.states, policy=[done.needs]))
    assert found["error"] == "States.Permissions"
    assert "states:StartExecution" in found["cause"]


def test_a_map_returns_the_items_of_a_jsonl_object_in_order(aws: LocalAws) -> None:
    done = read_items(aws)
    start = allow("states:StartExecution", ANY_MACHINE)
    found = run(aws, machine(aws, done.states, policy=[done.needs, start]))
    assert json.loads(found["output"]) == [{"n": n} for n in range(5)]


def test_a_role_that_does_not_trust_the_machine_does_nothing(aws: LocalAws) -> None:
    done = publish(aws)
    condition = {"ArnLike": {"aws:SourceArn": ANY_MACHINE.replace("Machine:*", "Machine:other-*")}}
    found = run(aws, machine(aws, done.states, policy=[done.needs], condition=condition))
    assert found["error"] == "States.Permissions"
    assert "trust policy" in found["cause"]


@pytest.mark.parametrize("lacking", ["the right", "the trust", "nothing"])
def test_a_task_that_may_not_become_its_role_fails_as_any_other(
    aws: LocalAws, lacking: str
) -> None:
    """Step Functions' own sentence, and its Catch gets it."""
    done = publish(aws)
    trusted = REGION if lacking != "the trust" else "another"
    machines = {"sts:ExternalId": f"arn:aws:states:{trusted}:{LOCAL_ACCOUNT}:stateMachine:*"}
    whom = role(aws, "account", [done.needs], condition={"StringLike": machines})
    (work,) = done.states.values()
    caught = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}]
    states = {
        "T": {**work, "Credentials": {"RoleArn": whom}, "Catch": caught},
        "Caught": {"Type": "Pass", "End": True},
    }
    policy = [allow("sts:AssumeRole", whom)] if lacking != "the right" else []
    found = run(aws, machine(aws, states, policy=policy))
    assert found["status"] == "SUCCEEDED", found
    refusal = f"is not authorized to assume the task state's role, {whom}."
    assert (refusal in found["output"]) == (lacking != "nothing")


def test_a_task_waits_for_the_token_that_it_stored(aws: LocalAws) -> None:
    name, arn = table_of(aws)
    parameters = {
        "TableName": name,
        "Key": {"pk": {"S": "approval"}},
        "UpdateExpression": "SET waiting = :token",
        "ExpressionAttributeValues": {":token": {"S.$": "$$.Task.Token"}},
    }
    states = task("aws-sdk:dynamodb:updateItem.waitForTaskToken", parameters)
    waiting = machine(aws, states, policy=[allow("dynamodb:UpdateItem", arn)])
    client = aws.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=waiting)["executionArn"]
    dynamodb = aws.client("dynamodb")

    def stored() -> str | None:
        item = dynamodb.get_item(TableName=name, Key={"pk": {"S": "approval"}}).get("Item")
        return item["waiting"]["S"] if item else None

    client.send_task_success(taskToken=eventually(stored), output='{"approved": true}')
    assert json.loads(ended(aws, execution)["output"]) == {"approved": True}


def test_a_failed_condition_is_named_as_step_functions_names_it(aws: LocalAws) -> None:
    name, arn = table_of(aws)
    parameters = {
        "TableName": name,
        "Item": {"pk": {"S": "taken"}},
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    once = machine(
        aws, task("dynamodb:putItem", parameters), policy=[allow("dynamodb:PutItem", arn)]
    )
    assert run(aws, once)["status"] == "SUCCEEDED"
    assert run(aws, once)["error"] == "DynamoDB.ConditionalCheckFailedException"


def test_a_machines_timeout_is_never_enforced_as_it_comes(plain: LocalAws) -> None:
    assert run(plain, slow_machine(plain))["status"] == "SUCCEEDED"


def test_a_machine_ends_when_its_time_is_up(aws: LocalAws) -> None:
    assert run(aws, slow_machine(aws))["status"] == "TIMED_OUT"


def slow_machine(aws: LocalAws) -> str:
    """One that takes longer than its TimeoutSeconds."""
    arn = function(aws, "import time\ndef handler(event, context): time.sleep(2.5)")
    states = task("lambda:invoke", {"FunctionName": arn})
    return machine(aws, states, policy=[allow("lambda:InvokeFunction", arn)], TimeoutSeconds=1)


JOB_ACTIONS = [
    "bedrock:CreateModelCustomizationJob",
    "bedrock:GetModelCustomizationJob",
    "bedrock:StopModelCustomizationJob",
]


def training_machine(pets: Pets, *, actions: list[str] | None = None, **changes: Any) -> str:
    """A state machine that trains with `.sync`, whose role may do these actions."""
    request = {name[0].upper() + name[1:]: value for name, value in pets.request(**changes).items()}
    request["TrainingDataConfig"] = {"S3Uri": request["TrainingDataConfig"]["s3Uri"]}
    request["OutputDataConfig"] = {"S3Uri": request["OutputDataConfig"]["s3Uri"]}
    states = task("bedrock:createModelCustomizationJob.sync", request)
    passed = {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}}
    policy = [
        allow(JOB_ACTIONS if actions is None else actions, "*"),
        allow("iam:PassRole", pets.role_arn, Condition=passed),
    ]
    return machine(pets.aws, states, policy=policy)


def test_bedrock_jobs_are_unknown_as_it_comes(plain: LocalAws) -> None:
    found = run(
        plain, machine(plain, task("bedrock:createModelCustomizationJob", {"JobName": "a"}))
    )
    assert "not yet implemented in MiniStack" in found["cause"]


def test_a_synchronous_job_returns_its_arn_and_nothing_else_once_it_is_completed(
    pets: Pets,
) -> None:
    found = run(pets.aws, training_machine(pets))
    assert found["status"] == "SUCCEEDED", found
    result = json.loads(found["output"])
    assert set(result) == {"JobArn"}
    job = pets.aws.client("bedrock").get_model_customization_job(jobIdentifier=result["JobArn"])
    assert job["status"] == "Completed"


LARGE = 256 * 1024 + 1


def large_state(aws: LocalAws, size: int) -> dict[str, Any]:
    """How a machine ends whose task answers with so many bytes; it catches every error."""
    # Quotes around the text are two of the bytes.
    arn = function(aws, f"def handler(event, context): return 'a' * {size - 2}")
    states = {
        "T": {
            "Type": "Task",
            "Resource": arn,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
            "End": True,
        },
        "Caught": {"Type": "Pass", "End": True},
    }
    return run(aws, machine(aws, states, policy=[allow("lambda:InvokeFunction", arn)]))


def test_a_state_may_be_of_any_size_as_it_comes(plain: LocalAws) -> None:
    assert large_state(plain, LARGE)["status"] == "SUCCEEDED"


def test_a_state_above_256_kib_ends_the_execution_and_nothing_catches_it(aws: LocalAws) -> None:
    found = large_state(aws, LARGE)
    assert (found["status"], found["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_a_state_of_256_kib_is_none_too_many(aws: LocalAws) -> None:
    assert large_state(aws, LARGE - 1)["status"] == "SUCCEEDED"


def logged(aws: LocalAws) -> list[dict[str, Any]]:
    """The lines of a machine that puts an item into a table that is not there."""
    logs, states = aws.client("logs"), aws.client("stepfunctions")
    group = unique("/aws/vendedlogs/states/m")
    logs.create_log_group(logGroupName=group)
    parameters = {"TableName": "nowhere", "Item": {"pk": {"S": "a-secret"}}}
    work = task("dynamodb:putItem", parameters)
    arn = machine(aws, work, policy=[allow("dynamodb:PutItem", "*")])
    where = f"arn:aws:logs:{REGION}:{LOCAL_ACCOUNT}:log-group:{group}:*"
    states.update_state_machine(
        stateMachineArn=arn,
        loggingConfiguration={
            "level": "ALL",
            "includeExecutionData": False,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": where}}],
        },
    )
    run(aws, arn, {"also": "a-secret"})
    return [
        json.loads(event["message"])
        for event in logs.filter_log_events(logGroupName=group)["events"]
    ]


def test_the_log_group_of_a_machine_stays_empty_as_it_comes(plain: LocalAws) -> None:
    assert logged(plain) == []


def test_each_event_of_an_execution_is_logged_without_its_data(aws: LocalAws) -> None:
    found = logged(aws)
    assert [each["type"] for each in found] == [
        "TaskStateEntered",
        "TaskScheduled",
        "TaskFailed",
        "ExecutionFailed",
    ]
    assert found[0]["details"]["name"]
    assert "ResourceNotFound" in found[2]["details"]["error"]
    assert all(":execution:" in each["execution_arn"] for each in found)
    assert "a-secret" not in json.dumps(found)


def waiting_token(aws: LocalAws) -> tuple[str, str]:
    """The token of a task that waits for its answer, and the execution."""
    url, arn = queue(aws)
    states = task(
        "sqs:sendMessage.waitForTaskToken", {"QueueUrl": url, "MessageBody.$": "$$.Task.Token"}
    )
    started = machine(aws, states, policy=[allow("sqs:SendMessage", arn)])
    execution = aws.client("stepfunctions").start_execution(stateMachineArn=started)["executionArn"]
    return eventually(lambda: received(aws, url))[0]["Body"], execution


def test_the_token_of_a_stopped_execution_is_taken_as_it_comes(plain: LocalAws) -> None:
    states = plain.client("stepfunctions")
    token, execution = waiting_token(plain)
    states.stop_execution(executionArn=execution)
    states.send_task_success(taskToken=token, output="{}")


def test_the_token_of_a_task_that_is_closed_is_timed_out(aws: LocalAws) -> None:
    states = aws.client("stepfunctions")
    token, execution = waiting_token(aws)
    states.stop_execution(executionArn=execution)
    with refused("TaskTimedOut"):
        states.send_task_success(taskToken=token, output="{}")
    token, execution = waiting_token(aws)
    states.send_task_success(taskToken=token, output="{}")
    assert ended(aws, execution)["status"] == "SUCCEEDED"
    with refused("TaskTimedOut"):
        states.send_task_failure(taskToken=token)


def test_what_was_never_a_token_is_invalid(aws: LocalAws) -> None:
    with refused("InvalidToken"):
        aws.client("stepfunctions").send_task_success(taskToken="none", output="{}")


def test_a_failed_job_fails_the_task_with_the_whole_job(pets: Pets) -> None:
    pets.aws.faults.order("fail-job", message="out of luck")
    found = run(pets.aws, training_machine(pets))
    assert found["error"] == "States.TaskFailed"
    assert "out of luck" in json.loads(found["cause"])["FailureMessage"]


@pytest.mark.parametrize("missing", JOB_ACTIONS[:2])
def test_a_synchronous_job_needs_to_create_and_to_look(pets: Pets, missing: str) -> None:
    left = [action for action in JOB_ACTIONS if action != missing]
    found = run(pets.aws, training_machine(pets, actions=left))
    assert found["error"] == "Bedrock.AccessDeniedException"
    assert missing in found["cause"]


def test_stopping_the_execution_stops_the_job(pets: Pets) -> None:
    client = pets.aws.client("stepfunctions")
    bedrock = pets.aws.client("bedrock")
    name = unique("stopped")
    arn = training_machine(pets, jobName=name)
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]

    def started() -> bool:
        jobs = bedrock.list_model_customization_jobs(nameContains=name)
        return bool(jobs["modelCustomizationJobSummaries"])

    eventually(started)
    client.stop_execution(executionArn=execution)
    assert pets.finished(name)["status"] == "Stopped"


def test_a_role_may_get_its_right_later(aws: LocalAws) -> None:
    """Policies are read at every task, not when the machine is made."""
    done = publish(aws)
    arn = role(aws, "states.amazonaws.com")
    machine_arn = aws.client("stepfunctions").create_state_machine(
        name=unique("machine"),
        definition=json.dumps({"StartAt": "T", "States": dict(done.states)}),
        roleArn=arn,
    )["stateMachineArn"]
    assert run(aws, machine_arn)["status"] == "FAILED"
    set_policy(aws, arn, [done.needs])
    assert run(aws, machine_arn)["status"] == "SUCCEEDED"
