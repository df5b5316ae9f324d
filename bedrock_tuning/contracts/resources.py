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
    role_path,
    workflow_name,
)
from bedrock_tuning.contracts.ending import ANNOUNCE, RECONCILE

_LOGGED = (*s3_layout.KINDS, "output")
_ALARMS = "arn:{partition}:cloudwatch:{region}:{account}:alarm:*"


def guarded(settings: Settings, places: Mapping[str, Place]) -> tuple[Guarded, ...]:
    """All of them; a policy in the templates on anything else is a fault."""
    environment = settings.name
    alarms = (g.FROM_THIS_ACCOUNT, g.arn_like("aws:SourceArn", _ALARMS))

    def of(name: str, *grants: Grant, refusals: tuple[Grant, ...] = ()) -> Guarded:
        return Guarded(name=name, place=places[name], grants=grants, refusals=refusals)

    return (
        *(
            of(name, refusals=(*_bucket_refusals(name), _refuse_forgery(settings, name)))
            for name in s3_layout.KINDS
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
    return Condition.of("ArnEquals", "aws:SourceArn", *values)


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
                f"arn:{{partition}}:logs:{{region}}:{{account}}:log-group:{group}"
                for group in log_groups
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


def refuse_plain_http(action: str, *resources: str) -> Grant:
    """Nobody's calls without TLS."""
    no_tls = Condition.of("Bool", "aws:SecureTransport", "false")
    return g.refuse("nothing without TLS", action, on=resources, when=no_tls)


def _refuse_forgery(settings: Settings, name: str) -> Grant:
    """Who may write anywhere else in a dataset's bucket still cannot write what was checked."""
    return _guard(
        "checked manifests by their checker only",
        role_path(settings, "check"),
        f"{{{name}}}/{s3_layout.CHECKED}/*",
    )


def _refuse_rewriting(settings: Settings) -> tuple[Grant, ...]:
    """What was found is written by functions only; what was decided, once, and never removed."""
    decisions = f"{{output}}/{s3_layout.APPROVALS}/*"
    return (
        _guard(
            "reports and results by their checkers only",
            role_path(settings, "check"),
            *(f"{{output}}/{folder}/*" for folder in (s3_layout.REPORTS, s3_layout.WORK)),
        ),
        _guard("decisions by their function only", role_path(settings, "approve"), decisions),
        g.refuse("no decision is removed", "s3:DeleteObject*", on=[decisions]),
        g.refuse(
            "no decision is written over",
            "s3:PutObject",
            on=[decisions],
            when=Condition.of("Null", "s3:if-none-match", "true"),
        ),
    )


def _guard(why: str, path: str, *resources: str) -> Grant:
    """Refuses changes of objects to everybody but roles at this path."""
    roles = f"arn:{{partition}}:iam::{{account}}:role{path}*"
    return g.refuse(
        why,
        *("s3:DeleteObject*", "s3:PutObject*", "s3:Replicate*", "s3:RestoreObject"),
        on=resources,
        when=Condition.of("ArnNotLike", "aws:PrincipalArn", roles),
    )


def _bucket_refusals(name: str) -> tuple[Grant, ...]:
    everything = (f"{{{name}}}", f"{{{name}}}/*")
    return (
        refuse_plain_http("s3:*", *everything),
        g.refuse(
            "nothing with a TLS older than 1.2",
            "s3:*",
            on=everything,
            when=Condition.of("NumericLessThan", "s3:TlsVersion", "1.2"),
        ),
    )
