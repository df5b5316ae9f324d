"""Names of two things never become one: whatever we derive from them stays different."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning import s3_layout
from bedrock_tuning.config.names import (
    CUSTOMIZATION_LENGTH_MAX,
    ENVIRONMENT_LENGTH_MAX,
    NAME,
    RESERVED,
    TOGETHER_MAX,
    customization_problem,
    environment_problem,
    stack_name,
)
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts.bucket_access import role_name
from bedrock_tuning.contracts.construct_names import export_name
from bedrock_tuning.contracts.contract import parameter_prefix, role_path, settings_name
from bedrock_tuning.run.job import PATTERNS

RUN: Final = "20261121-093000-3f9a1c"
NAMES: Final = st.sets(
    st.from_regex(NAME, fullmatch=True).filter(lambda name: not customization_problem(name))
    # Near each other: they differ by hyphens, or one is the beginning of another.
    | st.text("ab1-", min_size=1, max_size=6).filter(lambda name: not customization_problem(name)),
    max_size=12,
)
ENVIRONMENTS: Final = st.sets(
    st.text("ab1-", min_size=2, max_size=6).filter(lambda name: not environment_problem(name, ())),
    min_size=1,
    max_size=5,
).filter(lambda names: not any(environment_problem(name, names) for name in names))


def _long_prefix(environment: str) -> Settings:
    """Names of roles that are too long for IAM end in a hash."""
    return Settings(name=environment, region="us-east-1", role_name_prefix="ml-platform-team-")


# What is derived from an environment and a customization.
DERIVED: Final[Mapping[str, Callable[[str, str], str]]] = {
    "the stack": stack_name,
    "jobs and models": lambda e, c: f"{e}-{c}-{RUN}",
    "endpoints": lambda e, c: f"{e}-{c}-3f9a1c00",
    "the settings' parameter": settings_name,
    "pointers": lambda e, c: f"{parameter_prefix(e)}/{c}/model",
    "roles": lambda e, c: role_name(_long_prefix(e), f"bedrock.{c}"),
}


@given(environments=ENVIRONMENTS, names=NAMES)
def test_what_is_derived_from_two_names_is_never_the_same(
    environments: set[str], names: set[str]
) -> None:
    pairs = list(product(environments, names))
    platform = {stack_name(each, part) for each in environments for part in RESERVED}
    for what, derive in DERIVED.items():
        assert len({derive(*pair) for pair in pairs}) == len(pairs), what
    assert not platform & {stack_name(*pair) for pair in pairs}
    assert len(platform) == len(environments) * len(RESERVED)


@given(environments=ENVIRONMENTS)
def test_no_path_or_prefix_of_an_environment_is_inside_of_another_ones(
    environments: set[str],
) -> None:
    for derive in (
        lambda each: role_path(Settings(name=each, region="us-east-1"), "start"),
        lambda each: f"{parameter_prefix(each)}/",
        lambda each: stack_name(each, ""),
        lambda each: export_name(each, "training"),
    ):
        found = [derive(each) for each in environments]
        assert not [(a, b) for a, b in product(found, found) if a != b and b.startswith(a)]


@given(names=NAMES)
def test_no_folder_of_a_customization_is_inside_of_another_ones(names: set[str]) -> None:
    for derive in (s3_layout.folder, s3_layout.jobs_prefix, s3_layout.manifests_prefix):
        found = [derive(each) for each in names]
        assert not [(a, b) for a, b in product(found, found) if a != b and b.startswith(a)]


@pytest.mark.parametrize("name", RESERVED)
def test_a_reserved_name_is_refused_with_the_reason(name: str) -> None:
    problem = customization_problem(name)
    assert f"the stack tuning-ENVIRONMENT-{name} is one of the platform's" in problem
    assert "rename the file" in problem


def test_the_longest_names_fit_into_bedrocks() -> None:
    environment = "e" * ENVIRONMENT_LENGTH_MAX
    for length in (CUSTOMIZATION_LENGTH_MAX, TOGETHER_MAX - ENVIRONMENT_LENGTH_MAX):
        job = f"{environment[: TOGETHER_MAX - length]}-{'c' * length}-{RUN}"
        assert len(job) == PATTERNS["jobName"][1]
