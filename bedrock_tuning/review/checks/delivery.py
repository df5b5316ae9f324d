"""Checks of what starts what: upload rule, lease schedule, dead letters, notifications, keys."""

import re
from collections.abc import Iterator
from typing import Any, Final

from bedrock_tuning.contracts.ending import ANNOUNCE, RECONCILE
from bedrock_tuning.contracts.serving import KEEP_LEASES
from bedrock_tuning.review.assembly.json_path import get, is_true
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import Evidence, Violation, check, found, mismatches, unlike
from bedrock_tuning.review.checks import chat
from bedrock_tuning.review.iam.access import owner_arn
from bedrock_tuning.review.iam.containment import parts
from bedrock_tuning.review.iam.keys import cannot_use, key_arn, lacking
from bedrock_tuning.review.iam.probes import concrete, on_behalf_of, usual_context
from bedrock_tuning.review.promises.deployment import Deployment
from bedrock_tuning.review.promises.promise import Never, but

# What is called by the clock, by schedule.
_CLOCK: Final = {"lease-schedule": KEEP_LEASES.name, "reconcile-schedule": RECONCILE.name}
_CHANGES: Final = {"Input", "InputPath", "InputTransformer"}
_START: Final = {
    "AWS::StepFunctions::StateMachine": "states:StartExecution",
    "AWS::Lambda::Function": "lambda:InvokeFunction",
}


@check(
    "W521",
    "One rule matches uploaded manifests, and nothing else; one matches executions that ended "
    "badly; with slack_channel, two match this environment's messages. All are enabled.",
    limit="uploads of manifests, executions without a good end, messages; on the default bus",
    fix="Write the patterns as bedrock_tuning/constructs/triggers.py does",
)
def trigger(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    buckets = [evidence.bound.fill(f"{{{b}:name}}") for b in contracts.trigger_buckets]
    wanted = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail.bucket.name": sorted(buckets),
        "detail.object.key": [str({"suffix": contracts.trigger_key})],
    }
    ended = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail.stateMachineArn": [evidence.bound.fill("{workflow}")],
        "detail.status": ["ABORTED", "FAILED", "TIMED_OUT"],
    }
    for rule in evidence.assembly.of_type("AWS::Events::Rule"):
        pattern = dict(_flattened(as_whole(rule.properties.get("EventPattern", {}))))
        shown = chat.pattern(evidence, rule)
        expected = ended if rule.arn == evidence.bound.fill("{status-rule}") else shown or wanted
        yield from unlike(
            rule, pattern, expected, exactly=True, limit="exactly {}", absent="not in the pattern"
        )
        # S3 sends its events to the default bus.
        alone = {"State": (None, "ENABLED"), "ScheduleExpression": None, "EventBusName": None}
        yield from mismatches(rule, alone)


def _flattened(pattern: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """The values of an event pattern, sorted, by their paths."""
    if isinstance(pattern, dict):
        for name, inner in pattern.items():
            yield from _flattened(inner, f"{path}.{name}" if path else name)
    else:
        yield path, sorted(map(str, pattern))


@check(
    "W522",
    "Only the buckets with datasets send events, to EventBridge alone.",
    fix="Only datasets may start runs; what a run writes must not send an event",
)
def notifications(evidence: Evidence) -> Iterator[Violation]:
    senders = {evidence.bound.fill(f"{{{b}}}") for b in evidence.bound.contracts.trigger_buckets}
    for bucket in evidence.assembly.of_type("AWS::S3::Bucket"):
        configured = bucket.properties.get("NotificationConfiguration", {})
        sends = is_true(get(configured, "EventBridgeConfiguration", "EventBridgeEnabled"))
        should = bucket.arn in senders
        others = sorted(set(configured) - {"EventBridgeConfiguration"})
        if sends != should or others:
            yield found(
                bucket,
                f"EventBridge is {'on' if sends else 'off'}"
                + (f", and it has {', '.join(others)}" if others else ""),
                f"EventBridge is {'on' if should else 'off'}, nothing else is notified",
            )


def _manifests(deployment: Deployment) -> list[str]:
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


@check("W524", "Every rule can start its target, and events that it cannot deliver are kept.")
def rule_targets(evidence: Evidence) -> Iterator[Violation]:
    for rule in evidence.assembly.of_type("AWS::Events::Rule"):
        targets = rule.properties.get("Targets", [])
        if len(targets) != 1:
            yield _undelivered(rule, f"it has {len(targets) or 'no'} targets")
        for target in targets:
            shown = chat.pattern(evidence, rule)
            if rule.arn == evidence.bound.fill("{status-rule}"):
                yield from _policy_calls(evidence, rule, target)
            elif not shown:
                yield from _role_starts(evidence, rule, target, role="role.upload-rule")
                if target.get("Arn") != evidence.bound.fill("{workflow}"):
                    yield _undelivered(rule, f"it starts {target.get('Arn')}, not the workflow")
            if _CHANGES & set(target) and not shown:
                yield _undelivered(rule, "it changes the event, which is read as it is")
            yield from _dead_letters(evidence, rule, target, "events.amazonaws.com")
            yield from _retries(rule, target, least_age=3600)


def _undelivered(source: Resource, what: str) -> Violation:
    return found(
        source,
        what,
        "the event must be delivered, or be kept in the dead-letter queue",
        "Wire the target as constructs/triggers.py does, with the permissions it needs",
    )


def _role_starts(
    evidence: Evidence, source: Resource, target: dict[str, Any], *, role: str
) -> Iterator[Violation]:
    arn, assumed = str(target.get("Arn", "")), str(target.get("RoleArn", ""))
    resource = evidence.assembly.by_arn(arn)
    if resource is None or resource.type not in _START:
        yield _undelivered(source, f"its target {arn} is no state machine or function here")
        return
    if assumed != evidence.bound.fill(f"{{{role}}}"):
        yield _undelivered(source, f"it acts as {assumed or 'nobody'}")
    action = _START[resource.type]
    if not evidence.permissions.decide(assumed, action, arn, usual_context()):
        yield _undelivered(source, f"{assumed} may not {action} on {arn}")


def _policy_calls(
    evidence: Evidence, rule: Resource, target: dict[str, Any]
) -> Iterator[Violation]:
    """EventBridge calls functions as itself, by the function's own policy."""
    arn, wanted = str(target.get("Arn", "")), evidence.bound.fill(f"{{function.{RECONCILE.name}}}")
    if arn != wanted or "RoleArn" in target:
        yield _undelivered(rule, f"it calls {arn}, not {wanted} by its own policy")
    context = on_behalf_of(rule.arn)
    if not evidence.permissions.decide(
        "events.amazonaws.com", "lambda:InvokeFunction", wanted, context
    ):
        yield _undelivered(rule, f"events.amazonaws.com may not call {wanted} for it")


def _dead_letters(
    evidence: Evidence, source: Resource, target: dict[str, Any], principal: str
) -> Iterator[Violation]:
    arn = str(get(target, "DeadLetterConfig", "Arn") or "")
    queue = evidence.assembly.by_arn(arn)
    if queue is None:
        yield _undelivered(source, "events that cannot be delivered go to no queue")
        return
    send, world = "sqs:SendMessage", evidence.permissions
    lacks = [] if world.decide(principal, send, arn, on_behalf_of(source.arn)) else [send]
    # EventBridge's call to KMS names no source (docs/facts/workflow.md#dead-letters).
    lacks += cannot_use(world, principal, send, queue, usual_context())
    if lacks:
        yield _undelivered(source, f"{principal} lacks {', '.join(lacks)} for {arn}")


def _retries(source: Resource, target: dict[str, Any], *, least_age: int) -> Iterator[Violation]:
    policy = target.get("RetryPolicy") or {}
    age = int(policy.get("MaximumEventAgeInSeconds", 86_400))
    tries = int(policy.get("MaximumRetryAttempts", 185))
    if not least_age <= age <= 86_400 or not 3 <= tries <= 185:
        yield _undelivered(source, f"it gives up after {age} s or {tries} attempts")


@check(
    "W525",
    "The lease keeper and the reconciler run at least every 15 minutes.",
    limit="leases end, and lost runs and jobs are found, within 15 minutes; until then both bill",
    fix="Call both at rate(15 minutes), enabled, without a time window",
)
def schedule(evidence: Evidence) -> Iterator[Violation]:
    reconciling = evidence.bound.fill("{reconcile-schedule}")
    schedules = list(evidence.assembly.of_type("AWS::Scheduler::Schedule"))
    for each in schedules:
        properties = each.properties
        target = properties.get("Target", {})
        name = "reconcile-schedule" if each.arn == reconciling else "lease-schedule"
        yield from _role_starts(evidence, each, target, role=f"role.{name}")
        yield from _dead_letters(evidence, each, target, str(target.get("RoleArn", "")))
        yield from _retries(each, target, least_age=60)
        wanted = {
            "Target.Arn": evidence.bound.fill(f"{{function.{_CLOCK[name]}}}"),
            "State": (None, "ENABLED"),
            "FlexibleTimeWindow.Mode": "OFF",
            "StartDate": None,
            "EndDate": None,
        }
        yield from mismatches(each, wanted)
        rate = properties.get("ScheduleExpression")
        minutes = re.fullmatch(r"rate\((\d+) minutes?\)", str(rate))
        if minutes is None or not 1 <= int(minutes[1]) <= 15:
            yield found(each, f"it runs at {rate}")
    if len(schedules) != len(_CLOCK):
        yield found(
            "KeepLeases",
            f"there are {len(schedules)} schedules",
            "two, which call the lease keeper and the reconciler",
            "Wire it as constructs/triggers.py does",
        )


@check(
    "W526",
    "Every role that may access encrypted data may use its key through the service.",
    limit="the data is encrypted with this key",
    fix="Grant the use of the key through the service (kms:ViaService)",
)
def keys_reachable(evidence: Evidence) -> Iterator[Violation]:
    for role in evidence.permissions.roles.values():
        lacks: dict[str, set[str]] = {}
        for statement in role.policy:
            for action, pattern in parts(statement) if statement.effect == "Allow" else ():
                target = evidence.assembly.by_arn(owner_arn(concrete(pattern)))
                if target is not None:
                    needed = cannot_use(
                        evidence.permissions, role.arn, action, target, usual_context()
                    )
                    lacks.setdefault(target.path, set()).update(f"{n} for {action}" for n in needed)
        for path, needs in lacks.items():
            if needs:
                yield found(role, f"{', '.join(sorted(needs))} on {path} is missing")


@check(
    "W527",
    "CloudWatch Logs can encrypt every log group that has a key.",
    limit="the log group could not be created",
    fix="Let the service use the key for this environment's log groups",
)
def log_keys(evidence: Evidence) -> Iterator[Violation]:
    service = f"logs.{evidence.bound.region}.amazonaws.com"
    needed = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey")
    for group in evidence.assembly.of_type("AWS::Logs::LogGroup"):
        arn = key_arn(evidence.assembly, group)
        context = {"kms:EncryptionContext:aws:logs:arn": group.arn.removesuffix(":*")}
        lacks = [n for n in needed if not evidence.permissions.decide(service, n, arn, context)]
        if arn and lacks:
            yield found(group, f"{service} lacks {', '.join(lacks)} on its key")


@check(
    "W528",
    "S3 can write every access log that a bucket is configured for.",
    limit="accesses would go unrecorded",
    fix="Let it write this prefix in the log bucket's policy",
)
def access_logs(evidence: Evidence) -> Iterator[Violation]:
    for bucket in evidence.assembly.of_type("AWS::S3::Bucket"):
        wanted = bucket.properties.get("LoggingConfiguration")
        if not wanted:
            continue
        name = str(wanted.get("DestinationBucketName", ""))
        target = evidence.assembly.by_name(bucket.type, name)
        key = f"{target.arn}/{wanted.get('LogFilePrefix', '')}sample" if target else ""
        service, context = "logging.s3.amazonaws.com", on_behalf_of(bucket.arn)
        if not key or not evidence.permissions.decide(service, "s3:PutObject", key, context):
            yield found(bucket, f"{service} may not write {key or 'its bucket'}")


@check(
    "W529",
    "Every subscription is delivered: by e-mail, or to a queue or function that allows it. The "
    "function that announces messages gets all of this environment.",
    limit="all messages with this environment's attribute",
    fix="Subscribe it as constructs/triggers.py does",
)
def subscriptions(evidence: Evidence) -> Iterator[Violation]:
    announcements = evidence.contracted.get("announcements")
    if announcements is not None:
        wanted = {
            "TopicArn": evidence.bound.fill("{topic}"),
            "Protocol": "lambda",
            "Endpoint": evidence.bound.fill(f"{{function.{ANNOUNCE.name}}}"),
            "FilterPolicy.environment": [evidence.bound.contracts.environment],
        }
        yield from mismatches(announcements, wanted)
    actions = {"sqs": "sqs:SendMessage", "lambda": "lambda:InvokeFunction"}
    for each in evidence.assembly.of_type("AWS::SNS::Subscription"):
        topic, protocol, target = (
            str(each.properties.get(name)) for name in ("TopicArn", "Protocol", "Endpoint")
        )
        known = evidence.permissions.knows(topic)
        if not known or protocol not in ("email", "email-json", *actions):
            yield _undelivered(each, f"{protocol} to {topic}")
        elif protocol in actions:
            service, context = "sns.amazonaws.com", on_behalf_of(topic)
            lacks = lacking(evidence.permissions, service, actions[protocol], target, context)
            if lacks:
                yield _undelivered(each, f"{service} lacks {', '.join(lacks)} on {target}")
        elif target != evidence.bound.contracts.alarm_email:
            yield _undelivered(each, f"{target} is told")
