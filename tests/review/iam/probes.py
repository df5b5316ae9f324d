"""Requests to try on the templates: one for each thing that a contract allows, and its key's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bedrock_tuning.contracts import Condition, Grant
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.iam.access import EffectivePermissions, owner_arn
from bedrock_tuning.review.iam.conditions import Context, operator
from bedrock_tuning.review.iam.keys import key_arn
from bedrock_tuning.review.iam.simulator import EvalRequest, usual_context
from bedrock_tuning.review.iam.wildcards import is_literal

Values = dict[str, str | Sequence[str]]

# What a caller needs of the key, by what it does to the resource (KMS developer guide).
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:GetObjectVersion": ("kms:Decrypt",),
    # Uploads in parts decrypt, too.
    "s3:PutObject": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    "dynamodb:GetItem": ("kms:Decrypt",),
    "dynamodb:PutItem": ("kms:Decrypt",),
    "dynamodb:UpdateItem": ("kms:Decrypt",),
    "dynamodb:DeleteItem": ("kms:Decrypt",),
    "dynamodb:Query": ("kms:Decrypt",),
    "dynamodb:Scan": ("kms:Decrypt",),
}


def on_behalf_of(arn: str) -> Values:
    """What a request brings that a service makes for one resource of this account."""
    return {**usual_context(), "aws:SourceArn": arn, "aws:SourceAccount": identity.ACCOUNT}


def context_for(conditions: Iterable[Condition]) -> Values:
    """A context that fulfils conditions."""
    pairs = (sample(condition) for condition in conditions)
    return {key: value for key, value in pairs if value is not None}


def concrete(pattern: str, word: str = "sample") -> str:
    """A resource that a pattern describes."""
    return pattern if pattern == "*" else pattern.replace("*", word).replace("?", "s")


def requests_of(grant: Grant, principal: str) -> Iterator[EvalRequest]:
    """One request per action and resource of a filled grant, with its conditions fulfilled."""
    context = {**usual_context(), **context_for(grant.conditions)}
    for action in grant.actions:
        for resource in grant.resources:
            yield EvalRequest(
                principal=principal,
                action=concrete(action, "Sample"),
                resource=concrete(resource),
                context=context,
            )


def sample(condition: Condition) -> tuple[str, str | Sequence[str] | None]:
    """A request's value that fulfils the condition; None means: the request has no such key."""
    kind = operator(condition.operator)
    first = condition.values[0]
    if kind.base == "Null":
        return condition.key, None if first.lower() == "true" else "x"
    if kind.if_exists or (kind.negated and kind.quantifier != "ForAnyValue"):
        return condition.key, None
    value = f"~{first}~" if kind.negated else _fitting(kind.base, first)
    return condition.key, [value] if kind.quantifier else value


def _fitting(base: str, pattern: str) -> str:
    """A value that an operator accepts for a pattern."""
    match base:
        case "StringLike" | "ArnEquals" | "ArnLike" if not is_literal(pattern):
            return pattern.replace("*", "sample").replace("?", "s")
        case "NumericLessThan" | "NumericGreaterThan":
            return str(float(pattern) + (1 if base.endswith("GreaterThan") else -1))
        case "DateLessThan" | "DateGreaterThan":
            day = timedelta(days=1 if base.endswith("GreaterThan") else -1)
            return (datetime.fromisoformat(pattern) + day).isoformat()
        case "IpAddress":
            return pattern.partition("/")[0]
    return pattern


def cannot_use(
    permissions: EffectivePermissions,
    principal: str,
    action: str,
    resource: Resource,
    context: Context,
) -> list[str]:
    """What a principal lacks of a resource's key to do an action on it."""
    arn = key_arn(permissions.assembly, resource)
    if not arn:
        return []
    through = f"{action.split(':')[0]}.{permissions.assembly.region}.amazonaws.com"
    asked: dict[str, Any] = {**context, "kms:ViaService": through}
    return [n for n in NEEDS.get(action, ()) if not permissions.decide(principal, n, arn, asked)]


def lacking(
    permissions: EffectivePermissions, principal: str, action: str, arn: str, context: Context
) -> list[str]:
    """What a principal lacks to do an action on a resource: the action itself, or its key."""
    missing = [] if permissions.decide(principal, action, arn, context) else [action]
    resource = permissions.assembly.by_arn(owner_arn(arn))
    if resource is not None:
        missing += cannot_use(permissions, principal, action, resource, context)
    return missing
