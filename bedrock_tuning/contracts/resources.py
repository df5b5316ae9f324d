"""The contract of every resource that has a policy of its own: buckets, keys, topic, queue."""

from collections.abc import Mapping

from bedrock_tuning import s3_layout
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.contract import (
    VENDED_LOGS,
    Condition,
    Grant,
    Guarded,
    Place,
    Refusal,
    role_path,
    workflow_name,
)
from bedrock_tuning.contracts.ending import ANNOUNCE, RECONCILE

_DATASETS = ("training", "validation")

_LOGGED = (*_DATASETS, "output")
_ALARMS = "arn:{partition}:cloudwatch:{region}:{account}:alarm:*"


def guarded(settings: Settings, places: Mapping[str, Place]) -> tuple[Guarded, ...]:
    """All of them; a policy in the templates on anything else is a fault."""
    environment = settings.name
    alarms = (g.FROM_THIS_ACCOUNT, g.arn_like("aws:SourceArn", _ALARMS))

    def of(name: str, *grants: Grant, refusals: tuple[Refusal, ...] = ()) -> Guarded:
        return Guarded(name=name, place=places[name], grants=grants, refusals=refusals)

    return (
        *(
            of(name, refusals=(*_bucket_refusals(name), _refuse_forgery(settings, name)))
            for name in _DATASETS
        ),
        of("output", refusals=(*_bucket_refusals("output"), *_refuse_rewriting(settings))),
        of(
            "access-logs",
            *(_access_logs(name) for name in _LOGGED),
            refusals=_bucket_refusals("access-logs"),
        ),
        of("data-key", administered()),
        of(
            "operations-key",
            administered(),
            encrypt_logs(f"tuning-{environment}-*", f"{VENDED_LOGS}{workflow_name(environment)}"),
            g.allow(
                "alarms encrypt",
                "kms:Decrypt",
                "kms:GenerateDataKey*",
                on="*",
                to="cloudwatch.amazonaws.com",
                when=alarms,
            ),
            # Without a condition: EventBridge's call to KMS names no source, and an event would be
            # lost (docs/facts/workflow.md#dead-letters). The queue's policy says whose events.
            g.allow(
                "dead letters encrypt",
                "kms:Decrypt",
                "kms:GenerateDataKey*",
                on="*",
                to="events.amazonaws.com",
            ),
        ),
        of(
            "topic",
            g.allow(
                "alarms publish",
                "sns:Publish",
                to="cloudwatch.amazonaws.com",
                on="{topic}",
                when=alarms,
            ),
            refusals=(refuse_plain_http("sns:Publish", "{topic}"),),
        ),
        of(
            "dead-letters",
            *(keeps_events(rule) for rule in ("upload-rule", "status-rule")),
            refusals=(refuse_plain_http("sqs:*", "{dead-letters}"),),
        ),
        of("runs"),
        # EventBridge and SNS call functions by their own policy, not by a role.
        of(
            f"function.{RECONCILE.name}",
            g.allow(
                "the rule of ended executions calls it",
                "lambda:InvokeFunction",
                to="events.amazonaws.com",
                on=f"{{function.{RECONCILE.name}}}",
                when=g.arn_like("aws:SourceArn", "{status-rule}"),
            ),
        ),
        of(
            f"function.{ANNOUNCE.name}",
            g.allow(
                "the topic hands messages to it",
                "lambda:InvokeFunction",
                to="sns.amazonaws.com",
                on=f"{{function.{ANNOUNCE.name}}}",
                when=g.arn_like("aws:SourceArn", "{topic}"),
            ),
        ),
    )


def keeps_events(rule: str) -> Grant:
    """For the queue of events that nobody took."""
    return g.allow(
        f"the {rule} keeps events that it could not deliver",
        "sqs:SendMessage",
        to="events.amazonaws.com",
        on="{dead-letters}",
        when=from_rules(rule),
    )


def from_rules(*names: str) -> Condition:
    """Events of these rules, and of no others."""
    values = tuple(f"{{{name}}}" for name in names)
    return Condition(operator="ArnEquals", key="aws:SourceArn", values=values)


def administered() -> Grant:
    """Without it nobody could ever change the key again; IAM policies then decide."""
    return Grant(
        why="the account's IAM policies decide about the key",
        everybody_here=True,
        actions=("kms:*",),
        resources=("*",),
    )


def encrypt_logs(*log_groups: str) -> Grant:
    """For the key of log groups with names like this."""
    return g.allow(
        "logs encrypt",
        "kms:Encrypt*",
        "kms:Decrypt*",
        "kms:ReEncrypt*",
        "kms:GenerateDataKey*",
        "kms:Describe*",
        on="*",
        to="logs.{region}.amazonaws.com",
        when=g.arn_like(
            "kms:EncryptionContext:aws:logs:arn",
            *(
                f"arn:{{partition}}:logs:{{region}}:{{account}}:log-group:{each}"
                for each in log_groups
            ),
        ),
    )


def _access_logs(bucket: str) -> Grant:
    return g.allow(
        f"S3 writes the access log of {bucket}",
        "s3:PutObject",
        to="logging.s3.amazonaws.com",
        on=f"{{access-logs}}/{bucket}/*",
        when=(g.FROM_THIS_ACCOUNT, g.arn_like("aws:SourceArn", f"{{{bucket}}}")),
    )


def refuse_plain_http(action: str, *resources: str) -> Refusal:
    """Nobody's calls without TLS."""
    return Refusal(
        why="nothing without TLS",
        actions=(action,),
        resources=resources,
        conditions=(Condition(operator="Bool", key="aws:SecureTransport", values=("false",)),),
    )


def _refuse_forgery(settings: Settings, name: str) -> Refusal:
    """Who may write anywhere else in a dataset's bucket still cannot write what was checked."""
    return _only(
        "checked manifests by their checker only",
        role_path(settings, "check"),
        f"{{{name}}}/{s3_layout.CHECKED}/*",
    )


def _refuse_rewriting(settings: Settings) -> tuple[Refusal, ...]:
    """What was found is written by functions only; what was decided, once, and never removed."""
    decisions = f"{{output}}/{s3_layout.APPROVALS}/*"
    return (
        _only(
            "reports and results by their checkers only",
            role_path(settings, "check"),
            *(f"{{output}}/{folder}/*" for folder in (s3_layout.REPORTS, s3_layout.WORK)),
        ),
        _only("decisions by their function only", role_path(settings, "approve"), decisions),
        Refusal(
            why="no decision is removed",
            actions=("s3:DeleteObject*",),
            resources=(decisions,),
            conditions=(),
        ),
        Refusal(
            why="no decision is written over",
            actions=("s3:PutObject",),
            resources=(decisions,),
            conditions=(Condition(operator="Null", key="s3:if-none-match", values=("true",)),),
        ),
    )


def _only(why: str, path: str, *resources: str) -> Refusal:
    """Refuses changes of objects to everybody but roles at this path."""
    return Refusal(
        why=why,
        actions=("s3:DeleteObject*", "s3:PutObject*", "s3:Replicate*", "s3:RestoreObject"),
        resources=resources,
        conditions=(
            Condition(
                operator="ArnNotLike",
                key="aws:PrincipalArn",
                values=(f"arn:{{partition}}:iam::{{account}}:role{path}*",),
            ),
        ),
    )


def _bucket_refusals(name: str) -> tuple[Refusal, ...]:
    everything = (f"{{{name}}}", f"{{{name}}}/*")
    return (
        refuse_plain_http("s3:*", *everything),
        Refusal(
            why="nothing with a TLS older than 1.2",
            actions=("s3:*",),
            resources=everything,
            conditions=(
                Condition(operator="NumericLessThan", key="s3:TlsVersion", values=("1.2",)),
            ),
        ),
    )
