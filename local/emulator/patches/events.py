"""Events: what is in them, and whose role delivers them."""

import contextvars
import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from local.emulator import keys, roles
from local.emulator.patching import around, expect_source

log = logging.getLogger("local-aws")

ACTIONS: Final = {
    "states": "states:StartExecution",
    "lambda": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
}

EVENTS: Final = "events.amazonaws.com"
SCHEDULER: Final = "aws.scheduler"
_KEY_ACTIONS: Final = ("kms:GenerateDataKey", "kms:Decrypt")
"""What sending to an encrypted queue or topic takes."""

_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("version", default=None)


def object_events_carry_the_version() -> None:
    """Gap: the event of an object in a versioned bucket has no `version-id`.

    Our event key is bucket, key and version: without it two uploads of one manifest look the same.
    """
    from ministack.services import eventbridge, s3

    sources = (
        "_eb._dispatch_event(eb_event)",
        "version_id: str | None = None",
        '"object": {"key": key, "size": size, "etag": clean_etag, "sequencer"',
    )

    @around(s3, "_fire_s3_event", *sources)
    def fire_s3_event(upstream: Any, *arguments: Any, **options: Any) -> None:
        token = _version.set(options.get("version_id"))
        try:
            upstream(*arguments, **options)
        finally:
            _version.reset(token)

    @around(eventbridge, "_dispatch_event")
    def dispatch_event(upstream: Any, event: dict[str, Any], *more: Any) -> None:
        version = _version.get()
        if version and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
        upstream(event, *more)


def targets_need_their_role() -> None:
    """Gap: rules and schedules reach their targets without the role that their target names, and
    topics whatever their policy says.

    A rule's role without `states:StartExecution`, or one that does not trust the service for this
    rule, would work here and fail on AWS. A refused event goes to the target's dead-letter queue,
    if that and its key let it in.
    """
    from ministack.services import eventbridge, scheduler

    expect_source(scheduler._tick_schedules, "_eb._invoke_target(target, event, sched)")

    @around(eventbridge, "_invoke_target", "_dispatch_to_stepfunctions(arn, event_payload)")
    def invoke_target(upstream: Any, target: Any, event: Any, rule: Any, view: Any = None) -> None:
        try:
            _require_role(target, event, rule)
        except roles.RoleError as error:
            log.warning("%s is not delivered to %s: %s", rule.get("Arn"), target["Arn"], error)
            _to_dead_letters(target, event, rule, str(error))
        else:
            upstream(target, event, rule, view)


def delivered_as_ordered(order: Callable[[Any], Any]) -> None:
    """No gap: EventBridge delivers an event of S3 at least once, and not always at once.

    order: takes the oldest order of a kind, if there is one. (EventBridge User Guide, "Event
    delivery"; S3 User Guide, "Amazon S3 Event Notifications".)
    """
    from ministack.services import eventbridge

    @around(eventbridge, "_invoke_target")
    def invoke_target(upstream: Any, target: Any, event: Any, rule: Any, view: Any = None) -> None:
        from_s3 = event.get("Source") == "aws.s3"
        times = 2 if from_s3 and order("event-twice") else 1
        delay = order("event-late") if from_s3 else None
        for _ in range(times):
            if delay is None:
                upstream(target, event, rule, view)
                continue
            context = contextvars.copy_context()
            threading.Timer(
                delay.seconds, context.run, (upstream, target, event, rule, view)
            ).start()


def _require_role(target: Mapping[str, Any], event: Mapping[str, Any], rule: Any) -> None:
    """Raise RoleError unless the target's role, if it has one, may be assumed and may call it.

    Topics have none: their own policy and their key's let EventBridge publish.
    """
    service = target["Arn"].split(":")[2]
    action = ACTIONS.get(service)
    if target.get("RoleArn") and action is not None:
        session, region = _assume(target, event, rule)
        roles.authorize(session, action=action, resource=target["Arn"], region=region)
    elif service == "sns":
        _require_topic(target["Arn"], rule)


def _require_topic(topic: str, rule: Mapping[str, Any]) -> None:
    from ministack.services import sns

    if not sns.topic_policy_allows(topic, EVENTS, rule["Arn"], rule["Arn"].split(":")[4]):
        raise roles.RoleError(f"the policy of {topic} does not let {EVENTS} publish")
    _require_key(keys.of_topic(topic))


def _require_key(key: str | None) -> None:
    """EventBridge's call to KMS has no source in its context."""
    for action in _KEY_ACTIONS if key else ():
        if not roles.service_may(EVENTS, action=action, resource=str(key)):
            raise roles.RoleError(f"the policy of {key} does not let {EVENTS} call {action}")


def _assume(
    target: Mapping[str, Any], event: Mapping[str, Any], rule: Any
) -> tuple[roles.Session, str]:
    _, _, _, region, account, _ = rule["Arn"].split(":", 5)
    scheduled = event["Source"] == SCHEDULER
    session = roles.assume(
        role_arn=target["RoleArn"],
        service="scheduler.amazonaws.com" if scheduled else "events.amazonaws.com",
        source_arn=_group_arn(rule, region, account) if scheduled else rule["Arn"],
        session_name="scheduler" if scheduled else "events",
        region=region,
    )
    return session, region


def _group_arn(schedule: Mapping[str, Any], region: str, account: str) -> str:
    """Scheduler names the group, not the schedule, as the source of its calls."""
    group = schedule.get("GroupName") or "default"
    return f"arn:aws:scheduler:{region}:{account}:schedule-group/{group}"


def _to_dead_letters(target: Any, event: Any, rule: Any, reason: str) -> None:
    from ministack.services import sqs

    queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue_arn:
        return
    try:
        _require_dead_letters(queue_arn, target, event, rule)
    except roles.RoleError as error:
        log.error("an event of %s is lost: %s", rule.get("Arn"), error)
        return
    _, _, _, _, account, name = queue_arn.split(":")
    details = {
        "RULE_ARN": rule["Arn"],
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": reason,
    }
    sqs._act_send_message(
        {
            "MessageBody": json.dumps(event, default=str),
            "MessageAttributes": {
                key: {"DataType": "String", "StringValue": value} for key, value in details.items()
            },
        },
        f"/{account}/{name}",
    )


def _require_dead_letters(queue_arn: str, target: Any, event: Any, rule: Any) -> None:
    """Raise RoleError unless the event may be kept (docs/facts/workflow.md#dead-letters).

    Scheduler sends with the target's role. EventBridge sends as itself: by the queue's policy, and
    by the key's policy without any source in the context of its call to KMS.
    """
    from ministack.services import sqs

    key = keys.of_queue(queue_arn)
    if event["Source"] == SCHEDULER:
        session, region = _assume(target, event, rule)
        roles.authorize(session, action="sqs:SendMessage", resource=queue_arn, region=region)
        for action in _KEY_ACTIONS if key else ():
            reason = keys.refusal(
                access_key=session.access_key,
                action=action,
                key=str(key),
                region=region,
                service="sqs",
                context={"aws:sqs:arn": queue_arn},
            )
            if reason is not None:
                raise roles.RoleError(reason)
        return
    if not sqs.queue_policy_allows(queue_arn, EVENTS, rule["Arn"], rule["Arn"].split(":")[4]):
        raise roles.RoleError(f"the policy of {queue_arn} does not let {EVENTS} send")
    _require_key(key)
