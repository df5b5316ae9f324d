"""Ends what is billed without a purpose: every 15 minutes it deletes each Provisioned Throughput
whose lease has ended or that nobody calls, withdraws the pointers to endpoints that are gone, and
has undone what nobody works on any more."""

import json
import logging
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import LeaseEnvironment
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG, EXPIRES_TAG
from bedrock_tuning.run.failure_advice import with_advice
from bedrock_tuning.run.items import WARNED
from bedrock_tuning.run.messages import Message
from bedrock_tuning.serving.intent import Intent
from bedrock_tuning.serving.plan import Endpoint, removable
from bedrock_tuning.wording import counted
from lambdas import _aws
from lambdas._records import _intent, _metrics, _pointers, _runs
from lambdas._serving import _endpoints

logger = logging.getLogger(__name__)

# A change ends within the hour; what is still changing then is stuck, and billed.
_STUCK: Final = timedelta(hours=1)
# How long before the end of a lease people are told: a tenth of it, within these.
_WARNING_LEAST: Final = timedelta(minutes=30)
_WARNING_MOST: Final = timedelta(hours=24)
# Of the metric. CloudWatch answers with 1,440 periods at most; the window holds the longest lease,
# and so the smoke test with which it began.
_PERIOD, _WINDOW = timedelta(hours=1), timedelta(days=59)


def handler(event: dict[str, Any], context: object) -> dict[str, list[str]]:
    """Returns the ARNs under "deleted", "kept" (a lease or commitment runs), "busy" (a change is
    under way, tried again next time) and "withdrawn" (gone, but still pointed to); and under
    "taken-up" the customizations for which somebody's unfinished work is undone.

    Raises after all endpoints were checked, so that the function's alarm fires: if one could not be
    checked, is stuck, or has neither a commitment nor a lease, or if one with our name is not
    tagged as ours. Then somebody removed the tag, and nothing will end its billing.
    """
    env = LeaseEnvironment.from_env(os.environ)
    result: dict[str, list[str]] = {
        name: [] for name in ("deleted", "kept", "busy", "withdrawn", "taken-up")
    }
    problems: list[str] = []

    def attempt(what: str, act: Callable[[], str | None]) -> None:
        """Whatever is wrong with one endpoint, the other leases end in time."""
        try:
            outcome = act()
        except Exception as error:
            logger.exception("not checked", extra={"what": what})
            problems.append(with_advice(f"{what}: {error}"))
        else:
            if outcome is not None:
                result[outcome].append(what)

    try:
        # The whole list first: what is deleted would move the pages.
        for arn, name in list(_endpoints.named()):
            attempt(arn, partial(_keep, env, arn, name))
        for name, pointer, value in list(_pointers.every(env.parameter_prefix)):
            if pointer == "endpoint":
                attempt(value, partial(_sweep, env, name, value))
            elif pointer == "serving":
                attempt(name, partial(_take_up, env, name))
    except ClientError as error:
        # The alarm's mail and the log are all that a person gets.
        problems.append(with_advice(f"not every lease was checked: {error}"))
    logger.info("leases", extra=result)
    if problems:
        raise RuntimeError("; ".join(problems))
    return result


def _keep(env: LeaseEnvironment, arn: str, name: str) -> str | None:
    """What became of one Provisioned Throughput; None if it is not ours."""
    tags = _endpoints.tags_of(arn)
    if ENVIRONMENT_TAG not in tags and _endpoints.is_ours(env.environment, name):
        if _endpoints.describe(arn) is None:
            return None
        raise ValueError(
            f"its name is ours, but its tag {ENVIRONMENT_TAG} is missing, so nothing "
            "ends its billing; tag it again or delete it"
        )
    if tags.get(ENVIRONMENT_TAG) != env.environment:
        return None
    endpoint = _endpoints.describe(arn)
    if endpoint is None:
        return None
    try:
        return _expire(env, endpoint, tags)
    except Exception:
        of = tags.get(CUSTOMIZATION_TAG)
        if of is not None:
            _metrics.count("LeasesNotKept", environment=env.environment, customization=of)
        raise


def _expire(env: LeaseEnvironment, endpoint: Endpoint, tags: dict[str, str]) -> str:
    if not removable(endpoint):
        return "kept"
    name = tags.get(CUSTOMIZATION_TAG)
    intent = _intent.read(env, name) if name is not None else None
    ends = _parse_time(tags.get(EXPIRES_TAG, "none"))
    now = datetime.now(UTC)
    reason = (
        "its lease ended"
        if ends <= now
        else intent and _reason_to_delete(env, intent, endpoint.arn, now)
    )
    if not reason:
        if intent is not None and ends - now < _warning_period(intent):
            _warn(env, intent, endpoint, ends)
        return "kept"
    if intent is not None and not _switch_off(env, intent, endpoint.arn, reason):
        return "busy"
    if not _endpoints.delete(endpoint):
        if now - ends > _STUCK:
            raise TimeoutError(
                f"its lease ended {ends:%Y-%m-%dT%H:%M:%SZ}, and it is still {endpoint.status}: "
                "Bedrock refuses to delete it, and bills it; contact AWS Support"
            )
        return "busy"
    is_superfluous = name is None or (intent is not None and _has_successor(intent, endpoint.arn))
    hint = "" if is_superfluous else f" Serve it again: tuning serve {name} -e {env.environment}"
    text = f"The lease of {endpoint.arn} ended {ends:%Y-%m-%dT%H:%M:%SZ}"
    if ends > now:
        text = f"{endpoint.arn} is not to be served any more: {reason}"
    _tell(
        env,
        name,
        "lease-ended",
        f"{name or 'An endpoint'}: lease ended",
        f"{text}. The endpoint was deleted and billing stopped. The custom model is kept.{hint}",
    )
    # Last: if anything fails before, the pointer is found next time, and people are told then.
    if name is not None:
        _pointers.withdraw_from(env.parameter_prefix, name, "endpoint", endpoint.arn)
    return "deleted"


def _reason_to_delete(env: LeaseEnvironment, intent: Intent, arn: str, now: datetime) -> str:
    """Why an endpoint goes before its lease ends; "" if it stays."""
    if intent.renamed_to:
        # It goes on under another name, whose tag comes in a moment.
        return ""
    if not intent.on:
        # Its end was written down, and then its execution was stopped; or there never was any.
        return intent.why
    if _has_successor(intent, arn):
        return f"{intent.published.endpoint_arn} has replaced it"
    hours = _idle_hours(env, intent.customization)
    if hours is None or intent.published.endpoint_arn != arn:
        return ""
    served_since, limit = datetime.fromisoformat(intent.since), timedelta(hours=hours)
    if now - served_since < limit or now - _last_call(arn, now) < limit:
        return ""
    return f"nobody called it for {counted(hours, 'hour')} (idle_hours)"


def _has_successor(intent: Intent, arn: str) -> bool:
    """Whether it was left behind: its deletion was refused, or took too long for its run."""
    successor = intent.published.endpoint_arn not in ("", arn)
    return bool(intent.version and intent.on and not intent.until and successor)


def _idle_hours(env: LeaseEnvironment, name: str) -> int | None:
    """As the customization's stack says now; None also if there is no stack any more."""
    settings = _aws.parameter(f"{env.settings_prefix}/{name}")
    if settings is None:
        return None
    return from_settings(json.loads(settings)).customization.serving.idle_hours


def _last_call(arn: str, now: datetime) -> datetime:
    """The end of the hour of an endpoint's last call.

    Its smoke test was one. Raises LookupError if CloudWatch shows none at all: then it does not
    count the calls of this endpoint, or not under this name, and says nothing about their absence.
    """
    answer = _aws.cloudwatch().get_metric_statistics(
        Namespace="AWS/Bedrock",
        MetricName="Invocations",
        Dimensions=[{"Name": "ModelId", "Value": arn}],
        StartTime=now - _WINDOW,
        EndTime=now,
        Period=int(_PERIOD.total_seconds()),
        Statistics=["Sum"],
    )
    hours = [point["Timestamp"] for point in answer["Datapoints"] if point["Sum"]]
    if not hours:
        raise LookupError(
            "CloudWatch has no Invocations of it, not even its smoke test's, so its idle_hours "
            "cannot be kept; it stays until its lease ends"
        )
    return max(hours) + _PERIOD


def _switch_off(env: LeaseEnvironment, intent: Intent, arn: str, reason: str) -> bool:
    """Writes that nothing is served before it is true: a run that works on the endpoint stops.

    False while a run moves its model in, whose lease begins anew, or if another is faster.
    """
    now = _runs.now()
    if intent.begun.touches(arn) and intent.working(now):
        return False
    if not intent.on or intent.published.endpoint_arn not in ("", arn):
        return True
    intent_off = intent.ended(why=reason, by="KeepLeases", now=now)
    return _intent.write(env.runs_table, intent_off) is not None


def _sweep(env: LeaseEnvironment, name: str, arn: str) -> str | None:
    """Withdraws a pointer to an endpoint that is gone: deleted by hand, or before a failure."""
    if _endpoints.describe(arn) is not None:
        return None
    intent = _intent.read(env, name)
    if intent.working(_runs.now()):
        # Its owner finds that out itself.
        return None
    if intent.renamed_to:
        # People are told under the name that it has now.
        _pointers.withdraw_from(env.parameter_prefix, name, "endpoint", arn)
        return "withdrawn"
    if intent.on:
        intent_off = intent.ended(why="its endpoint is gone", by="KeepLeases", now=_runs.now())
        if _intent.write(env.runs_table, intent_off) is None:
            return None
        intent = intent_off
    _tell(
        env,
        name,
        "withdrawn",
        f"{name}: no longer served",
        f"{arn} does not exist any more ({intent.why}), so nothing points to it now and nothing is "
        "billed. The custom model is kept. Serve it again: "
        f"tuning serve {name} -e {env.environment}",
    )
    _pointers.withdraw_from(env.parameter_prefix, name, "endpoint", arn)
    return "withdrawn"


def _take_up(env: LeaseEnvironment, name: str) -> str | None:
    """Has the unfinished work of a run undone whose execution ended early, for any reason.

    Once an hour, for as long as it is not undone.
    """
    intent, now = _intent.read(env, name), _runs.now()
    if not intent.until or intent.working(now):
        return None
    reason = "its execution ended before the endpoint was published"
    serving = {"customization": name, "run": intent.owner, "undo": reason}
    execution = f"undo-{intent.owner}-{re.sub(r'[^0-9]', '', now)[:10]}"
    _aws.start_serving(env.workflow_arn, execution=execution, serving=serving)
    return "taken-up"


def _warning_period(intent: Intent) -> timedelta:
    hours = intent.terms.lease_hours if intent.terms else None
    return min(max(timedelta(hours=(hours or 0) / 10), _WARNING_LEAST), _WARNING_MOST)


def _warn(env: LeaseEnvironment, intent: Intent, endpoint: Endpoint, ends: datetime) -> None:
    """Tells once that a lease is about to end; a lease that was extended has another end."""
    end = f"{ends:%Y-%m-%dT%H:%M:%SZ}"
    note = f"{WARNED}{endpoint.arn}#{end}"
    if _runs.get(env.runs_table, note) is not None:
        return
    name = intent.customization
    _tell(
        env,
        name,
        "lease-ends",
        f"{name}: lease ends soon",
        f"The lease of {endpoint.arn} ends {end}. The endpoint is deleted then. Keep it longer: "
        f"tuning lease {name} --hours N -e {env.environment}",
    )
    _runs.put_if(env.runs_table, {"id": note, "created": _runs.now()})


def _tell(env: LeaseEnvironment, name: str | None, status: str, subject: str, text: str) -> None:
    customization = name or "unknown"
    message = Message(
        status=status,
        environment=env.environment,
        customization=customization,
        subject=subject,
        message=text,
    )
    _aws.tell(env.topic_arn, message)


def _parse_time(text: str) -> datetime:
    """A lease's end; UTC if it names no time zone. Raises ValueError for anything else."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"billed without an end: it has neither a commitment nor a time in its tag "
            f"{EXPIRES_TAG} ({text}); tag it with an ISO 8601 time or delete it"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
