"""The optional network: every flaw is noticed by the check that is there for it."""

from collections.abc import Callable

import pytest

from bedrock_tuning.review import CHECKS
from tests.review.broken import Synthesized
from tests.review.mutants import network
from tests.review.mutants._mutant import Mutant

BY_ID = {check.id: check for check in CHECKS}


@pytest.fixture(scope="module")
def options(synthesized: Callable[[str], Synthesized]) -> Synthesized:
    """An environment with a network."""
    return synthesized("options")


@pytest.mark.parametrize("mutant", network.MUTANTS, ids=str)
def test_every_flaw_of_the_network_is_noticed(mutant: Mutant, options: Synthesized) -> None:
    copy = options.copy()
    mutant.change(copy)
    found = list(BY_ID[mutant.killer].run(options.evidence(copy.templates)))
    assert found, f"{mutant.killer} did not notice"
    assert not any("the check itself failed" in violation.what for violation in found)


def test_a_function_in_a_network_is_noticed_where_the_settings_say_nothing_of_one(
    dev: Synthesized,
) -> None:
    copy = dev.copy()
    copy.properties("pipeline/Functions/Merge/Function")["VpcConfig"] = {
        "SubnetIds": ["subnet-1"],
        "SecurityGroupIds": ["sg-1"],
    }
    assert [violation.check for violation in copy.violations()] == ["N905"]


def test_existing_subnets_that_the_settings_name_are_the_ones_that_functions_stand_in(
    synthesized: Callable[[str], Synthesized],
) -> None:
    copy = synthesized("subnets").copy()
    config = copy.properties("pipeline/Functions/Merge/Function")["VpcConfig"]
    config["SubnetIds"] = ["subnet-0123456789abcdef0", "subnet-0ffffffffffffffff"]
    assert {violation.check for violation in copy.violations()} == {"N905"}
