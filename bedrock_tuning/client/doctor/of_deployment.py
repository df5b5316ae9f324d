"""What is deployed, and whether its messages reach somebody: stacks, workflow, topic, queue."""

import time
from collections.abc import Iterator, Mapping
from secrets import token_hex
from typing import Any, Final

from bedrock_tuning.client import messages
from bedrock_tuning.client.deployment import deploy_command
from bedrock_tuning.client.doctor.check import (
    Observation,
    Subject,
    doctor_check,
    fail,
    ok,
    skip,
    warn,
)
from bedrock_tuning.client.inventory import dead_letters
from bedrock_tuning.run.cost import may_wait
from bedrock_tuning.wording import counted, first_of

_MESSAGES: Final = "ApproximateNumberOfMessages"
# What has to be deleted before it can be deployed again.
_DEAD: Final = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
# How CloudFormation says that a template is what is deployed.
_UNCHANGED: Final = ("didn't contain changes", "No updates are to be performed")
_LOOKS, _PAUSE = 60, 1.0


@doctor_check("no stack is in a failed state", asks="cloudformation:DescribeStacks")
def _stacks(subject: Subject) -> Iterator[Observation]:
    command = deploy_command(subject.settings.name)
    if not subject.stacks:
        yield warn("nothing is deployed yet", command)
        return
    for name, stack in sorted(subject.stacks.items()):
        status = str(stack["StackStatus"])
        if status in _DEAD:
            yield fail(
                f"{name}: {status}: {stack.get('StackStatusReason', 'without a reason')}",
                f"aws cloudformation delete-stack --stack-name {name}, then {command}",
            )
        elif "FAILED" in status or "ROLLBACK" in status:
            yield warn(
                f"{name}: {status}: the last deployment changed nothing",
                f"aws cloudformation describe-stack-events --stack-name {name} shows why",
            )
        elif status.endswith("IN_PROGRESS"):
            yield warn(f"{name}: {status}", "wait until it has ended")
        else:
            yield ok(f"{name}: {status}")


@doctor_check(
    "CloudFormation can prepare a change of every stack", asks="cloudformation:CreateChangeSet"
)
def _change_sets(subject: Subject) -> Iterator[Observation]:
    """A change set of each stack with its own template: made, read, and deleted again."""
    client = subject.aws.cloudformation
    for name, stack in sorted(subject.stacks.items()):
        status = str(stack["StackStatus"])
        if status in _DEAD or not status.endswith("_COMPLETE"):
            continue
        same: list[Any] = [
            {"ParameterKey": parameter["ParameterKey"], "UsePreviousValue": True}
            for parameter in stack.get("Parameters", ())
        ]
        arn = client.create_change_set(
            StackName=name,
            ChangeSetName=f"tuning-doctor-{token_hex(4)}",
            UsePreviousTemplate=True,
            Parameters=same,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )["Id"]
        try:
            yield _judge_change_set(name, _wait_for_change_set(subject, arn))
        finally:
            client.delete_change_set(ChangeSetName=arn)


def _wait_for_change_set(subject: Subject, arn: str) -> Mapping[str, Any]:
    for _ in range(_LOOKS):
        change_set = subject.aws.cloudformation.describe_change_set(ChangeSetName=arn)
        if change_set["Status"] in ("CREATE_COMPLETE", "FAILED"):
            break
        time.sleep(_PAUSE)
    return dict(change_set)


def _judge_change_set(name: str, change_set: Mapping[str, Any]) -> Observation:
    reason = str(change_set.get("StatusReason", ""))
    if change_set["Status"] == "FAILED" and any(words in reason for words in _UNCHANGED):
        return ok(f"{name}: a change set can be made and would change nothing")
    if change_set["Status"] == "CREATE_COMPLETE":
        changes = counted(len(change_set.get("Changes", ())), "change")
        return ok(f"{name}: a change set can be made, with {changes}")
    return fail(
        f"{name}: no change set can be made: {change_set['Status']}: {reason or 'no reason given'}",
        "the next deployment would fail the same way: allow what the reason names",
    )


@doctor_check("every customization is deployed", asks="ssm:GetParametersByPath")
def _customizations(subject: Subject) -> Iterator[Observation]:
    """Customizations that are files only."""
    if subject.deployment is None:
        return
    for name in sorted(subject.customizations.keys() - subject.deployment.customizations.keys()):
        yield warn(
            f"{name} is not deployed: its uploads start nothing",
            deploy_command(subject.settings.name, name),
        )
    yield ok(f"deployed: {', '.join(subject.deployment.customizations) or 'none'}")


@doctor_check("the workflow's definition is valid", asks="states:ValidateStateMachineDefinition")
def _workflow(subject: Subject) -> Iterator[Observation]:
    if subject.deployment is None:
        return
    states = subject.aws.stepfunctions
    workflow = states.describe_state_machine(stateMachineArn=subject.deployment.workflow_arn)
    answer = states.validate_state_machine_definition(definition=workflow["definition"])
    for diagnostic in answer["diagnostics"]:
        yield Observation(
            state="fail" if diagnostic["severity"] == "ERROR" else "warn",
            seen=f"{diagnostic.get('location', 'the workflow')}: {diagnostic['message']}",
            fix="report it: Step Functions refuses what this project wrote",
        )
    if answer["result"] == "OK":
        yield ok("Step Functions accepts the deployed definition")


@doctor_check("runs are recorded", asks="dynamodb:Scan")
def _runs_table(subject: Subject) -> Iterator[Observation]:
    """Whether functions can write the encrypted table: only they write runs."""
    deployment = subject.deployment
    if deployment is None:
        return
    page = subject.aws.dynamodb.scan(
        TableName=deployment.runs_table, IndexName="by-customization", Limit=1
    )
    if page["Items"]:
        yield ok("a run is recorded", learned={"table-key": "as we assume"})
        return
    errors = subject.aws.stepfunctions.list_executions(
        stateMachineArn=deployment.workflow_arn, statusFilter="FAILED", maxResults=1
    )["executions"]
    if errors:
        yield fail(
            "executions of the workflow failed, and no run is recorded",
            fix=f"aws stepfunctions describe-execution --execution-arn {errors[0]['executionArn']} "
            "names the right that is missing: allow it to the function, or in the policy of "
            "the runs' key",
        )
    else:
        yield skip("no run yet", fix=deployment.command("upload DATASET -c NAME"))


@doctor_check("messages reach somebody", asks="sns:ListSubscriptionsByTopic")
def _messages(subject: Subject) -> Iterator[Observation]:
    topic = subject.output("pipeline", "Topic")
    if topic is None:
        return
    subscriptions = messages.subscriptions(subject.aws.sns, topic)
    waiting = messages.unconfirmed(subscriptions)
    for address in waiting:
        yield fail(
            f"{address} has not confirmed: no message reaches it",
            "follow the link in the e-mail of AWS Notifications, or deploy again for another",
        )
    asking = may_wait(subject.customizations)
    if not subscriptions and asking:
        yield warn(
            f"nobody is notified when a run of {first_of(asking)} waits for approval",
            f"alarm_email in cdk.json, or subscribe something to {topic}",
        )
    elif len(subscriptions) > len(waiting):
        yield ok(counted(len(subscriptions) - len(waiting), "subscriber"))


@doctor_check("every event was delivered", asks="sqs:GetQueueAttributes")
def _dead_letters(subject: Subject) -> Iterator[Observation]:
    queue = dead_letters(subject.aws, subject.settings.name)
    if not queue:
        return
    answer = subject.aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[_MESSAGES])
    number = int(answer["Attributes"][_MESSAGES])
    if number:
        yield fail(
            f"{counted(number, 'event')} could not be delivered",
            f"tuning redrive -e {subject.settings.name}",
        )
    else:
        yield ok("no event is waiting")
