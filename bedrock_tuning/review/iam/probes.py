"""Requests to try on the templates: what must be allowed, and what somebody might attempt."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from bedrock_tuning.contracts import Condition, Grant
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.iam.conditions import Context, holds, operator, sample
from bedrock_tuning.review.iam.simulator import Request
from bedrock_tuning.review.iam.wildcards import matches

STRANGER_ACCOUNT: Final = "999999999999"
STRANGER: Final = f"arn:aws:iam::{STRANGER_ACCOUNT}:user/stranger"

Values = dict[str, str | Sequence[str]]


def usual_context(account: str = identity.ACCOUNT) -> Values:
    """What every request brings: TLS, and whose resource it wants."""
    return {
        "aws:SecureTransport": "true",
        "s3:TlsVersion": "1.3",
        "aws:ResourceAccount": account,
    }


def context_for(conditions: Iterable[Condition]) -> Values:
    """A context that fulfils conditions."""
    pairs = (sample(condition) for condition in conditions)
    return {key: value for key, value in pairs if value is not None}


def concrete(pattern: str, word: str = "sample") -> str:
    """A resource that a pattern describes."""
    return pattern if pattern == "*" else pattern.replace("*", word).replace("?", "s")


def requests_of(grant: Grant, principal: str) -> Iterator[Request]:
    """One request per action and resource of a filled grant, with its conditions fulfilled."""
    context = {**usual_context(), **context_for(grant.conditions)}
    for action in grant.actions:
        for resource in grant.resources:
            yield Request(
                principal=principal,
                action=concrete(action, "Sample"),
                resource=concrete(resource),
                context=context,
            )


def allowed_by(grants: Iterable[Grant], request: Request) -> bool:
    """Whether a contract of filled grants allows a request."""
    return any(
        any(matches(a.lower(), request.action.lower()) for a in grant.actions)
        and any(matches(r, request.resource) for r in grant.resources)
        and holds(grant.conditions, request.context)
        for grant in grants
    )


def near_misses(request: Request, conditions: Iterable[Condition]) -> Iterator[Request]:
    """The same request with one thing wrong: another place, a condition missing or of others."""
    if request.resource != "*":
        for other in look_alikes(request.resource):
            yield replace(request, resource=other)
    for context in wrong_contexts(request.context, conditions):
        yield replace(request, context=context)


def wrong_contexts(context: Context, conditions: Iterable[Condition]) -> Iterator[Context]:
    """Contexts that miss one of the conditions that this context fulfils."""
    for condition in conditions:
        rest = {k: v for k, v in context.items() if k != condition.key}
        if not operator(condition.operator).if_exists:
            yield rest
        for wrong in wrong_values(condition.values[0]):
            yield {**rest, condition.key: wrong}


def look_alikes(resource: str) -> Iterator[str]:
    """Resources whose names are close to one that is allowed."""
    head, slash, tail = resource.partition("/")
    if ":s3:::" in resource:
        yield f"{head}-evil{slash}{tail}"
        if slash:
            first, _, rest = tail.partition("/")
            yield f"{head}/{first}x/{rest}"
            yield f"{head}/{rest}"
            yield f"{head}/other/{tail}"
        return
    parts = resource.split(":", 5)
    if len(parts) == 6:
        yield ":".join([*parts[:4], STRANGER_ACCOUNT, parts[5]])
        yield f"{resource}-evil"
        yield ":".join([*parts[:5], "other" + parts[5]])


def wrong_values(value: str) -> Iterator[str]:
    """Values that a condition on an account, an ARN, a service or a prefix must refuse."""
    if value == identity.ACCOUNT:
        yield STRANGER_ACCOUNT
    elif value.startswith("arn:"):
        plain = concrete(value)
        parts = plain.split(":")
        yield f"{plain}-evil" if not value.endswith("*") else f"{plain}".replace(":", "-", 1)
        if parts[4]:
            yield ":".join([*parts[:4], STRANGER_ACCOUNT, *parts[5:]])
        if parts[3]:
            yield ":".join([*parts[:3], "eu-north-1", *parts[4:]])
        yield ":".join([*parts[:2], "sqs" if parts[2] == "ec2" else "ec2", *parts[3:]])
    elif value in ("true", "false"):
        yield "false" if value == "true" else "true"
    elif value.endswith(".amazonaws.com"):
        yield "ec2.amazonaws.com"
        yield f"{value}.evil.example"
    else:
        yield f"x{concrete(value)}"
        yield ""
