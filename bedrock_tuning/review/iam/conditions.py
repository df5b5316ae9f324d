"""Conditions of policies: evaluated for one request, and compared for all requests at once."""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from operator import eq, ge, gt, le, lt
from typing import Any, Final

from bedrock_tuning.contracts import Condition
from bedrock_tuning.review.iam.wildcards import (
    arn_contains,
    arn_matches,
    contains,
    matches,
)

Context = Mapping[str, str | Sequence[str]]

# Never part of a real value: what a policy variable becomes when the request does not have it.
_MISSING: Final = "\0"
_VARIABLE: Final = re.compile(r"\$\{([^}]+)\}")


def _same(pattern: str, value: str) -> bool:
    return pattern == value


def _same_in_any_case(pattern: str, value: str) -> bool:
    return pattern.casefold() == value.casefold()


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d+", text):
        return datetime.fromtimestamp(int(text), UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _ordered(
    read: Callable[[str], Any], compare: Callable[[Any, Any], bool]
) -> Callable[[str, str], bool]:
    def test(pattern: str, value: str) -> bool:
        try:
            return compare(read(value), read(pattern))
        except ValueError:
            return False

    return test


def _in_network(pattern: str, value: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False


_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "Equals": eq,
    "LessThan": lt,
    "LessThanEquals": le,
    "GreaterThan": gt,
    "GreaterThanEquals": ge,
}
_TESTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "StringEquals": _same,
    "StringEqualsIgnoreCase": _same_in_any_case,
    "StringLike": matches,
    "ArnEquals": arn_matches,
    "ArnLike": arn_matches,
    "Bool": _same_in_any_case,
    "BinaryEquals": _same,
    "IpAddress": _in_network,
    **{
        f"{kind}{name}": _ordered(read, compare)
        for kind, read in (("Numeric", float), ("Date", _moment))
        for name, compare in _ORDERS.items()
    },
}
_OPPOSITES: Final = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
OPERATORS: Final = (*_TESTS, *_OPPOSITES)
QUANTIFIERS: Final = ("", "ForAllValues", "ForAnyValue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """An operator in its parts: ForAllValues:StringNotLikeIfExists."""

    quantifier: str
    base: str
    negated: bool
    if_exists: bool


class UnknownOperatorError(ValueError):
    """IAM has no such operator, or this review does not know it."""


@cache
def operator(name: str) -> Operator:
    """Takes an operator's name apart; raises UnknownOperatorError."""
    quantifier, _, rest = name.rpartition(":")
    base = rest.removesuffix("IfExists")
    known = base in OPERATORS or rest == "Null"
    if quantifier not in QUANTIFIERS or not known:
        raise UnknownOperatorError(name)
    return Operator(
        quantifier=quantifier,
        base=_OPPOSITES.get(base, base),
        negated=base in _OPPOSITES,
        if_exists=rest != base,
    )


def lookup(context: Context, key: str) -> str | Sequence[str] | None:
    """A request's value under a key, which is compared in any case."""
    found = context.get(key)
    if found is not None:
        return found
    wanted = key.casefold()
    return next((v for k, v in context.items() if k.casefold() == wanted), None)


def filled(pattern: str, context: Context) -> str:
    """A pattern with its policy variables replaced by the request's values."""
    if "${" not in pattern:
        return pattern

    def value(match: re.Match[str]) -> str:
        name, _, default = match[1].partition(",")
        if name in ("*", "?", "$"):
            return name
        found = lookup(context, name.strip())
        if isinstance(found, str):
            return found
        return default.strip().strip("'") if default else _MISSING

    return _VARIABLE.sub(value, pattern)


def holds(conditions: Sequence[Condition], context: Context) -> bool:
    """Whether a request fulfils all of the conditions; raises UnknownOperatorError."""
    return all(_holds(condition, context) for condition in conditions)


def _holds(condition: Condition, context: Context) -> bool:
    kind = operator(condition.operator)
    value = lookup(context, condition.key)
    if kind.base == "Null":
        return (value is None) == (condition.values[0].lower() == "true")
    values = [value] if isinstance(value, str) else list(value or ())
    if not values:
        return (
            kind.if_exists
            or kind.quantifier == "ForAllValues"
            or (kind.negated and kind.quantifier != "ForAnyValue")
        )
    patterns = [filled(pattern, context) for pattern in condition.values]
    test = _TESTS[kind.base]

    def fits(single: str) -> bool:
        return any(test(pattern, single) for pattern in patterns) != kind.negated

    if kind.quantifier == "ForAllValues":
        return all(map(fits, values))
    if kind.quantifier == "ForAnyValue":
        return any(map(fits, values))
    # Without a quantifier IAM compares single values only.
    return len(values) == 1 and fits(values[0])


def implies(strong: Sequence[Condition], weak: Sequence[Condition]) -> bool:
    """Whether every request that fulfils all of `strong` surely fulfils all of `weak`.

    Exact for the operators that contracts use; in doubt, False.
    """
    return all(any(_implies(s, w) for s in strong) for w in weak)


def _implies(strong: Condition, weak: Condition) -> bool:
    if strong.key.casefold() != weak.key.casefold():
        return False
    if strong.operator == weak.operator and strong.values == weak.values:
        return True
    try:
        one, other = operator(strong.operator), operator(weak.operator)
    except UnknownOperatorError:
        return False
    if "Null" in (one.base, other.base) or one.negated != other.negated:
        return False
    if one.quantifier != other.quantifier or (one.if_exists and not other.if_exists):
        return False
    if any("${" in value for value in (*strong.values, *weak.values)):
        return False
    if one.negated:
        return one.base == other.base and set(weak.values) <= set(strong.values)
    return all(any(_within(one, s, other, w) for w in weak.values) for s in strong.values)


_ARNS: Final = ("ArnEquals", "ArnLike")


def _within(one: Operator, inner: str, other: Operator, outer: str) -> bool:
    """Whether every value that `one` accepts for `inner` is accepted by `other` for `outer`."""
    if one.base == "StringEquals":
        return _TESTS[other.base](outer, inner)
    if one.base in _ARNS and other.base in _ARNS:
        return arn_contains(outer, inner)
    if one.base != other.base:
        return False
    if one.base == "StringLike":
        return contains(outer, inner)
    return _same_in_any_case(inner, outer) if one.base == "Bool" else inner == outer
