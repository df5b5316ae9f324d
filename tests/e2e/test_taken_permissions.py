"""Whatever permission is taken from whichever role: the run does not pass, and a person is told.

Told means: which role may not do what to what, and what to do. Nothing is left that nobody was
told of. Single functions are called again with what a good run gave them; for each role one whole
run (or the event that needs the role) shows that the message arrives.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bedrock_tuning.access_denied import denial
from bedrock_tuning.client import runs
from bedrock_tuning.run.failure_advice import explain, with_advice
from bedrock_tuning.run.outcome import outcome
from tests.e2e.needed import FUNCTIONS, NOT_NEEDED_HERE, WHOLE_RUNS, WORKFLOW, Taken
from tests.e2e.stage import Stage
from tests.e2e.taken import FunctionFailedError, Roles, contracts
from tests.e2e.world import NAME, World, eventually
from tools.scan.cases import OPTIONS

pytestmark = pytest.mark.e2e

# Each of the others has a test of its own below.
ELSEWHERE = {
    "CloseRun": "test_a_run_whose_end_cannot_be_recorded_is_told_all_the_same",
    "upload-rule": "test_an_upload_that_may_not_start_a_run_waits_with_its_reason",
    "lease-schedule": "test_a_lease_keeper_that_may_not_be_called_leaves_its_reason",
    "KeepLeases": "test_a_permission_that_a_function_lacks_is_named",
    "ProvisionedThroughput": "test_a_permission_that_a_function_lacks_is_named",
    "GuardRuns": "test_a_permission_that_a_function_lacks_is_named",
    "Approve": "tests/lambdas/test_wrong_errors.py refuses each of its calls",
    "DrawPage": "test_a_permission_that_a_function_lacks_is_named",
    "Evaluate": "tests/lambdas/test_wrong_errors.py refuses each of its calls",
    "VerifyImages": "tests/lambdas/test_wrong_errors.py refuses each of its calls",
    "TakeTurn": "tests/lambdas/test_wrong_errors.py refuses each of its calls",
    "Announce": "test_a_message_that_may_not_be_announced_fails_no_run",
    "Reconcile": "tests/lambdas/test_wrong_errors.py refuses each of its calls",
    "reconcile-schedule": "the same construct as lease-schedule",
    "bedrock.pets-style": "test_a_job_says_what_its_service_role_lacks",
    "start.pets-style": "the same construct as start.pets-search",
    "chat": "only with slack_channel; AWS Chatbot assumes it, and it allows nothing",
    "flow-logs": "only with vpc = true; VPC writes with it, outside of any run",
    "CloseDefaultGroup": "only with vpc = true, at deployment; tests/e2e/test_options.py",
}


@pytest.fixture(scope="module")
def stage(world: World) -> Iterator[Stage]:
    """A good run; at the end nothing is served."""
    good = world.run(f" permissions {time.time_ns()}")
    assert good.outcome == "served", good.cause
    stage = Stage(world, good)
    yield stage
    stage.unserved()


def _demand_told(text: str, *, role: str, action: str) -> None:
    """The text says who may not do what to what, and what to do."""
    refused = denial(text)
    assert refused is not None, text
    assert (refused.principal, refused.action) == (f"role {role}", action), text
    assert refused.resource, text
    assert refused.cause in text
    assert f"What to do: {refused.fix}" in text


@pytest.mark.parametrize("taken", FUNCTIONS, ids=str)
def test_a_permission_that_a_function_lacks_is_named(stage: Stage, taken: Taken) -> None:
    with (
        stage.without(taken.role, taken.action, taken.on) as physical,
        pytest.raises(FunctionFailedError) as caught,
    ):
        taken.call(stage)
    told = str(caught.value)
    if taken.role in ("GuardRuns", "ProvisionedThroughput"):
        # The reason that CloudFormation shows has little room.
        refused = denial(told)
        assert refused is not None
        assert (refused.principal, refused.action) == (f"role {physical}", taken.action)
        assert f"What to do: {refused.fix}" in told
        return
    if taken.role != "KeepLeases":
        state = {**stage.good.state, "error": caught.value.error}
        told = outcome(state, environment="local").message
    _demand_told(told, role=physical, action=taken.action)


def test_a_refusal_without_words_is_told_by_who_asked_for_what(stage: Stage) -> None:
    """S3 answers a HEAD without a word; a copy begins with one."""
    with (
        stage.without("StartJob", "s3:GetObjectVersion"),
        pytest.raises(FunctionFailedError) as caught,
    ):
        stage.state("Prepare job")
    told = with_advice(str(caught.value))
    for words in (
        stage.steps.functions["StartJob"],
        "s3:GetObjectVersion",
        f"arn:aws:s3:::{stage.world.deployment.buckets.training}/{NAME}/manifest.jsonl",
        "What to do: the caller must be able to read that object",
    ):
        assert words in told


@pytest.mark.parametrize(("taken", "state"), WORKFLOW.items(), ids=str)
def test_a_permission_that_the_workflow_lacks_is_named(
    stage: Stage, taken: tuple[str, str], state: str
) -> None:
    with stage.without("workflow", *taken) as physical:
        ended = stage.execute(state)
    assert ended.status == "FAILED"
    assert physical in ended.cause
    assert taken[0] in ended.cause
    if ended.error in ("CloseRunFailed", "NotifyFailed"):
        # What would have said it better needs the permission too.
        assert "docs/runbook.md, A permission is missing" in ended.cause
    else:
        _demand_told(ended.cause, role=physical, action=taken[0])


def test_a_job_that_may_not_be_watched_is_told_as_running_and_billed(stage: Stage) -> None:
    action = "bedrock:GetModelCustomizationJob"
    stage.unserved()
    with stage.without(f"start.{NAME}", action) as physical:
        ended = stage.world.run(f" unwatched {time.time_ns()}")
    assert ended.status == "FAILED"
    _demand_told(ended.cause, role=physical, action=action)
    assert "Its job was started, continues and is billed" in ended.cause
    advised = re.search(r"tuning stop (\S+)", ended.cause)
    assert advised is not None

    def adopted() -> bool:
        """With the permission back, the reconciler sees the job through to a served model."""
        stage.steps.call("Reconcile", {})
        return bool(runs.row(stage.world.deployment, advised[1])["status"] == "served")

    assert eventually(adopted)


@pytest.mark.parametrize(("role", "action", "on"), WHOLE_RUNS, ids=str)
def test_a_run_ends_with_the_message_and_leaves_nothing(
    stage: Stage, role: str, action: str, on: str
) -> None:
    world = stage.world
    stage.unserved()
    inbox, jobs = world.subscribe(), world.jobs()
    with stage.without(role, action, on) as physical:
        ended = world.run(f" without {role} {time.time_ns()}")
    assert ended.status == "FAILED"
    _demand_told(ended.cause, role=physical, action=action)
    told = [sent["message"] for sent in _told(inbox)]
    # Messages about other runs may come meanwhile.
    assert told.count(ended.cause) == 1
    if role != "Admit":
        row = world.row(ended)
        assert (row["status"], row["message"]) == (ended.error, ended.cause)
    assert world.throughputs() == []
    if role in ("RecordJob", "Serve"):
        assert "The custom model is kept" in ended.cause
    elif role.startswith("bedrock."):
        # Bedrock itself was asked, and refused to train.
        assert len(world.jobs()) == len(jobs) + 1
    else:
        assert world.jobs() == jobs


def _told(inbox: Any) -> list[dict[str, Any]]:
    """The messages that have come, without those that ask for approval."""
    return [sent for sent in inbox.messages() if sent["status"] != "awaiting-approval"]


@pytest.mark.parametrize(
    ("role", "action"),
    [
        (f"bedrock.{NAME}", "s3:GetObject"),
        (f"bedrock.{NAME}", "s3:ListBucket"),
        (f"bedrock.{NAME}", "s3:PutObject"),
        (f"bedrock.{NAME}", "kms:Decrypt"),
        (f"bedrock.{NAME}", "kms:GenerateDataKey"),
        # The same construct, tried once.
        ("bedrock.pets-style", "s3:PutObject"),
    ],
)
def test_a_job_says_what_its_service_role_lacks(stage: Stage, role: str, action: str) -> None:
    with stage.without(role, action) as physical:
        message = stage.train(role)
    found = explain(message)
    assert "the service role may not" in found.cause, message
    assert physical in found.cause
    assert action in found.cause
    assert "cdk drift" in found.fix


def test_a_run_whose_end_cannot_be_recorded_is_told_all_the_same(stage: Stage) -> None:
    world = stage.world
    inbox = world.subscribe()
    with stage.without("CloseRun", "dynamodb:UpdateItem") as physical:
        ended = world.follow(world.upload("training", world.rows(salt=f" {time.time_ns()}")[:3]))
    assert (ended.status, ended.error) == ("FAILED", "CloseRunFailed")
    # The reconciler, which the failed execution calls, tells it as well.
    (message,) = [each for each in _told(inbox) if each.get("execution") == ended.arn]
    for told in (ended.cause, message["message"]):
        for words in (physical, "dynamodb:UpdateItem", "could not be recorded", "runbook"):
            assert words in told


def test_a_run_that_cannot_be_told_fails_and_says_so_in_its_execution(stage: Stage) -> None:
    world = stage.world
    with stage.without("workflow", "sns:Publish") as physical:
        ended = world.follow(world.upload("training", world.rows(salt=f" {time.time_ns()}")[:3]))
    assert (ended.status, ended.error) == ("FAILED", "NotifyFailed")
    assert world.row(ended)["status"] == "rejected"
    for words in (physical, world.topic, "could not be sent", "runbook"):
        assert words in ended.cause.replace("SNS:", "sns:")


def test_a_message_that_may_not_be_announced_fails_no_run(stage: Stage) -> None:
    """Its event is lost; people are told all the same, and an alarm rings."""
    world = stage.world
    inbox, announced = world.subscribe(), world.announced()
    with stage.without("Announce", "events:PutEvents") as physical:
        ended = world.follow(world.upload("training", world.rows(salt=f" {time.time_ns()}")[:3]))
        (message,) = _told(inbox)
        record = {"Sns": {"Message": json.dumps(message)}}
        with pytest.raises(FunctionFailedError) as caught:
            stage.steps.call("Announce", {"Records": [record]})
    assert (ended.status, message["status"]) == ("SUCCEEDED", "rejected")
    assert announced.bodies() == []
    assert physical in str(caught.value)
    assert "events:PutEvents" in str(caught.value)
    _demand_alarm(world, "EventsNotSent", said="its log says why")


def test_an_upload_that_may_not_start_a_run_waits_with_its_reason(stage: Stage) -> None:
    """No run, so no message of its own: an alarm rings, and its mail says where to look."""
    world = stage.world
    letters = _DeadLetters(world)
    letters.empty()
    before = world.executions()
    with stage.without("upload-rule", "states:StartExecution") as physical:
        world.upload("training", world.rows(salt=f" {time.time_ns()}")[:3])
        reason = letters.reason()
    assert world.executions() == before
    _demand_told(with_advice(reason), role=physical, action="states:StartExecution")
    _demand_alarm(world, "DeadLettersWaiting", said="ERROR_MESSAGE")


def test_a_lease_keeper_that_may_not_be_called_leaves_its_reason(stage: Stage) -> None:
    world = stage.world
    letters = _DeadLetters(world)
    letters.empty()
    scheduler = world.aws.client("scheduler")
    schedules = world.deployed("AWS::Scheduler::Schedule")
    (name,) = (physical for path, physical in schedules.items() if "Lease" in path)
    deployed = scheduler.get_schedule(Name=name)
    with stage.without("lease-schedule", "lambda:InvokeFunction") as physical:
        # The deployed one calls every quarter of an hour.
        scheduler.create_schedule(
            Name="keep-leases-now",
            ScheduleExpression="at(2026-01-01T00:00:00)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target=deployed["Target"],
            ActionAfterCompletion="DELETE",
        )
        reason = letters.reason()
    _demand_told(with_advice(reason), role=physical, action="lambda:InvokeFunction")
    _demand_alarm(world, "DeadLettersWaiting", said="ERROR_MESSAGE")
    # Also when not even the queue may be used: whether calls come is watched.
    _demand_alarm(world, "LeaseKeeperNotCalled", said="so no lease ends")


def test_the_failures_of_functions_outside_a_run_ring(stage: Stage) -> None:
    _demand_alarm(stage.world, "LeasesNotKept", said="log says why and what to do")
    _demand_alarm(stage.world, "ProvisionedThroughputFailed", said="may still be billed")


@dataclass
class _DeadLetters:
    world: World

    @property
    def queue(self) -> str:
        (queue,) = self.world.deployed("AWS::SQS::Queue").values()
        return queue

    def empty(self) -> None:
        self.world.aws.client("sqs").purge_queue(QueueUrl=self.queue)

    def reason(self) -> str:
        """The reason of the one message that comes."""
        got: list[dict[str, Any]] = []

        def come() -> bool:
            answer = self.world.aws.client("sqs").receive_message(
                QueueUrl=self.queue, MessageAttributeNames=["All"]
            )
            got.extend(answer.get("Messages", []))
            return bool(got)

        assert eventually(come)
        return str(got[0]["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"])


def _demand_alarm(world: World, name: str, *, said: str) -> None:
    """There is such an alarm, it tells the topic, and its mail says where to look."""
    alarms = world.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    (found,) = [each for each in alarms if f"-{name}" in each["AlarmName"]]
    assert found["AlarmActions"] == [world.topic]
    assert said in found["AlarmDescription"]


def test_every_role_is_taken_something_from_or_it_is_said_why_not(world: World) -> None:
    promised = {
        role.name.removeprefix("role.") for role in contracts(**OPTIONS["all"]).roles
    } | set(Roles(world).names)
    assert promised == {role for role, _, _ in WHOLE_RUNS} | set(ELSEWHERE)
    for place in ELSEWHERE.values():
        assert not place.startswith("test_") or place in globals(), place


def test_every_permission_is_taken_or_it_is_said_why_not(stage: Stage) -> None:
    taken = {(each.role, each.action) for each in FUNCTIONS} | {("StartJob", "s3:GetObjectVersion")}
    roles = sorted({each.role for each in FUNCTIONS})
    left = {
        (role, action)
        for role in roles
        for action in stage.roles.actions(role)
        if (role, action) not in taken
    }
    assert {each for each in left if not {each, ("", each[1])} & set(NOT_NEEDED_HERE)} == set()
    stale = {
        (role, action)
        for role, action in NOT_NEEDED_HERE
        if not any((each or role, action) in left for each in ([role] if role else roles))
    }
    assert stale == set()


def test_the_permissions_are_back(stage: Stage) -> None:
    assert stage.world.run(f" given back {time.time_ns()}").outcome == "served"
