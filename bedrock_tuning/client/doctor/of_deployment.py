"""What is deployed, and whether its messages reach somebody: stacks, workflow, topic, queue."""

from collections.abc import Iterator
from typing import Final

from bedrock_tuning.client.deployment import deploy_command
from bedrock_tuning.client.doctor.check import Answer, Check, Subject
from bedrock_tuning.wording import counted

_MESSAGES: Final = "ApproximateNumberOfMessages"


def _stacks(subject: Subject) -> Iterator[Answer]:
    command = deploy_command(subject.settings.name)
    if not subject.stacks:
        yield Answer(state="warn", seen="nothing is deployed yet", fix=command)
        return
    for name, stack in sorted(subject.stacks.items()):
        status = str(stack["StackStatus"])
        if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"):
            yield Answer(
                state="fail",
                seen=f"{name}: {status}: {stack.get('StackStatusReason', 'without a reason')}",
                fix=f"aws cloudformation delete-stack --stack-name {name}, then {command}",
            )
        elif "FAILED" in status or "ROLLBACK" in status:
            yield Answer(
                state="warn",
                seen=f"{name}: {status}: the last deployment changed nothing",
                fix=f"aws cloudformation describe-stack-events --stack-name {name} tells why",
            )
        elif status.endswith("IN_PROGRESS"):
            yield Answer(state="warn", seen=f"{name}: {status}", fix="wait until it has ended")
        else:
            yield Answer(state="ok", seen=f"{name}: {status}")


def _missing(subject: Subject) -> Iterator[Answer]:
    """Customizations that are files only."""
    if subject.deployment is None:
        return
    for name in sorted(subject.customizations.keys() - subject.deployment.customizations.keys()):
        yield Answer(
            state="warn",
            seen=f"{name} is not deployed: its uploads start nothing",
            fix=deploy_command(subject.settings.name, name),
        )
    yield Answer(state="ok", seen=f"deployed: {', '.join(subject.deployment.customizations)}")


def _workflow(subject: Subject) -> Iterator[Answer]:
    if subject.deployment is None:
        return
    states = subject.aws.stepfunctions
    found = states.describe_state_machine(stateMachineArn=subject.deployment.workflow_arn)
    answer = states.validate_state_machine_definition(definition=found["definition"])
    for diagnostic in answer["diagnostics"]:
        yield Answer(
            state="fail" if diagnostic["severity"] == "ERROR" else "warn",
            seen=f"{diagnostic.get('location', 'the workflow')}: {diagnostic['message']}",
            fix="report it: Step Functions refuses what this project wrote",
        )
    if answer["result"] == "OK":
        yield Answer(state="ok", seen="Step Functions accepts the deployed definition")


def _topic(subject: Subject) -> Iterator[Answer]:
    topic = subject.output("pipeline", "Topic")
    if topic is None:
        return
    pages = subject.aws.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    found = [each for page in pages for each in page["Subscriptions"]]
    waiting = [each for each in found if each["SubscriptionArn"] == "PendingConfirmation"]
    for each in waiting:
        yield Answer(
            state="fail",
            seen=f"{each['Endpoint']} has not confirmed: no message reaches it",
            fix="follow the link in the e-mail of AWS Notifications, or deploy again for another",
        )
    asks = sorted(
        name for name, each in subject.customizations.items() if each.budget.approval != "never"
    )
    if not found and asks:
        yield Answer(
            state="warn",
            seen=f"nobody is told when a run of {', '.join(asks)} waits for approval",
            fix=f"alarm_email in cdk.json, or subscribe something to {topic}",
        )
    elif len(found) > len(waiting):
        yield Answer(state="ok", seen=counted(len(found) - len(waiting), "subscriber"))


def _dead_letters(subject: Subject) -> Iterator[Answer]:
    sqs = subject.aws.sqs
    name = f"tuning-{subject.settings.name}-pipeline"
    for url in sqs.list_queues(QueueNamePrefix=name).get("QueueUrls", ()):
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[_MESSAGES])
        number = int(answer["Attributes"][_MESSAGES])
        if number:
            yield Answer(
                state="fail",
                seen=f"{counted(number, 'event')} could not be delivered",
                fix="docs/runbook.md: the dead-letter queue has messages",
            )
        else:
            yield Answer(state="ok", seen="no event is waiting")


DEPLOYMENT: Final = (
    Check(
        id="stacks",
        title="no stack is in a failed state",
        asks="cloudformation:DescribeStacks",
        ask=_stacks,
    ),
    Check(
        id="customizations",
        title="every customization is deployed",
        asks="ssm:GetParametersByPath",
        ask=_missing,
    ),
    Check(
        id="workflow",
        title="the workflow's definition is valid",
        asks="states:ValidateStateMachineDefinition",
        ask=_workflow,
    ),
    Check(
        id="messages",
        title="messages reach somebody",
        asks="sns:ListSubscriptionsByTopic",
        ask=_topic,
    ),
    Check(
        id="dead-letters",
        title="every event was delivered",
        asks="sqs:GetQueueAttributes",
        ask=_dead_letters,
    ),
)
