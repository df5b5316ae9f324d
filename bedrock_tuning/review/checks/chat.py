"""Checks of a chat channel: it shows this environment's messages, and nobody can act from it."""

from collections.abc import Iterator
from typing import Final

from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import Evidence, Violation, check, found, mismatches, unlike
from bedrock_tuning.run.messages import CHAT, SOURCE, Notice

_NOTHING: Final = f"arn:{identity.PARTITION}:iam::aws:policy/AWSDenyAll"
# How long it is tried, and what becomes of it then (W524).
_KEPT: Final = ("DeadLetterConfig", "Id", "RetryPolicy")
_FIX: Final = "Wire it as bedrock_tuning/constructs/chat.py does"


def _notice(evidence: Evidence, rule: Resource) -> Notice | None:
    """What a rule of the chat hands on; None for another rule."""
    if not evidence.bound.contracts.chat:
        return None
    arns = {evidence.bound.fill(f"{{chat-rule.{name}}}"): notice for name, notice in CHAT.items()}
    return arns.get(rule.arn)


def pattern(evidence: Evidence, rule: Resource) -> dict[str, list[str]]:
    """What a rule of the chat must match, by path; {} for another rule."""
    notice = _notice(evidence, rule)
    if notice is None:
        return {}
    return {
        "source": [SOURCE],
        "detail-type": sorted(kind.value for kind in notice.kinds),
        "detail.environment": [evidence.bound.contracts.environment],
    }


@check(
    "W531",
    "The rules of a chat hand messages to its topic, in the form that AWS Chatbot shows.",
    limit="other texts are not shown, and the topic shows nobody else's",
    fix=_FIX,
)
def targets(evidence: Evidence) -> Iterator[Violation]:
    topic = evidence.bound.fill("{chat-topic}")
    for rule in evidence.assembly.of_type("AWS::Events::Rule"):
        notice = _notice(evidence, rule)
        if notice is None:
            continue
        form = {"InputPathsMap": dict(notice.paths), "InputTemplate": notice.template}
        expected = {"Arn": topic, "InputTransformer": form}
        for target in rule.properties.get("Targets", []):
            actual = {name: as_whole(target[name]) for name in target if name not in _KEPT}
            yield from unlike(rule, actual, expected, exactly=True)


@check(
    "W530",
    "A chat channel shows alarms and messages, and nobody can act from it.",
    limit="what members of a channel may do, AWS Chatbot does as its role within its guardrails",
    fix=_FIX,
)
def channel(evidence: Evidence) -> Iterator[Violation]:
    bound = evidence.bound
    for configuration in evidence.assembly.of_type("AWS::Chatbot::SlackChannelConfiguration"):
        topics = sorted(map(str, configuration.properties.get("SnsTopicArns") or ()))
        expected = sorted([bound.fill("{topic}"), bound.fill("{chat-topic}")])
        if topics != expected:
            yield found(
                configuration, f"it shows {', '.join(topics) or 'nothing'}", ", ".join(expected)
            )
        guards = configuration.properties.get("GuardrailPolicies") or []
        if list(map(str, guards)) != [_NOTHING]:
            yield found(
                configuration, f"its guardrails are {guards or 'AdministratorAccess'}", _NOTHING
            )
        defaults = {
            "CustomizationResourceArns": None,
            "LoggingLevel": None,
            "UserRoleRequired": None,
        }
        properties = {**bound.contracts.chat, "IamRoleArn": bound.fill("{role.chat}")}
        yield from mismatches(configuration, {**properties, **defaults})
