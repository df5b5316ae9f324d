"""What starts what, and who is told of it: rules, schedules, the function that announces."""

from typing import Any, Final

from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.contract import FunctionSpec, Place
from bedrock_tuning.contracts.ending import ANNOUNCE, RECONCILE
from bedrock_tuning.contracts.serving import KEEP_LEASES
from bedrock_tuning.run.messages import SOURCE, Notice
from bedrock_tuning.s3_layout import MANIFEST_FILE

_DEAD_LETTERS: Final = {"Arn": "{dead-letters}"}


def events(environment: str) -> dict[str, Place]:
    """By contract name, each with all its properties; those of a chat are chat_rule's."""
    names = [f"{bucket[:-1]}:name}}" for bucket in g.DATASETS]
    return {
        "upload-rule": _rule(
            "ManifestUploaded",
            "The upload of a manifest, and of nothing else, starts a run",
            {
                # Its first state knows the customizations.
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": names},
                    "object": {"key": [{"suffix": f"/{MANIFEST_FILE}"}]},
                },
            },
            {"Arn": "{workflow}", "RoleArn": "{role.upload-rule}"},
        ),
        # An execution that ended so may not have closed its run.
        "status-rule": _rule(
            "ExecutionEnded",
            "An execution that was aborted, timed out or failed has its run reconciled",
            {
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {
                    "stateMachineArn": ["{workflow}"],
                    "status": ["ABORTED", "FAILED", "TIMED_OUT"],
                },
            },
            {"Arn": f"{{function.{RECONCILE.name}}}"},
        ),
        "lease-schedule": _quarter_hourly(
            "lease-schedule",
            "KeepLeases",
            "Ends Provisioned Throughput whose lease has ended",
            KEEP_LEASES,
        ),
        # Events are delivered at best, and jobs end without one.
        "reconcile-schedule": _quarter_hourly(
            "reconcile-schedule",
            "ReconcileRuns",
            "Makes the record of runs true whose execution ended without doing so",
            RECONCILE,
        ),
        # Each message of this environment, and no alarm; the topic may be another one's, too.
        "announcements": Place(
            stack="pipeline",
            path="Announcements",
            type="AWS::SNS::Subscription",
            properties={
                "TopicArn": "{topic}",
                "Protocol": "lambda",
                "Endpoint": f"{{function.{ANNOUNCE.name}}}",
                "FilterPolicy": {"environment": [environment]},
            },
        ),
    }


def chat_rule(environment: str, name: str, notice: Notice) -> Place:
    """Hands events to the topic of a chat, in the form that AWS Chatbot shows."""
    form = {"InputPathsMap": dict(notice.paths), "InputTemplate": notice.template}
    return _rule(
        f"Chat/{name}",
        f"{name} of this environment, as AWS Chatbot shows them",
        {
            "source": [SOURCE],
            "detail-type": [kind.value for kind in notice.kinds],
            "detail": {"environment": [environment]},
        },
        {"Arn": "{chat-topic}", "InputTransformer": form},
    )


def _rule(path: str, about: str, pattern: dict[str, Any], target: dict[str, Any]) -> Place:
    """What cannot be delivered within a day is kept."""
    retries = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    options = {"Id": "Target0", "DeadLetterConfig": _DEAD_LETTERS, "RetryPolicy": retries}
    return Place(
        stack="pipeline",
        path=path,
        type="AWS::Events::Rule",
        properties={
            "Description": about,
            "EventPattern": pattern,
            "State": "ENABLED",
            "Targets": [{**target, **options}],
        },
    )


def _quarter_hourly(name: str, path: str, about: str, calls: FunctionSpec) -> Place:
    """Leases end, and lost runs and jobs are found, within that time; until then both bill."""
    return Place(
        stack="pipeline",
        path=path,
        type="AWS::Scheduler::Schedule",
        properties={
            "Description": about,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpression": "rate(15 minutes)",
            "Target": {
                "Arn": f"{{function.{calls.name}}}",
                "RoleArn": f"{{role.{name}}}",
                "DeadLetterConfig": _DEAD_LETTERS,
                "RetryPolicy": {"MaximumEventAgeInSeconds": 900, "MaximumRetryAttempts": 10},
            },
        },
    )
