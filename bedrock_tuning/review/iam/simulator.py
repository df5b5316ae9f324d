"""Decides one request as IAM would, by identity and resource policies, trusts and keys.

Small and strict: it knows what the templates use and raises on anything else, so that a proof can
never pass because something was not understood. An independent simulator agrees with it on
thousands of generated requests (tests/review/iam/test_oracle.py).

Not known here: service control, resource control and session policies of the account, permissions
boundaries, policies of VPC endpoints (N902 judges them), and resource policies outside of the
templates. They can only take away.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from bedrock_tuning.review.assembly.identity import ACCOUNT
from bedrock_tuning.review.iam.conditions import Context, filled, holds
from bedrock_tuning.review.iam.policy import Principals, Statement
from bedrock_tuning.review.iam.wildcards import matches

_BY_NAME: Final = "by name"
_BY_ACCOUNT: Final = "by account"


class ExclusionError(ValueError):
    """A policy uses NotPrincipal, by which nothing is decided here; no contract contains it."""


class EvalDecision(StrEnum):
    """How a request ends."""

    ALLOWED = "Allowed"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    EXPLICITLY_DENIED = "ExplicitlyDenied"

    def __bool__(self) -> bool:
        return self is EvalDecision.ALLOWED


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalRequest:
    """Who wants to do what to what.

    principal: a role's or user's ARN, or a service ("events.amazonaws.com"). resource: an ARN, or
    "*" for actions without resources. account: whose resource it is, where the ARN does not say.
    """

    principal: str
    action: str
    resource: str
    context: Context = field(default_factory=dict)
    account: str = ""

    @property
    def principal_account(self) -> str | None:
        """The account of a role or user; None for a service."""
        return self.principal.split(":")[4] if self.principal.startswith("arn:") else None


def usual_context() -> dict[str, str | Sequence[str]]:
    """What every request brings: TLS, and whose resource it wants."""
    return {
        "aws:SecureTransport": "true",
        "s3:TlsVersion": "1.3",
        "aws:ResourceAccount": ACCOUNT,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """All that decides about a request.

    identity: of the caller. resource: of the resource, or the trust policy when a role is to be
    assumed; None if it has none.
    """

    identity: Sequence[Statement] = ()
    resource: Sequence[Statement] | None = None


def decide(request: EvalRequest, policies: Policies) -> EvalDecision:
    """The decision about one request."""
    identity = [statement.effect for statement in _matching_statements(policies.identity, request)]
    resource = list(_grants(policies.resource or (), request))
    # One that refuses ends it below.
    mentions = {mention for _, mention in resource}
    if "Deny" in [*identity, *(statement.effect for statement, _ in resource)]:
        return EvalDecision.EXPLICITLY_DENIED
    is_allowed = _combine(
        request,
        identity="Allow" in identity,
        by_name=_BY_NAME in mentions,
        by_account=_BY_ACCOUNT in mentions,
    )
    return EvalDecision.ALLOWED if is_allowed else EvalDecision.IMPLICITLY_DENIED


def _combine(request: EvalRequest, *, identity: bool, by_name: bool, by_account: bool) -> bool:
    caller = request.principal_account
    if caller is None:
        return by_name
    owner = _owner_of(request)
    # Nobody may use a key or become a role unless its own policy speaks of them.
    must_speak = request.action.split(":")[0] == "kms" or request.action.startswith(
        "sts:AssumeRole"
    )
    if caller != owner:
        return identity and (by_name or by_account)
    if must_speak:
        return by_name or (by_account and identity)
    return identity or by_name


def _owner_of(request: EvalRequest) -> str | None:
    """The account whose resource it is: said by the ARN, or beside it, or the caller's own."""
    parts = request.resource.split(":")
    account = parts[4] if len(parts) > 4 else ""
    return request.account or account or request.principal_account


def _matching_statements(
    statements: Iterable[Statement], request: EvalRequest
) -> Iterator[Statement]:
    """Those statements that speak of the request's action and resource, conditions fulfilled."""
    for statement in statements:
        if (
            _speaks_of_action(statement, request.action)
            and _speaks_of_resource(statement, request)
            and holds(statement.conditions, request.context)
        ):
            yield statement


def _grants(
    statements: Iterable[Statement], request: EvalRequest
) -> Iterator[tuple[Statement, str]]:
    """The same for policies with principals, and how each of them speaks of the caller."""
    for statement in _matching_statements(statements, request):
        if statement.not_principals is not None:
            raise ExclusionError("NotPrincipal is not supported; list the principals")
        mention = _mention(statement.principals or {}, request)
        if mention:
            yield statement, mention


def _mention(principals: Principals, request: EvalRequest) -> str:
    """How a policy speaks of the caller; "" if it does not."""
    account = request.principal_account
    if "*" in principals.get("AWS", ()):
        return _BY_NAME
    if account is None:
        return _BY_NAME if request.principal in principals.get("Service", ()) else ""
    names = principals.get("AWS", ())
    if request.principal in names:
        return _BY_NAME
    partition = request.principal.split(":")[1]
    root = f"arn:{partition}:iam::{account}:root"
    return _BY_ACCOUNT if account in names or root in names else ""


def _speaks_of_action(statement: Statement, action: str) -> bool:
    if statement.not_actions:
        return not _fits(statement.not_actions, action)
    return _fits(statement.actions, action)


@lru_cache(maxsize=65_536)
def _fits(patterns: tuple[str, ...], action: str) -> bool:
    return any(matches(pattern.lower(), action.lower()) for pattern in patterns)


def _speaks_of_resource(statement: Statement, request: EvalRequest) -> bool:
    def fits(patterns: Sequence[str]) -> bool:
        return any(
            matches(filled(pattern, request.context), request.resource) for pattern in patterns
        )

    if statement.not_resources:
        return not fits(statement.not_resources)
    # Trust policies have no Resource: they speak of their own role.
    return not statement.resources or fits(statement.resources)
