"""Conditions hold as IAM's do, and one implies another only when no request shows otherwise."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.contracts import Condition
from bedrock_tuning.review.iam.conditions import (
    OPERATORS,
    QUANTIFIERS,
    UnknownOperatorError,
    holds,
    implies,
    operator,
)
from tests.review.iam.probes import sample

ACCOUNT = "111122223333"


def _c(name: str, key: str, *values: str) -> Condition:
    return Condition(operator=name, key=key, values=values)


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        (_c("StringEquals", "k", "a", "b"), "b", True),
        (_c("StringEquals", "k", "a"), "A", False),
        (_c("StringEqualsIgnoreCase", "k", "a"), "A", True),
        (_c("StringLike", "k", "pets/*"), "pets/x", True),
        (_c("StringLike", "k", "pets/*"), "petsx", False),
        (_c("StringNotEquals", "k", "a"), "b", True),
        (_c("StringNotEquals", "k", "a"), None, True),
        (_c("StringEquals", "k", "a"), None, False),
        (_c("StringEqualsIfExists", "k", "a"), None, True),
        (_c("StringEqualsIfExists", "k", "a"), "b", False),
        (_c("ArnLike", "k", "arn:aws:s3:::b*"), "arn:aws:s3:::bucket", True),
        (_c("ArnNotLike", "k", "arn:aws:s3:::b*"), "arn:aws:s3:::bucket", False),
        (_c("Bool", "k", "false"), "false", True),
        (_c("NumericLessThan", "k", "1.2"), "1.1", True),
        (_c("NumericLessThan", "k", "1.2"), "1.2", False),
        (_c("NumericLessThan", "k", "1.2"), "old", False),
        (_c("NumericGreaterThanEquals", "k", "3"), "3", True),
        (_c("DateLessThan", "k", "2026-01-01T00:00:00Z"), "2025-12-31T00:00:00Z", True),
        (_c("DateGreaterThan", "k", "0"), "2025-12-31T00:00:00Z", True),
        (_c("IpAddress", "k", "10.0.0.0/8"), "10.1.2.3", True),
        (_c("NotIpAddress", "k", "10.0.0.0/8"), "10.1.2.3", False),
        (_c("IpAddress", "k", "10.0.0.0/8"), "nowhere", False),
        (_c("Null", "k", "true"), None, True),
        (_c("Null", "k", "false"), "x", True),
        (_c("ForAllValues:StringEquals", "k", "a", "b"), ["a", "b"], True),
        (_c("ForAllValues:StringEquals", "k", "a"), ["a", "c"], False),
        (_c("ForAllValues:StringEquals", "k", "a"), None, True),
        (_c("ForAnyValue:StringEquals", "k", "a"), ["c", "a"], True),
        (_c("ForAnyValue:StringEquals", "k", "a"), None, False),
        (_c("StringEquals", "k", "a"), ["a", "b"], False),
        (_c("StringEquals", "k", "${other}"), "there", True),
        (_c("StringEquals", "k", "${none}"), "there", False),
        (_c("StringEquals", "k", "${none, 'there'}"), "there", True),
    ],
)
def test_a_condition_holds(
    condition: Condition, value: str | Sequence[str] | None, expected: bool
) -> None:
    context: dict[str, str | Sequence[str]] = {"other": "there"}
    if value is not None:
        context["K"] = value
    assert holds([condition], context) is expected


@pytest.mark.parametrize("name", ["StringEqual", "ForSomeValues:StringEquals", "NullIfExists", ""])
def test_an_operator_that_does_not_exist_is_not_guessed_at(name: str) -> None:
    with pytest.raises(UnknownOperatorError):
        operator(name)


@pytest.mark.parametrize(
    ("strong", "weak", "expected"),
    [
        (_c("StringEquals", "k", "a"), _c("StringEquals", "K", "a", "b"), True),
        (_c("StringEquals", "k", "a", "b"), _c("StringEquals", "k", "a"), False),
        (_c("StringEquals", "k", "a/x"), _c("StringLike", "k", "a/*"), True),
        (_c("StringLike", "k", "a/b/*"), _c("StringLike", "k", "a/*"), True),
        (_c("StringLike", "k", "a*"), _c("StringLike", "k", "a/*"), False),
        (_c("StringLike", "k", "a"), _c("StringEquals", "k", "a"), False),
        (_c("StringEquals", "k", "a"), _c("StringEqualsIfExists", "k", "a"), True),
        (_c("StringEqualsIfExists", "k", "a"), _c("StringEquals", "k", "a"), False),
        (_c("ArnLike", "k", "arn:aws:s3:::b"), _c("ArnLike", "k", "arn:aws:s3:::*"), True),
        (_c("StringEquals", "k", "arn:aws:s3:::b"), _c("ArnLike", "k", "arn:aws:s3:::*"), True),
        (_c("StringLike", "k", "arn:aws:s3:*"), _c("ArnLike", "k", "arn:aws:s3:::*"), False),
        (_c("ForAllValues:StringEquals", "k", "a"), _c("StringEquals", "k", "a"), False),
        (_c("StringNotEquals", "k", "a", "b"), _c("StringNotEquals", "k", "a"), True),
        (_c("StringNotEquals", "k", "a"), _c("StringNotEquals", "k", "a", "b"), False),
        (_c("StringEquals", "j", "a"), _c("StringEquals", "k", "a"), False),
        (_c("NumericLessThan", "k", "1"), _c("NumericLessThan", "k", "1.2"), False),
        (_c("Bool", "k", "false"), _c("Bool", "k", "False"), True),
        (_c("StringEquals", "k", "${a}"), _c("StringLike", "k", "*"), False),
    ],
)
def test_implication(strong: Condition, weak: Condition, expected: bool) -> None:
    assert implies([strong], [weak]) is expected


MIDNIGHT = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("strong", "weak", "value"),
    [
        ("ArnNotLike", "StringNotLike", ("arn:*:s3:::b", "arn:aws:x:s3:::b")),
        ("ArnNotEquals", "StringNotLike", ("arn:*:s3:::b", "arn:aws:x:s3:::b")),
        ("StringNotEquals", "StringNotLike", ("a*", "ab")),
        ("StringNotEquals", "ArnNotLike", ("arn:aws:s3:::*", "arn:aws:s3:::b")),
        ("StringNotEquals", "StringNotEqualsIgnoreCase", ("a", "A")),
        ("StringNotLike", "StringNotEqualsIgnoreCase", ("a", "A")),
        ("StringNotEquals", "NumericNotEquals", ("1", "1.0")),
        ("StringNotEquals", "DateNotEquals", (MIDNIGHT, "2026-01-01T00:00:00+00:00")),
        ("StringNotEquals", "NotIpAddress", ("10.0.0.0/8", "10.1.2.3")),
        ("NotIpAddress", "StringNotEquals", ("10.0.0.0/8", "10.0.0.0/8")),
        ("StringNotEquals", "StringEquals", ("a", "b")),
        ("StringEquals", "StringNotEquals", ("a", "a")),
    ],
)
def test_a_refusal_of_one_kind_implies_none_of_another(
    strong: str, weak: str, value: tuple[str, str]
) -> None:
    pattern, witness = value
    one, other = _c(strong, "k", pattern), _c(weak, "k", pattern)
    assert holds([one], {"k": witness})
    assert not holds([other], {"k": witness})
    assert not implies([one], [other])


_NAMES = st.sampled_from(
    [
        "StringEquals",
        "StringLike",
        "StringNotEquals",
        "StringEqualsIfExists",
        "StringLikeIfExists",
        "StringEqualsIgnoreCase",
        "ForAllValues:StringLike",
        "ForAnyValue:StringEquals",
        "Null",
    ]
)
_VALUES = st.lists(st.sampled_from(["a", "b", "A", "a*", "*", "true"]), min_size=1, max_size=2)
_CONDITIONS = st.builds(
    lambda name, values: Condition(operator=name, key="k", values=tuple(values)), _NAMES, _VALUES
)


@given(_CONDITIONS, _CONDITIONS, st.sampled_from([None, "a", "b", "A", "ab", "true", ["a", "b"]]))
def test_what_is_implied_holds_for_every_request(
    strong: Condition, weak: Condition, value: str | list[str] | None
) -> None:
    context = {} if value is None else {"k": value}
    if implies([strong], [weak]) and holds([strong], context):
        assert holds([weak], context)


PATTERNS = {
    "Arn": "arn:aws:s3:::pets-*/?",
    "Bool": "true",
    "Date": MIDNIGHT,
    "Ip": "10.0.0.0/8",
    "NotIp": "10.0.0.0/8",
    "Numeric": "5",
    "Binary": "cGV0cw==",
    "String": "pets-*",
}


@pytest.mark.parametrize("if_exists", ["", "IfExists"])
@pytest.mark.parametrize("quantifier", QUANTIFIERS)
@pytest.mark.parametrize("name", OPERATORS)
def test_a_sample_fulfils_its_condition(name: str, quantifier: str, if_exists: str) -> None:
    pattern = next(text for start, text in PATTERNS.items() if name.startswith(start))
    full = f"{quantifier}:{name}{if_exists}".removeprefix(":")
    condition = _c(full, "k", pattern)
    key, value = sample(condition)
    assert holds([condition], {} if value is None else {key: value})


@pytest.mark.parametrize("absent", ["true", "false"])
def test_a_sample_is_there_or_not_as_null_says(absent: str) -> None:
    condition = _c("Null", "k", absent)
    key, value = sample(condition)
    assert holds([condition], {} if value is None else {key: value})
