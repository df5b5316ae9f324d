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


def _is_same(pattern: str, value: str) -> bool:
    return pattern == value


def _is_same_in_any_case(pattern: str, value: str) -> bool:
    return pattern.casefold() == value.casefold()


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d+", text):
        return datetime.fromtimestamp(int(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _comparison(
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
    "StringEquals": _is_same,
    "StringEqualsIgnoreCase": _is_same_in_any_case,
    "StringLike": matches,
    "ArnEquals": arn_matches,
    "ArnLike": arn_matches,
    "Bool": _is_same_in_any_case,
    "BinaryEquals": _is_same,
    "IpAddress": _in_network,
    **{
        f"{kind}{name}": _comparison(read, compare)
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
    quantifier, _, comparison = name.rpartition(":")
    base = comparison.removesuffix("IfExists")
    is_known = base in OPERATORS or comparison == "Null"
    if quantifier not in QUANTIFIERS or not is_known:
        raise UnknownOperatorError(name)
    return Operator(
        quantifier=quantifier,
        base=_OPPOSITES.get(base, base),
        negated=base in _OPPOSITES,
        if_exists=comparison != base,
    )


def lookup(context: Context, key: str) -> str | Sequence[str] | None:
    """A request's value under a key, which is compared in any case."""
    value = context.get(key)
    if value is not None:
        return value
    folded_key = key.casefold()
    return next((value for name, value in context.items() if name.casefold() == folded_key), None)


def filled(pattern: str, context: Context) -> str:
    """A pattern with its policy variables replaced by the request's values."""
    if "${" not in pattern:
        return pattern

    def value(match: re.Match[str]) -> str:
        name, _, default = match[1].partition(",")
        if name in ("*", "?", "$"):
            return name
        request_value = lookup(context, name.strip())
        if isinstance(request_value, str):
            return request_value
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

    def fits(item: str) -> bool:
        return any(test(pattern, item) for pattern in patterns) != kind.negated

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
    return all(any(_implies(condition, required) for condition in strong) for required in weak)


def _implies(premise: Condition, conclusion: Condition) -> bool:
    if premise.key.casefold() != conclusion.key.casefold():
        return False
    if premise.operator == conclusion.operator and premise.values == conclusion.values:
        return True
    try:
        inner, outer = operator(premise.operator), operator(conclusion.operator)
    except UnknownOperatorError:
        return False
    if "Null" in (inner.base, outer.base) or inner.negated != outer.negated:
        return False
    if inner.quantifier != outer.quantifier or (inner.if_exists and not outer.if_exists):
        return False
    if any("${" in value for value in (*premise.values, *conclusion.values)):
        return False
    if inner.negated:
        return inner.base == outer.base and set(conclusion.values) <= set(premise.values)
    return all(
        any(_within(inner, value, outer, limit) for limit in conclusion.values)
        for value in premise.values
    )


_ARNS: Final = ("ArnEquals", "ArnLike")


def _within(inner_operator: Operator, inner: str, outer_operator: Operator, outer: str) -> bool:
    """Whether the outer operator accepts for `outer` what the inner one accepts for `inner`."""
    if inner_operator.base == "StringEquals":
        return _TESTS[outer_operator.base](outer, inner)
    if inner_operator.base in _ARNS and outer_operator.base in _ARNS:
        return arn_contains(outer, inner)
    if inner_operator.base != outer_operator.base:
        return False
    if inner_operator.base == "StringLike":
        return contains(outer, inner)
    return _is_same_in_any_case(inner, outer) if inner_operator.base == "Bool" else inner == outer
