"""Containment: a policy gives nothing beyond its contract and everything that is in it.

Allow statements only add up. So a policy lies inside a contract if each of its statements does, for
every action, every resource and every request that fulfils its conditions: no sampling, no gap.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from bedrock_tuning.contracts import Condition
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.iam.conditions import implies
from bedrock_tuning.review.iam.policy import Statement
from bedrock_tuning.review.iam.wildcards import contains
from bedrock_tuning.review.iam.wording import conditions_in_words


@lru_cache(maxsize=65_536)
def _action_inside(inner: str, outer: tuple[str, ...]) -> bool:
    return any(contains(pattern.lower(), inner.lower()) for pattern in outer)


@lru_cache(maxsize=65_536)
def _resource_inside(inner: str, outer: tuple[str, ...]) -> bool:
    return any(contains(pattern, inner) for pattern in outer)


def _principals_inside(inner: Statement, outer: Statement) -> bool:
    if inner.not_principals is not None:
        return False
    if inner.principals is None or outer.principals is None:
        return inner.principals == outer.principals
    return all(
        name in outer.principals.get(kind, ())
        for kind, names in inner.principals.items()
        for name in names
    )


def parts(statement: Statement) -> Iterator[tuple[str, str]]:
    """Every pair of action and resource; a trust policy speaks of its own role, "*"."""
    for action in statement.actions:
        for resource in statement.resources or ("*",):
            yield action, resource


def beyond(statements: Iterable[Statement], promises: Sequence[Statement]) -> Iterator[str]:
    """What statements of one effect say that no single promised statement contains: sentences."""
    for statement in statements:
        exclusions = [
            name
            for name, is_used in (
                ("NotAction", statement.not_actions),
                ("NotResource", statement.not_resources),
                ("NotPrincipal", statement.not_principals is not None),
            )
            if is_used
        ]
        if exclusions:
            names = " and ".join(exclusions)
            yield f"{statement.label}: {names} covers all that is not named, now and later"
            continue
        reasons_by_action: dict[str, list[str]] = {}
        for action, resource in parts(statement):
            reason = _why_outside(statement, action, resource, promises)
            if reason:
                reasons_by_action.setdefault(action, []).append(reason)
        for reasons in reasons_by_action.values():
            suffix = f" (and on {len(reasons) - 1} more)" if len(reasons) > 1 else ""
            yield f"{statement.label}: {reasons[0]}{suffix}"


def inside(statement: Statement, action: str, resource: str, promises: Sequence[Statement]) -> bool:
    """Whether one promised statement contains this part of a statement."""
    return not _why_outside(statement, action, resource, promises)


def _why_outside(
    statement: Statement, action: str, resource: str, promises: Sequence[Statement]
) -> str:
    """Why no promised statement contains this part; "" if one does. The nearest miss is told."""
    by_action = [promise for promise in promises if _action_inside(action, promise.actions)]
    if not by_action:
        return f"{action} is not in the contract"
    by_resource = [
        promise for promise in by_action if _resource_inside(resource, promise.resources or ("*",))
    ]
    if not by_resource:
        patterns = sorted({pattern for promise in by_action for pattern in promise.resources})
        return f"{action} on {resource}; the contract says {', '.join(patterns)}"
    by_principal = [promise for promise in by_resource if _principals_inside(statement, promise)]
    if not by_principal:
        return f"{action} for {_subjects(statement)}; the contract says {_subjects(*by_resource)}"
    if any(implies(statement.conditions, promise.conditions) for promise in by_principal):
        return ""
    limits = " or ".join(conditions_in_words(promise.conditions) for promise in by_principal)
    return (
        f"{action} on {resource} {conditions_in_words(statement.conditions)}; "
        f"the contract says {limits}"
    )


def _subjects(*statements: Statement) -> str:
    names = {
        f"{kind} {name}"
        for statement in statements
        for kind, ids in (statement.principals or statement.not_principals or {}).items()
        for name in ids
    }
    return ", ".join(sorted(names)) or "the role itself"


def short_of(promises: Iterable[Statement], statements: Sequence[Statement]) -> Iterator[str]:
    """What is promised and no single statement contains: sentences."""
    for promise in promises:
        for action, resource in parts(promise):
            is_granted = any(
                _action_inside(action, statement.actions)
                and _resource_inside(resource, statement.resources or ("*",))
                and _speaks_to_all(statement, promise)
                and implies(promise.conditions, statement.conditions)
                for statement in statements
                if not (statement.not_actions or statement.not_resources)
            )
            if not is_granted:
                condition = conditions_in_words(promise.conditions)
                yield f"{action} on {resource} {condition} is missing: {promise.sid}"


def _speaks_to_all(statement: Statement, promise: Statement) -> bool:
    """Whether a statement speaks to everybody that the promise names."""
    if "*" in (statement.principals or {}).get("AWS", ()):
        return True
    return _principals_inside(promise, statement)


def trust_beyond(
    statements: Sequence[Statement], service: str, conditions: Sequence[Condition]
) -> Iterator[str]:
    """How a trust policy lets anybody in but one service under its conditions: sentences.

    service: "" for this account, whose principals the conditions name.
    """
    root = f"arn:{identity.PARTITION}:iam::{identity.ACCOUNT}:root"
    promise = Statement(
        where="contract",
        sid="assume",
        effect="Allow",
        principals={"Service": (service,)} if service else {"AWS": (root,)},
        actions=("sts:AssumeRole",),
        conditions=tuple(conditions),
    )
    yield from beyond(
        [statement for statement in statements if statement.effect == "Allow"], [promise]
    )
    yield from short_of(
        [promise], [statement for statement in statements if statement.effect == "Allow"]
    )
