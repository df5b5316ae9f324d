"""Permissions as IAM writes them: each grant is a statement, named after why it is there."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from bedrock_tuning.contracts.contract import Condition, Grant

Fill = Callable[[str], str]
_ARTICLES: Final = ("a", "an", "the")


def conditions_block(conditions: Iterable[Condition], fill: Fill) -> dict[str, dict[str, Any]]:
    """Conditions as IAM writes them. fill: replaces placeholders."""
    block: dict[str, dict[str, Any]] = {}
    for c in conditions:
        block.setdefault(c.operator, {})[c.key] = _one_or_all(list(map(fill, c.values)))
    return block


def statement_block(grant: Grant, fill: Fill) -> dict[str, Any]:
    """A permission as IAM writes it, without whom it speaks of. fill: replaces placeholders."""
    block: dict[str, Any] = {
        "Effect": grant.effect,
        "Action": _one_or_all(grant.actions),
        "Resource": _one_or_all(list(map(fill, grant.resources))),
    }
    conditions = conditions_block(grant.conditions, fill)
    return {**block, "Condition": conditions} if conditions else block


def whom(grant: Grant, fill: Fill) -> dict[str, Any]:
    """Of whom a resource's own policy speaks: services, this account, or, to refuse, everybody."""
    if grant.services:
        return {"Service": _one_or_all(list(map(fill, grant.services)))}
    if grant.everybody_here:
        return {"AWS": fill("arn:{partition}:iam::{account}:root")}
    if grant.effect == "Deny":
        return {"AWS": "*"}
    raise ValueError(f"{grant.why}: a policy of a resource has to say to whom")


def document(permissions: Iterable[Grant], fill: Fill, **more: Any) -> dict[str, Any]:
    """A whole policy. fill: replaces placeholders. more: what each statement has besides."""
    statements = [
        {"Sid": sid, **more, **statement_block(grant, fill)} for sid, grant in named(permissions)
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def named(permissions: Iterable[Grant]) -> Iterator[tuple[str, Grant]]:
    """Permissions with Sids that are unique in their policy."""
    counts: Counter[str] = Counter()
    for grant in permissions:
        sid = statement_id(grant.why)
        counts[sid] += 1
        yield (f"{sid}{counts[sid]}" if counts[sid] > 1 else sid), grant


def statement_id(why: str) -> str:
    """The Sid of a permission: the words of its reason without articles."""
    words = re.findall(r"[A-Za-z0-9]+", why.replace("'", ""))
    return "".join(f"{word[0].upper()}{word[1:]}" for word in words if word not in _ARTICLES)


def _one_or_all(values: Sequence[str]) -> Any:
    return values[0] if len(values) == 1 else list(values)
