"""Permissions in plain words: conditions, actions' access levels, names that people know."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from bedrock_tuning.contracts import Condition
from bedrock_tuning.review.iam.conditions import UnknownOperatorError, operator

_KEYS: Final = {
    "aws:sourceaccount": "the asking account",
    "aws:sourcearn": "what asks",
    "aws:resourceaccount": "the resource's account",
    "aws:securetransport": "over TLS",
    "aws:tagkeys": "the tags set",
    "iam:passedtoservice": "the role is passed to",
    "kms:viaservice": "through",
    "kms:encryptioncontext:aws:logs:arn": "the log group",
    "s3:prefix": "the prefix listed",
    "s3:tlsversion": "the TLS version",
    "ec2:subnet": "the subnet",
    "ec2:createaction": "while creating by",
}
_SIGNS: Final = {
    "StringEquals": "is",
    "StringEqualsIgnoreCase": "is",
    "StringLike": "is like",
    "ArnEquals": "is like",
    "ArnLike": "is like",
    "Bool": "is",
    "NumericLessThan": "is below",
    "NumericLessThanEquals": "is at most",
    "NumericGreaterThan": "is above",
    "NumericGreaterThanEquals": "is at least",
    "IpAddress": "is in",
}


def _key(key: str) -> str:
    known = _KEYS.get(key.casefold())
    if known:
        return known
    for start, words in (
        ("aws:requesttag/", "the tag given"),
        ("aws:resourcetag/", "the resource's tag"),
        ("ec2:resourcetag/", "the resource's tag"),
        ("aws:principaltag/", "the caller's tag"),
    ):
        if key.casefold().startswith(start):
            return f"{words} {key[len(start) :]}"
    return key


def condition_in_words(condition: Condition) -> str:
    """One condition: "the prefix listed is like pets-search/*"."""
    try:
        kind = operator(condition.operator)
    except UnknownOperatorError:
        return f"{condition.key} {condition.operator} {' or '.join(condition.values)}"
    key = _key(condition.key)
    if kind.base == "Null":
        return f"{key} is {'absent' if condition.values[0].lower() == 'true' else 'there'}"
    if kind.base == "Bool" and key == "over TLS":
        return key if condition.values[0].lower() == "true" else "not over TLS"
    sign = _SIGNS.get(kind.base, kind.base)
    if kind.negated:
        sign = sign.replace("is", "is not", 1)
    quantity = {"ForAllValues": "each of ", "ForAnyValue": "one of "}.get(kind.quantifier, "")
    absent = " (or there is none)" if kind.if_exists else ""
    joint = "" if key == "through" and not kind.negated else f" {sign}"
    return f"{quantity}{key}{joint} {' or '.join(condition.values)}{absent}"


def conditions_in_words(conditions: Sequence[Condition]) -> str:
    """All conditions of a statement: "if … and …", or "always"."""
    if not conditions:
        return "always"
    return "if " + " and ".join(sorted(condition_in_words(c) for c in conditions))


_LIST: Final = re.compile(r"^(list|describe(?!key))", re.IGNORECASE)
_READ: Final = re.compile(r"^(get|batchget|query|scan|lookup|describe|head|decrypt)", re.IGNORECASE)
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


def strongest(actions: Iterable[str]) -> str:
    """The strongest level among actions."""
    return min((access_level(a) for a in actions), key=LEVELS.index, default="list")
