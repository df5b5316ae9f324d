"""Gap: rules and schedules reach their targets without the role that their target names.

A rule's role without `states:StartExecution`, or one that does not trust the service for this
rule, would work here and fail on AWS. A refused event goes to the target's dead-letter queue.
"""

import functools
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from local.emulator import roles
from local.emulator.patches._patching import expect_source

log = logging.getLogger("local-aws")

ACTIONS: Final = {
    "states": "states:StartExecution",
    "lambda": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
}


def apply() -> None:
    from ministack.services import eventbridge, scheduler

    upstream: Callable[..., None] = eventbridge._invoke_target
    expect_source(upstream, "_dispatch_to_stepfunctions(arn, event_payload)")
    expect_source(scheduler._tick_schedules, "_eb._invoke_target(target, event, sched)")

    @functools.wraps(upstream)
    def invoke_target(target: Any, event: Any, rule: Any, view: Any = None) -> None:
        try:
            _require_role(target, event, rule)
        except roles.RoleError as error:
            log.warning("%s is not delivered to %s: %s", rule.get("Arn"), target["Arn"], error)
            _to_dead_letters(target, event, rule, str(error))
        else:
            upstream(target, event, rule, view)

    eventbridge._invoke_target = invoke_target


def _require_role(target: Mapping[str, Any], event: Mapping[str, Any], rule: Any) -> None:
    """Raise RoleError unless the target's role, if it has one, may be assumed and may call it."""
    action = ACTIONS.get(target["Arn"].split(":")[2])
    if not target.get("RoleArn") or action is None:
        return
    _, _, _, region, account, _ = rule["Arn"].split(":", 5)
    scheduled = event["Source"] == "aws.scheduler"
    session = roles.assume(
        role_arn=target["RoleArn"],
        service="scheduler.amazonaws.com" if scheduled else "events.amazonaws.com",
        source_arn=_group_arn(rule, region, account) if scheduled else rule["Arn"],
        session_name="scheduler" if scheduled else "events",
        region=region,
    )
    roles.authorize(session, action=action, resource=target["Arn"], region=region)


def _group_arn(schedule: Mapping[str, Any], region: str, account: str) -> str:
    """Scheduler names the group, not the schedule, as the source of its calls."""
    group = schedule.get("GroupName") or "default"
    return f"arn:aws:scheduler:{region}:{account}:schedule-group/{group}"


def _to_dead_letters(target: Any, event: Any, rule: Any, why: str) -> None:
    from ministack.services import sqs

    queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue_arn:
        return
    _, _, _, _, account, name = queue_arn.split(":")
    details = {
        "RULE_ARN": rule["Arn"],
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": why,
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
