"""Decides one request as IAM would: identity, boundary, resource, trust, key, endpoint policies.

Small and strict: it knows what the templates use and raises on anything else, so that a proof can
never pass because something was not understood. An independent simulator agrees with it on
thousands of generated requests (tests/review/test_oracle.py).

Not known here: service control policies, resource control policies and session policies of the
account, and resource policies outside of the templates. They can only take away.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from review.conditions import Context, filled, holds
from review.globs import matches
from review.policy import Principals, Statement


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
    identity = [s.effect for s in _applying(policies.identity, request)]
    resource = list(_granting(policies.resource or (), request))
    limits = [
        [s.effect for s in _applying(limit, request)]
        for limit in (policies.boundary,)
        if limit is not None
    ]
    if policies.endpoint is not None:
        limits.append([s.effect for s, _ in _granting(policies.endpoint, request)])
    effects = [*identity, *(s.effect for s, _ in resource), *(e for limit in limits for e in limit)]
    if "Deny" in effects:
        return Decision.EXPLICITLY_DENIED
    if any("Allow" not in limit for limit in limits):
        return Decision.IMPLICITLY_DENIED
    by_name = any(s.effect == "Allow" and named for s, named in resource)
    by_account = any(s.effect == "Allow" and not named for s, named in resource)
    allowed = _combined(
        request, identity="Allow" in identity, by_name=by_name, by_account=by_account
    )
    return Decision.ALLOWED if allowed else Decision.IMPLICITLY_DENIED


def _combined(request: Request, *, identity: bool, by_name: bool, by_account: bool) -> bool:
    own = request.principal_account
    if own is None:
        return by_name
    owner = request.account or _owner(request.resource) or own
    # Nobody may use a key or become a role unless its own policy speaks of them.
    must_speak = request.action.split(":")[0] == "kms" or request.action.startswith(
        "sts:AssumeRole"
    )
    if own != owner:
        return identity and (by_name or by_account)
    if must_speak:
        return by_name or (by_account and identity)
    return identity or by_name


def _owner(resource: str) -> str:
    parts = resource.split(":")
    return parts[4] if len(parts) > 4 else ""


def _applying(statements: Iterable[Statement], request: Request) -> Iterator[Statement]:
    """Those statements that speak of the request's action and resource, conditions fulfilled."""
    for statement in statements:
        if (
            _speaks_of_action(statement, request.action)
            and _speaks_of_resource(statement, request)
            and holds(statement.conditions, request.context)
        ):
            yield statement


def _granting(
    statements: Iterable[Statement], request: Request
) -> Iterator[tuple[Statement, bool]]:
    """The same for policies with principals; True: the caller is named, False: its account is."""
    for statement in _applying(statements, request):
        if statement.not_principals is not None:
            raise NotImplementedError("NotPrincipal")
        if statement.principals is None:
            yield statement, True
            continue
        named = _speaks_of(statement.principals, request)
        if named is not None:
            yield statement, named


def _speaks_of(principals: Principals, request: Request) -> bool | None:
    account = request.principal_account
    if "*" in principals.get("AWS", ()):
        return True
    if account is None:
        return True if request.principal in principals.get("Service", ()) else None
    names = principals.get("AWS", ())
    if request.principal in names:
        return True
    partition = request.principal.split(":")[1]
    if account in names or f"arn:{partition}:iam::{account}:root" in names:
        return False
    return None


def _speaks_of_action(statement: Statement, action: str) -> bool:
    def fits(patterns: Sequence[str]) -> bool:
        return any(matches(pattern.lower(), action.lower()) for pattern in patterns)

    return not fits(statement.not_actions) if statement.not_actions else fits(statement.actions)


def _speaks_of_resource(statement: Statement, request: Request) -> bool:
    def fits(patterns: Sequence[str]) -> bool:
        return any(
            matches(filled(pattern, request.context), request.resource) for pattern in patterns
        )

    if statement.not_resources:
        return not fits(statement.not_resources)
    # Trust policies have no Resource: they speak of their own role.
    return not statement.resources or fits(statement.resources)
