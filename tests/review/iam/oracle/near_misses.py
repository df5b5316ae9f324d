"""Requests that are nearly allowed: another resource, a condition missing or of somebody else."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from bedrock_tuning.contracts import Condition
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.iam.conditions import Context, operator
from bedrock_tuning.review.iam.simulator import EvalRequest
from tests.review.iam.probes import concrete

STRANGER_ACCOUNT: Final = "999999999999"
STRANGER: Final = f"arn:aws:iam::{STRANGER_ACCOUNT}:user/stranger"


def near_misses(request: EvalRequest, conditions: Iterable[Condition]) -> Iterator[EvalRequest]:
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
