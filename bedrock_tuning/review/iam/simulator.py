"""Decides one request as IAM would: identity, boundary, resource, trust, key, endpoint policies.

Small and strict: it knows what the templates use and raises on anything else, so that a proof can
never pass because something was not understood. An independent simulator agrees with it on
thousands of generated requests (tests/review/iam/test_oracle.py).

Not known here: service control policies, resource control policies and session policies of the
account, and resource policies outside of the templates. They can only take away.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from bedrock_tuning.review.iam.conditions import Context, filled, holds
from bedrock_tuning.review.iam.policy import Principals, Statement
from bedrock_tuning.review.iam.wildcards import matches

_BY_NAME: Final = "by name"
_BY_ACCOUNT: Final = "by account"
_FOR_EVERYBODY: Final = "for everybody"


class ExclusionError(ValueError):
    """A policy uses NotPrincipal, by which nothing is decided here; no contract contains it."""


class Decision(StrEnum):
    """How a request ends."""

    ALLOWED = "Allowed"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    EXPLICITLY_DENIED = "ExplicitlyDenied"

    def __bool__(self) -> bool:
        return self is Decision.ALLOWED


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """All that decides about a request.

    identity: of the caller. boundary: of the caller; None if it has none. resource: of the
    resource, or the trust policy when a role is to be assumed; None if it has none. endpoint: of
    the VPC endpoint that the request goes through; None if it goes through none.
    """

    identity: Sequence[Statement] = ()
    boundary: Sequence[Statement] | None = None
    resource: Sequence[Statement] | None = None
    endpoint: Sequence[Statement] | None = None


def decide(request: Request, policies: Policies) -> Decision:
    """The decision about one request."""
    identity = _effects(_applying(policies.identity, request))
    resource = list(_granting(policies.resource or (), request))
    # One that refuses ends it below.
    allowing = {how for _, how in resource}
    by_name, by_account = bool(allowing - {_BY_ACCOUNT}), _BY_ACCOUNT in allowing
    boundary = _effects(_applying(policies.boundary or (), request))
    endpoint = _effects(s for s, _ in _granting(policies.endpoint or (), request))
    effects = [*identity, *(s.effect for s, _ in resource), *boundary, *endpoint]
    if "Deny" in effects:
        return Decision.EXPLICITLY_DENIED
    if policies.endpoint is not None and "Allow" not in endpoint:
        return Decision.IMPLICITLY_DENIED
    # A user whom a resource of his account names is not held by his boundary's silence; a role is,
    # but for what everybody may do.
    direct = _BY_NAME in allowing and ":user/" in request.principal
    direct = direct or (_FOR_EVERYBODY in allowing and request.principal_account is not None)
    free = direct and _owner_of(request) == request.principal_account
    if policies.boundary is not None and "Allow" not in boundary and not free:
        return Decision.IMPLICITLY_DENIED
    allowed = _combined(
        request, identity="Allow" in identity, by_name=by_name, by_account=by_account
    )
    return Decision.ALLOWED if allowed else Decision.IMPLICITLY_DENIED


def _effects(statements: Iterable[Statement]) -> list[str]:
    return [statement.effect for statement in statements]


def _combined(request: Request, *, identity: bool, by_name: bool, by_account: bool) -> bool:
    own = request.principal_account
    if own is None:
        return by_name
    owner = _owner_of(request)
    # Nobody may use a key or become a role unless its own policy speaks of them.
    must_speak = request.action.split(":")[0] == "kms" or request.action.startswith(
        "sts:AssumeRole"
    )
    if own != owner:
        return identity and (by_name or by_account)
    if must_speak:
        return by_name or (by_account and identity)
    return identity or by_name


def _owner_of(request: Request) -> str | None:
    """The account whose resource it is: said by the ARN, or beside it, or the caller's own."""
    parts = request.resource.split(":")
    named = parts[4] if len(parts) > 4 else ""
    return request.account or named or request.principal_account


def _applying(statements: Iterable[Statement], request: Request) -> Iterator[Statement]:
    """Those statements that speak of the request's action and resource, conditions fulfilled."""
    for statement in statements:
        if (
            _speaks_of_action(statement, request.action)
            and _speaks_of_resource(statement, request)
            and holds(statement.conditions, request.context)
        ):
            yield statement


def _granting(statements: Iterable[Statement], request: Request) -> Iterator[tuple[Statement, str]]:
    """The same for policies with principals, and how each of them speaks of the caller."""
    for statement in _applying(statements, request):
        if statement.not_principals is not None:
            raise ExclusionError("NotPrincipal is not supported; list the principals")
        how = _speaks_of(statement.principals or {}, request)
        if how:
            yield statement, how


def _speaks_of(principals: Principals, request: Request) -> str:
    """How a policy speaks of the caller; "" if it does not."""
    account = request.principal_account
    if "*" in principals.get("AWS", ()):
        return _FOR_EVERYBODY
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


def _speaks_of_resource(statement: Statement, request: Request) -> bool:
    def fits(patterns: Sequence[str]) -> bool:
        return any(
            matches(filled(pattern, request.context), request.resource) for pattern in patterns
        )

    if statement.not_resources:
        return not fits(statement.not_resources)
    # Trust policies have no Resource: they speak of their own role.
    return not statement.resources or fits(statement.resources)
