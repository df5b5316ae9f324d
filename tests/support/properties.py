"""How many examples a property is tried with, in proportion to the chosen Hypothesis profile."""

from typing import Any

from hypothesis import settings

USUAL = 100
LEAST = 10


def examples(number: int, **more: Any) -> settings:
    """So many examples in `make test`, a tenth in `make test-fast`, ten times in `make test-deep`.

    The profiles are in tests/conftest.py.
    """
    share = settings.default.max_examples / USUAL
    return settings(max_examples=max(LEAST, int(number * share)), **more)
