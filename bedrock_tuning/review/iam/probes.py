"""Requests to try on the templates: one for each thing that a contract allows."""

from collections.abc import Iterable, Iterator, Sequence

from bedrock_tuning.contracts import Condition, Grant
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.iam.conditions import sample
from bedrock_tuning.review.iam.simulator import Request

Values = dict[str, str | Sequence[str]]


def usual_context() -> Values:
    """What every request brings: TLS, and whose resource it wants."""
    return {
        "aws:SecureTransport": "true",
        "s3:TlsVersion": "1.3",
        "aws:ResourceAccount": identity.ACCOUNT,
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
