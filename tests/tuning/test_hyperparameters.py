"""How a hyperparameter is spelled for Bedrock."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.hyperparameters import number, spell


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        (576, "576"), (5e-05, "0.00005"), (1e-07, "0.0000001"), (0.001, "0.001"), (1.0, "1"),
        (20.0, "20"), (100.0, "100"), (0.0, "0"), (2.5, "2.5"), ("Auto", "Auto"),
    ],
)  # fmt: skip
def test_numbers_are_plain_decimals_without_needless_zeros(
    value: int | float | str, spelling: str
) -> None:
    assert spell(value) == spelling


@given(st.floats(min_value=1e-12, max_value=1e12))
def test_no_spelling_has_an_exponent_or_loses_a_digit(value: float) -> None:
    assert set(spell(value)) <= set("0123456789.")
    assert float(spell(value)) == value or isclose(float(spell(value)), value, rel_tol=0)


def test_a_hyperparameter_that_bedrock_chooses_is_no_number() -> None:
    chosen = {"epochCount": "Auto", "batchSize": "8"}

    assert number(hyperparameters=chosen, name="epochCount") is None
    assert number(hyperparameters=chosen, name="missing") is None
    assert number(hyperparameters=chosen, name="batchSize") == 8.0
