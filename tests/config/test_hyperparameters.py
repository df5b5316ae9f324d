"""How a hyperparameter is spelled for Bedrock."""

import re
import tomllib
from collections.abc import Mapping
from math import isclose

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.catalogue import BaseModel, Hyperparameter, catalogue
from bedrock_tuning.config.hyperparameters import number, resolve, spell
from bedrock_tuning.config.reader import Problems, Section


def _resolved(lines: str, *, problems: Problems, model: BaseModel) -> Mapping[str, str]:
    section = Section(table=tomllib.loads(lines), path=("hyperparameters",), problems=problems)
    return resolve(section=section, model=model, type_="FINE_TUNING")


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


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("stepCount = 5", "5 is below the minimum 10 (Titan Image Generator G1 v2, source UG-hp): "
         'use 10 to 40000 or "auto"'),
        ("stepCount = 500\nbatchSize = 12", "12 is not a multiple of 8 (Titan Image Generator G1 "
         "v2, source UG-img): use, for example, 16"),
        ("stepCount = 500\nbatchSize = 0", "use 8 to 192 in steps of 8"),
        ('stepCount = 500\nbatchSize = "AUTO"', "Bedrock does not choose it by itself (Titan Image "
         "Generator G1 v2, source UG-hp): use 8 to 192 in steps of 8"),
        ("", "stepCount: is missing, Titan Image Generator G1 v2 has no default for it "
         '(sources UG-hp, S2): use 10 to 40000 or "auto"'),
    ],
)  # fmt: skip
def test_a_refused_value_comes_with_everything_that_is_allowed(line: str, problem: str) -> None:
    problems = Problems(file="customizations/pets.toml")
    _resolved(line, problems=problems, model=catalogue()["titan-image-generator-v2"])

    assert problem in "".join(problems.found)


def test_a_hyperparameter_of_words_takes_only_its_choices() -> None:
    effort = Hyperparameter(
        name="effort", type="string", choices=("low", "high"), default="low", source=("BC",)
    )
    model = msgspec.structs.replace(catalogue()["nova-micro"], hyperparameters={"effort": effort})
    problems = Problems(file="customizations/pets.toml")

    assert _resolved("", problems=problems, model=model) == {"effort": "low"}
    assert _resolved('effort = "high"', problems=problems, model=model) == {"effort": "high"}
    assert problems.found == []
    for line, refused in (('effort = "huge"', '"huge"'), ("effort = 3", "3")):
        _resolved(line, problems=problems, model=model)
        last = problems.found[-1]
        assert re.search(rf'effort: must be "low" or "high" \(.*\), not {refused}', last)
