"""Permissions as IAM has them, made readable: conditions, and how strong actions are."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from bedrock_tuning.contracts import Condition
from bedrock_tuning.review.assembly.identity import ACCOUNT
from bedrock_tuning.review.iam.conditions import UnknownOperatorError, operator

# What is true of the request's value; the second sign is the negated operator's.
_SIGNS: Final = {
    "StringLike": ("like", "not like"),
    "ArnEquals": ("like", "not like"),
    "ArnLike": ("like", "not like"),
    "StringEqualsIgnoreCase": ("= (any case)", "≠ (any case)"),
    "NumericLessThan": ("<", "≥"),
    "NumericLessThanEquals": ("≤", ">"),
    "NumericGreaterThan": (">", "≤"),
    "NumericGreaterThanEquals": ("≥", "<"),
    "IpAddress": ("in", "not in"),
}
# How a reader gets from the words back to the policy.
LEGEND: Final = (
    "Conditions stand for IAM's operators: “=” for StringEquals and Bool, “like” for StringLike, "
    "ArnLike and ArnEquals, “absent” and “present” for Null, “(or absent)” for …IfExists."
)


def condition_in_words(condition: Condition) -> str:
    """One condition: key, operator, values: "s3:prefix like pets-search/*"."""
    values = " or ".join(
        "this account" if value == ACCOUNT else value for value in condition.values
    )
    try:
        parts = operator(condition.operator)
    except UnknownOperatorError:
        return f"{condition.key} {condition.operator} {values}"
    if parts.base == "Null":
        return f"{condition.key} {'absent' if condition.values[0].lower() == 'true' else 'present'}"
    sign = _SIGNS.get(parts.base, ("=", "≠"))[parts.negated]
    quantity = {"ForAllValues": "every value of ", "ForAnyValue": "some value of "}
    absent = " (or absent)" if parts.if_exists else ""
    return f"{quantity.get(parts.quantifier, '')}{condition.key} {sign} {values}{absent}"


def conditions_in_words(conditions: Sequence[Condition]) -> str:
    """All conditions of a statement: "if … and …", or "without conditions"."""
    if not conditions:
        return "without conditions"
    return "if " + " and ".join(sorted(condition_in_words(condition) for condition in conditions))


_LIST: Final = re.compile(r"^(list|describe(?!key))", re.IGNORECASE)
_READ: Final = re.compile(
    r"^(get|batchget|query|scan|filter|lookup|describe|head|receive|decrypt)", re.IGNORECASE
)
_PERMISSIONS: Final = re.compile(
    r"(policy|passrole|permission|grant|acl|assumerole)", re.IGNORECASE
)
_TAGGING: Final = re.compile(r"^(tag|untag)", re.IGNORECASE)
_USE: Final = re.compile(r"^(invoke|startexecution|publish|sendmessage)", re.IGNORECASE)


def access_level(action: str) -> str:
    """How strong an action is: list, read, write, tag, run, use key or permissions; all for "*".

    By the verbs of AWS's own action names; IAM's published levels call publishing and invoking
    "write", which says less.
    """
    service, _, name = action.partition(":")
    if name in ("", "*"):
        return "all"
    if _PERMISSIONS.search(name):
        return "permissions"
    if service.lower() == "kms":
        return "use key"
    for pattern, level in ((_LIST, "list"), (_READ, "read"), (_TAGGING, "tag"), (_USE, "run")):
        if pattern.search(name):
            return level
    return "write"


LEVELS: Final = ("all", "permissions", "write", "tag", "run", "use key", "read", "list")


def by_level(actions: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Actions by their levels, the strongest first: one who reads what it writes does both."""
    actions_by_level: dict[str, list[str]] = {}
    for action in actions:
        actions_by_level.setdefault(access_level(action), []).append(action)
    return [
        (level, tuple(actions_by_level[level])) for level in LEVELS if level in actions_by_level
    ]
