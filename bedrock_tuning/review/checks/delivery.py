"""Checks of what starts what: rules, schedules, notifications, subscriptions, a chat."""

from collections.abc import Iterator
from typing import Final

from bedrock_tuning.review.check import Evidence, Violation, check, differing
from bedrock_tuning.review.promises.promise import Never, but
from bedrock_tuning.s3_layout import MANIFEST_FILE

_FIX: Final = "Deploy it as bedrock_tuning/contracts/written/events.py says"


@check(
    "W521",
    "One rule starts a run for uploaded manifests, and for nothing else; one has the runs "
    "reconciled of executions that ended badly; with slack_channel, two show this environment's "
    "messages, in the form that AWS Chatbot shows. All are enabled, and keep what they cannot "
    "deliver.",
    fix=_FIX,
)
def rules(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::Events::Rule")


@check(
    "W522",
    "Only the buckets with datasets send events, to EventBridge alone.",
    fix="Only datasets may start runs; what a run writes must not send an event",
)
def notifications(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::S3::Bucket", only="NotificationConfiguration")


no_loops = Never(
    id="W523",
    sentence="No role may write where an upload starts a run: that could start the next one. "
    "Only uploaders do, who are people.",
    actions=("s3:PutObject*", "s3:CopyObject*", "s3:RestoreObject*", "s3:DeleteObject*"),
    resources=lambda d: [f"{bucket}/*/{MANIFEST_FILE}" for bucket in d.datasets],
    but=lambda d: [but(d.person("Uploader"), "s3:PutObject")],
).check()


@check(
    "W525",
    "The lease keeper and the reconciler run every 15 minutes.",
    limit="leases end, and lost runs and jobs are found, within 15 minutes; until then both bill",
    fix=_FIX,
)
def schedule(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::Scheduler::Schedule")


@check(
    "W529",
    "The function that announces messages gets all of this environment; alarm_email gets every "
    "message.",
    limit="all messages with this environment's attribute",
    fix=_FIX,
)
def subscriptions(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::SNS::Subscription")


@check(
    "W530",
    "A chat channel shows alarms and messages, and nobody can act from it.",
    limit="what members of a channel may do, AWS Chatbot does as its role within its guardrails",
    fix="Deploy it as bedrock_tuning/contracts/options.py says",
)
def channel(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::Chatbot::SlackChannelConfiguration")
