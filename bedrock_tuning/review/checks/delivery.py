"""Checks of what starts what: upload rule, lease schedule, dead letters, notifications, keys."""

from collections.abc import Iterator
from typing import Any, Final

from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import Evidence, Violation, check
from bedrock_tuning.review.iam.keys import cannot_use, key_arn
from bedrock_tuning.review.iam.probes import concrete, usual_context
from bedrock_tuning.review.iam.wildcards import meets

_START: Final = {
    "AWS::StepFunctions::StateMachine": "states:StartExecution",
    "AWS::Lambda::Function": "lambda:InvokeFunction",
    "AWS::SNS::Topic": "sns:Publish",
    "AWS::SQS::Queue": "sqs:SendMessage",
}


@check("W521", "The upload rule matches the known manifests and nothing else, and is enabled.")
def trigger(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    wanted = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail.bucket.name": [
            evidence.bound.fill(f"{{{b}:name}}") for b in contracts.trigger_buckets
        ],
        "detail.object.key": list(contracts.trigger_keys),
    }
    for rule in evidence.assembly.of_type("AWS::Events::Rule"):
        found = dict(_flattened(as_whole(rule.properties.get("EventPattern", {}))))
        for field in sorted({*found, *wanted}):
            if _as_set(found.get(field)) != _as_set(wanted.get(field)):
                yield Violation(
                    where=rule.path,
                    what=f"{field} is {found.get(field, 'not in the pattern')}",
                    limit=f"exactly {wanted.get(field, 'not in the pattern')}",
                    fix="Name the keys of the manifests in full; see bedrock_tuning/s3_layout.py",
                )
        if rule.properties.get("State", "ENABLED") != "ENABLED":
            yield Violation(
                where=rule.path,
                what=f"the rule is {rule.properties.get('State')}",
                limit="ENABLED",
                fix="Remove the state",
            )
        if rule.properties.get("ScheduleExpression") or rule.properties.get("EventBusName"):
            yield Violation(
                where=rule.path,
                what="it has a schedule or a bus of its own",
                limit="S3 sends its events to the default bus",
                fix="Remove them",
            )


def _flattened(pattern: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(pattern, dict):
        for name, inner in pattern.items():
            yield from _flattened(inner, f"{path}.{name}" if path else name)
    else:
        yield path, pattern


def _as_set(values: Any) -> set[str] | None:
    return None if values is None else {str(value) for value in values}


@check("W522", "Only the buckets with datasets send events, to EventBridge alone.")
def notifications(evidence: Evidence) -> Iterator[Violation]:
    senders = set(evidence.bound.contracts.trigger_buckets)
    names = {r.arn: name for name, r in evidence.contracted.items()}
    for bucket in evidence.assembly.of_type("AWS::S3::Bucket"):
        configured = bucket.properties.get("NotificationConfiguration", {})
        bridge = get(configured, "EventBridgeConfiguration", "EventBridgeEnabled")
        sends = str(bridge).lower() == "true"
        should = names.get(bucket.arn) in senders
        others = sorted(set(configured) - {"EventBridgeConfiguration"})
        if sends != should or others:
            yield Violation(
                where=bucket.path,
                what=f"EventBridge is {'on' if sends else 'off'}"
                + (f", and it has {', '.join(others)}" if others else ""),
                limit=f"EventBridge is {'on' if should else 'off'}, nothing else is notified",
                fix="Only datasets may start runs; what a run writes must not send an event",
            )


_WRITES: Final = ("s3:putobject", "s3:copyobject", "s3:restoreobject", "s3:deleteobject")


@check("W523", "No role may write where an upload starts a run.")
def no_loops(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    triggers = [
        evidence.bound.fill(f"{{{bucket}}}/{key}")
        for bucket in contracts.trigger_buckets
        for key in contracts.trigger_keys
    ]
    for role in evidence.world.roles.values():
        for statement in role.policy:
            writes = [
                action
                for action in statement.actions
                if any(meets(action.lower(), f"{write}*") for write in _WRITES)
            ]
            reached = [
                trigger
                for trigger in triggers
                if any(meets(resource, trigger) for resource in statement.resources)
            ]
            if statement.effect == "Allow" and writes and reached:
                yield Violation(
                    where=role.path,
                    what=f"{statement.label} may {', '.join(writes)} {reached[0]}",
                    limit="its upload starts a run, which could start the next one",
                    fix="Write to the output bucket, which nobody watches",
                )


@check("W524", "Every rule can start its target, and events that it cannot deliver are kept.")
def rule_targets(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    for rule in evidence.assembly.of_type("AWS::Events::Rule"):
        targets = rule.properties.get("Targets", [])
        if len(targets) != 1:
            yield _undelivered(rule, f"it has {len(targets) or 'no'} targets")
        for target in targets:
            yield from _role_starts(evidence, rule, target, role="role.upload-rule")
            if target.get("Arn") != evidence.bound.fill("{workflow}"):
                yield _undelivered(rule, f"it starts {target.get('Arn')}, not the workflow")
            if {"Input", "InputPath", "InputTransformer"} & set(target):
                yield _undelivered(rule, "it changes the event, which the workflow reads as it is")
            yield from _dead_letters(evidence, rule, target, "events.amazonaws.com")
            yield from _retries(rule, target, least_age=3600)
    rules = {rule.path for rule in evidence.assembly.of_type("AWS::Events::Rule")}
    for path in rules - {evidence.bound.path(contracts.places["upload-rule"])}:
        yield Violation(
            where=path,
            what="no contract names this rule",
            limit="only uploads may start runs",
            fix="Remove it, or add it to bedrock_tuning/contracts/constructs.py",
        )


def _undelivered(source: Resource, what: str) -> Violation:
    return Violation(
        where=source.path,
        what=what,
        limit="the event must be delivered, or be kept in the dead-letter queue",
        fix="Wire the target as constructs/triggers.py does, with the permissions it needs",
    )


def _role_starts(
    evidence: Evidence, source: Resource, target: dict[str, Any], *, role: str
) -> Iterator[Violation]:
    arn, assumed = str(target.get("Arn", "")), str(target.get("RoleArn", ""))
    resource = evidence.assembly.by_arn(arn)
    if resource is None or resource.type not in _START:
        yield _undelivered(source, f"its target {arn} is not in the templates")
        return
    if assumed != evidence.bound.fill(f"{{{role}}}"):
        yield _undelivered(source, f"it acts as {assumed or 'nobody'}")
    action = _START[resource.type]
    if not evidence.world.decide(assumed, action, arn, usual_context()):
        yield _undelivered(source, f"{assumed} may not {action} on {arn}")


def _dead_letters(
    evidence: Evidence, source: Resource, target: dict[str, Any], principal: str
) -> Iterator[Violation]:
    arn = str(get(target, "DeadLetterConfig", "Arn") or "")
    queue = evidence.assembly.by_arn(arn)
    if queue is None:
        yield _undelivered(source, "events that cannot be delivered go to no queue")
        return
    context = {
        **usual_context(),
        "aws:SourceArn": source.arn,
        "aws:SourceAccount": evidence.world.account,
    }
    lacks = []
    if not evidence.world.decide(principal, "sqs:SendMessage", arn, context):
        lacks.append("sqs:SendMessage")
    region = evidence.bound.region
    lacks += cannot_use(evidence.world, principal, "sqs:SendMessage", queue, context, region=region)
    if lacks:
        yield _undelivered(source, f"{principal} lacks {', '.join(lacks)} for {arn}")


def _retries(source: Resource, target: dict[str, Any], *, least_age: int) -> Iterator[Violation]:
    policy = target.get("RetryPolicy") or {}
    age = int(policy.get("MaximumEventAgeInSeconds", 86_400))
    tries = int(policy.get("MaximumRetryAttempts", 185))
    if not least_age <= age <= 86_400 or not 3 <= tries <= 185:
        yield _undelivered(source, f"it gives up after {age} s or {tries} attempts")


@check("W525", "The lease keeper runs at least every 15 minutes.")
def schedule(evidence: Evidence) -> Iterator[Violation]:
    schedules = list(evidence.assembly.of_type("AWS::Scheduler::Schedule"))
    for found in schedules:
        properties = found.properties
        target = properties.get("Target", {})
        yield from _role_starts(evidence, found, target, role="role.lease-schedule")
        yield from _dead_letters(evidence, found, target, str(target.get("RoleArn", "")))
        yield from _retries(found, target, least_age=60)
        problems = []
        if target.get("Arn") != evidence.bound.fill("{function.KeepLeases}"):
            problems.append(f"it calls {target.get('Arn')}")
        if properties.get("State", "ENABLED") != "ENABLED":
            problems.append(f"it is {properties['State']}")
        if get(properties, "FlexibleTimeWindow", "Mode") != "OFF":
            problems.append("it has a flexible time window")
        if set(properties) & {"EndDate", "StartDate"}:
            problems.append("it has a start or end date")
        if not _often_enough(str(properties.get("ScheduleExpression", ""))):
            problems.append(f"it runs at {properties.get('ScheduleExpression')}")
        for problem in problems:
            yield Violation(
                where=found.path,
                what=problem,
                limit="leases end within 15 minutes; until then Provisioned Throughput is billed",
                fix="Call the lease keeper at rate(15 minutes), enabled, without a time window",
            )
    if len(schedules) != 1:
        yield Violation(
            where="KeepLeases",
            what=f"there are {len(schedules)} schedules",
            limit="one, which calls the lease keeper",
            fix="Wire it as constructs/triggers.py does",
        )


def _often_enough(expression: str) -> bool:
    words = expression.removeprefix("rate(").removesuffix(")").split()
    return (
        expression.startswith("rate(")
        and len(words) == 2
        and words[0].isdigit()
        and words[1] in ("minute", "minutes")
        and 1 <= int(words[0]) <= 15
    )


@check("W526", "Every role that may access encrypted data may use its key (kms:ViaService).")
def keys_reachable(evidence: Evidence) -> Iterator[Violation]:
    context = usual_context()
    region = evidence.bound.region
    for role in evidence.world.roles.values():
        lacking: dict[str, set[str]] = {}
        for statement in role.policy:
            if statement.effect != "Allow":
                continue
            for action in statement.actions:
                for pattern in statement.resources:
                    target = evidence.assembly.by_arn(concrete(pattern).partition("/")[0])
                    target = target or evidence.assembly.by_arn(pattern)
                    if target is not None:
                        found = cannot_use(
                            evidence.world, role.arn, action, target, context, region=region
                        )
                        for needed in found:
                            lacking.setdefault(target.path, set()).add(f"{needed} for {action}")
        for path, needs in lacking.items():
            yield Violation(
                where=role.path,
                what=f"{', '.join(sorted(needs))} on {path} is missing",
                limit="the data is encrypted with this key",
                fix="Grant the use of the key through the service (kms:ViaService)",
            )


@check("W527", "CloudWatch Logs can encrypt every log group that has a key.")
def log_keys(evidence: Evidence) -> Iterator[Violation]:
    region = evidence.bound.region
    service = f"logs.{region}.amazonaws.com"
    needed = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey")
    for group in evidence.assembly.of_type("AWS::Logs::LogGroup"):
        arn = key_arn(evidence.assembly, group)
        if not arn:
            continue
        context = {"kms:EncryptionContext:aws:logs:arn": group.arn.removesuffix(":*")}
        lacks = [n for n in needed if not evidence.world.decide(service, n, arn, context)]
        if lacks:
            yield Violation(
                where=group.path,
                what=f"{service} lacks {', '.join(lacks)} on its key",
                limit="the log group could not be created",
                fix="Let the service use the key for this environment's log groups",
            )


@check("W528", "S3 can write every access log that a bucket is configured for.")
def access_logs(evidence: Evidence) -> Iterator[Violation]:
    buckets = {b.name: b for b in evidence.assembly.of_type("AWS::S3::Bucket")}
    for bucket in buckets.values():
        wanted = bucket.properties.get("LoggingConfiguration")
        if not wanted:
            continue
        target = buckets.get(str(wanted.get("DestinationBucketName", "")))
        context = {
            **usual_context(),
            "aws:SourceArn": bucket.arn,
            "aws:SourceAccount": evidence.world.account,
        }
        key = f"{target.arn}/{wanted.get('LogFilePrefix', '')}sample" if target else ""
        service = "logging.s3.amazonaws.com"
        if target is None or not evidence.world.decide(service, "s3:PutObject", key, context):
            yield Violation(
                where=bucket.path,
                what=f"{service} may not write {key or 'its bucket'}",
                limit="accesses would go unrecorded",
                fix="Let it write this prefix in the log bucket's policy",
            )


@check("W529", "Every subscription is delivered: by e-mail, or to a queue that allows it.")
def subscriptions(evidence: Evidence) -> Iterator[Violation]:
    for found in evidence.assembly.of_type("AWS::SNS::Subscription"):
        topic = evidence.assembly.by_arn(str(found.properties.get("TopicArn", "")))
        protocol = found.properties.get("Protocol")
        if topic is None or protocol not in ("email", "email-json", "sqs", "lambda"):
            yield _undelivered(found, f"{protocol} to {found.properties.get('TopicArn')}")
            continue
        if protocol not in ("sqs", "lambda"):
            if found.properties.get("Endpoint") != evidence.bound.contracts.alarm_email:
                yield _undelivered(found, f"{found.properties.get('Endpoint')} is told")
            continue
        arn = str(found.properties.get("Endpoint", ""))
        action = "sqs:SendMessage" if protocol == "sqs" else "lambda:InvokeFunction"
        context = {
            **usual_context(),
            "aws:SourceArn": topic.arn,
            "aws:SourceAccount": evidence.world.account,
        }
        target = evidence.assembly.by_arn(arn)
        service = "sns.amazonaws.com"
        lacks = [] if evidence.world.decide(service, action, arn, context) else [action]
        if target is not None:
            region = evidence.bound.region
            lacks += cannot_use(evidence.world, service, action, target, context, region=region)
        if lacks:
            yield _undelivered(found, f"{service} lacks {', '.join(lacks)} on {arn}")


CHECKS = (
    trigger,
    notifications,
    no_loops,
    rule_targets,
    schedule,
    keys_reachable,
    log_keys,
    access_logs,
    subscriptions,
)
