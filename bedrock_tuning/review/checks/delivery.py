"""Checks of what starts what: upload rule, lease schedule, dead letters, notifications, keys."""

from collections.abc import Iterator
from typing import Any, Final

from bedrock_tuning.contracts.ending import ANNOUNCE, RECONCILE
from bedrock_tuning.contracts.serving import KEEP_LEASES
from bedrock_tuning.review.assembly.json_path import get, is_true
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.check import Evidence, Violation, check, found, mismatches, unlike
from bedrock_tuning.review.checks import chat
from bedrock_tuning.review.promises.deployment import DeploymentFacts
from bedrock_tuning.review.promises.promise import Never, but

# What is called by the clock, by schedule.
_CLOCK: Final = {"lease-schedule": KEEP_LEASES.name, "reconcile-schedule": RECONCILE.name}
_FIX: Final = "Wire it as bedrock_tuning/constructs/triggers.py does"


@check(
    "W521",
    "One rule matches uploaded manifests, and nothing else; one matches executions that ended "
    "badly; with slack_channel, two match this environment's messages. All are enabled.",
    limit="uploads of manifests, executions without a good end, messages; on the default bus",
    fix="Write the patterns as bedrock_tuning/constructs/triggers.py does",
)
def trigger(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    buckets = [evidence.bound.fill(f"{{{bucket}:name}}") for bucket in contracts.trigger_buckets]
    upload_pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail.bucket.name": sorted(buckets),
        "detail.object.key": [str({"suffix": contracts.trigger_key})],
    }
    failure_pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail.stateMachineArn": [evidence.bound.fill("{workflow}")],
        "detail.status": ["ABORTED", "FAILED", "TIMED_OUT"],
    }
    for rule in evidence.assembly.of_type("AWS::Events::Rule"):
        pattern = dict(_flatten(as_whole(rule.properties.get("EventPattern", {}))))
        chat_pattern = chat.pattern(evidence, rule)
        expected = (
            failure_pattern
            if rule.arn == evidence.bound.fill("{status-rule}")
            else chat_pattern or upload_pattern
        )
        yield from unlike(
            rule, pattern, expected, exactly=True, limit="exactly {}", absent="not in the pattern"
        )
        # S3 sends its events to the default bus.
        properties = {"State": (None, "ENABLED"), "ScheduleExpression": None, "EventBusName": None}
        yield from mismatches(rule, properties)


def _flatten(pattern: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """The values of an event pattern, sorted, by their paths."""
    if isinstance(pattern, dict):
        for name, inner in pattern.items():
            yield from _flatten(inner, f"{path}.{name}" if path else name)
    else:
        yield path, sorted(map(str, pattern))


@check(
    "W522",
    "Only the buckets with datasets send events, to EventBridge alone.",
    fix="Only datasets may start runs; what a run writes must not send an event",
)
def notifications(evidence: Evidence) -> Iterator[Violation]:
    senders = {
        evidence.bound.fill(f"{{{bucket}}}") for bucket in evidence.bound.contracts.trigger_buckets
    }
    for bucket in evidence.assembly.of_type("AWS::S3::Bucket"):
        configuration = bucket.properties.get("NotificationConfiguration", {})
        is_on = is_true(get(configuration, "EventBridgeConfiguration", "EventBridgeEnabled"))
        should_be_on = bucket.arn in senders
        other_keys = sorted(set(configuration) - {"EventBridgeConfiguration"})
        if is_on != should_be_on or other_keys:
            yield found(
                bucket,
                f"EventBridge is {'on' if is_on else 'off'}"
                + (f", and it has {', '.join(other_keys)}" if other_keys else ""),
                f"EventBridge is {'on' if should_be_on else 'off'}, nothing else is notified",
            )


def _manifests(deployment: DeploymentFacts) -> list[str]:
    """Where an upload starts a run."""
    bound = deployment.evidence.bound
    return [
        bound.fill(f"{{{bucket}}}/*{bound.contracts.trigger_key}")
        for bucket in bound.contracts.trigger_buckets
    ]


no_loops = Never(
    id="W523",
    sentence="No role may write where an upload starts a run: that could start the next one. "
    "Only uploaders do, who are people.",
    actions=("s3:PutObject*", "s3:CopyObject*", "s3:RestoreObject*", "s3:DeleteObject*"),
    resources=_manifests,
    but=lambda d: [but(d.person("Uploader"), "s3:PutObject")],
).check()


@check(
    "W524",
    "Every rule calls what it is for, and events that it cannot deliver are kept.",
    limit="the event must be delivered, or be kept in the dead-letter queue",
    fix=_FIX,
)
def rule_targets(evidence: Evidence) -> Iterator[Violation]:
    bound = evidence.bound
    for rule in evidence.assembly.of_type("AWS::Events::Rule"):
        target: dict[str, Any] = _retries(evidence, seconds=86_400, times=185)
        if not chat.pattern(evidence, rule):
            # The event is read as it is.
            target |= dict.fromkeys(("Input", "InputPath", "InputTransformer"))
            target |= {"Arn": bound.fill("{workflow}"), "RoleArn": bound.fill("{role.upload-rule}")}
        if rule.arn == bound.fill("{status-rule}"):
            # EventBridge calls functions as itself, by the function's own policy.
            target |= {"Arn": bound.fill(f"{{function.{RECONCILE.name}}}"), "RoleArn": None}
        expected = {f"Targets.0.{name}": value for name, value in target.items()}
        yield from mismatches(rule, {**expected, "Targets.1": None})


def _retries(evidence: Evidence, *, seconds: int, times: int) -> dict[str, Any]:
    """How long a target is called again, and what becomes of the event then."""
    return {
        "DeadLetterConfig.Arn": evidence.bound.fill("{dead-letters}"),
        "RetryPolicy.MaximumEventAgeInSeconds": seconds,
        "RetryPolicy.MaximumRetryAttempts": times,
    }


@check(
    "W525",
    "The lease keeper and the reconciler run every 15 minutes.",
    limit="leases end, and lost runs and jobs are found, within 15 minutes; until then both bill",
    fix=_FIX,
)
def schedule(evidence: Evidence) -> Iterator[Violation]:
    bound = evidence.bound
    for name, function in _CLOCK.items():
        resource = evidence.contracted.get(name)
        if resource is None:
            continue
        target = {
            "Arn": bound.fill(f"{{function.{function}}}"),
            "RoleArn": bound.fill(f"{{role.{name}}}"),
            **_retries(evidence, seconds=900, times=10),
        }
        expected = {
            "ScheduleExpression": "rate(15 minutes)",
            "State": (None, "ENABLED"),
            "FlexibleTimeWindow.Mode": "OFF",
            "StartDate": None,
            "EndDate": None,
            **{f"Target.{part}": value for part, value in target.items()},
        }
        yield from mismatches(resource, expected)


@check(
    "W529",
    "The function that announces messages gets all of this environment; every other subscription "
    "is that of alarm_email.",
    limit="all messages with this environment's attribute",
    fix=_FIX,
)
def subscriptions(evidence: Evidence) -> Iterator[Violation]:
    bound, announcements = evidence.bound, evidence.contracted.get("announcements")
    for subscription in evidence.assembly.of_type("AWS::SNS::Subscription"):
        expected: dict[str, Any] = {
            "Protocol": "email",
            "Endpoint": bound.contracts.chosen.alarm_email,
            # It would silence what does not match.
            "FilterPolicy": None,
        }
        if subscription is announcements:
            expected = {
                "Protocol": "lambda",
                "Endpoint": bound.fill(f"{{function.{ANNOUNCE.name}}}"),
                "FilterPolicy.environment": [bound.contracts.environment],
            }
        yield from mismatches(subscription, {"TopicArn": bound.fill("{topic}"), **expected})
