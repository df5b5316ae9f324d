"""Containment and meeting of patterns are exact: compared with the words that patterns describe."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.review.iam.wildcards import arn_contains, arn_matches, contains, matches, meets

PATTERNS = st.text(alphabet="ab*?", max_size=5)
# Long enough that a difference of patterns of five characters shows within.
WORDS = ["".join(word) for length in range(7) for word in itertools.product("abc", repeat=length)]


@pytest.mark.parametrize(
    ("outer", "inner", "inside"),
    [
        ("b/train/*", "b/train/x", True),
        ("b/train/*", "b/train/*/y", True),
        ("b/train/*", "b/train*", False),
        ("b/train*", "b/train/*", True),
        ("*", "anything*", True),
        ("a?c", "a*c", False),
        ("a*c", "a?c", True),
        ("a*", "*", False),
        ("a**", "a*", True),
        ("x*y*z", "x*z", False),
    ],
)
def test_one_pattern_contains_another(outer: str, inner: str, inside: bool) -> None:
    assert contains(outer, inner) is inside


@given(PATTERNS, PATTERNS)
def test_containment_agrees_with_all_short_words(outer: str, inner: str) -> None:
    every = all(matches(outer, word) for word in WORDS if matches(inner, word))
    if contains(outer, inner):
        assert every
    else:
        assert not every


@given(PATTERNS, PATTERNS)
def test_meeting_agrees_with_all_short_words(one: str, other: str) -> None:
    some = any(matches(one, word) and matches(other, word) for word in WORDS)
    # Two patterns of five characters without stars meet in a word of at most five; with stars of
    # at most ten, of which the words here are the shorter ones: found means met, not the reverse.
    if some:
        assert meets(one, other)
    if not meets(one, other):
        assert not some


@given(PATTERNS)
def test_every_pattern_contains_and_meets_itself(pattern: str) -> None:
    assert contains(pattern, pattern)
    assert meets(pattern, pattern)


def test_arns_are_compared_part_by_part() -> None:
    jobs = "arn:aws:bedrock:us-east-1:1:model-customization-job/*"
    assert arn_matches(jobs, "arn:aws:bedrock:us-east-1:1:model-customization-job/x/y")
    assert not arn_matches("arn:aws:bedrock:*", jobs)
    assert not arn_matches("arn:aws:*:job/x", "arn:aws:bedrock:us-east-1:1:job/x")
    assert arn_contains("arn:aws:bedrock:*:1:*", jobs)
    assert not arn_contains(jobs, "arn:aws:bedrock:us-east-1:1:*")
