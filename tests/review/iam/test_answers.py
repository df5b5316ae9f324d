"""The engine's answers are those that were read and accepted."""

from tests.review.iam.answers import ANSWERS, written
from tests.support.accepted import lines_of


def test_each_combination_of_policies_is_answered_as_accepted() -> None:
    """After a change: `python -m tests.review.iam.answers`, then read the difference."""
    assert written().splitlines() == lines_of(ANSWERS)
