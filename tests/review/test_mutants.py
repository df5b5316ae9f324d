"""Every committed flaw is noticed by the check that is there for it."""

from collections.abc import Iterator

import pytest

from bedrock_tuning.review import CHECKS
from bedrock_tuning.review.check import Evidence, Violation
from tests.review.broken import Synthesized
from tests.review.mutants import MUTANTS
from tests.review.mutants._mutant import Mutant

BY_ID = {check.id: check for check in CHECKS}
KILLED: dict[str, str] = {}


@pytest.fixture(scope="module", autouse=True)
def _report(request: pytest.FixtureRequest) -> Iterator[None]:
    """At the end of the module, with -v, which check killed which mutant."""
    yield
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and request.config.get_verbosity() > 0:
        reporter.write_line("")
        for name, by in KILLED.items():
            reporter.write_line(f"  {by}  {name}")


def _found_by(check_id: str, evidence: Evidence) -> list[Violation]:
    return list(BY_ID[check_id].run(evidence))


def test_there_is_nothing_to_find_before_something_is_broken(dev: Synthesized) -> None:
    assert [str(violation) for violation in dev.copy().violations()] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_every_flaw_is_noticed_by_its_check(mutant: Mutant, dev: Synthesized) -> None:
    copy = dev.copy()
    mutant.change(copy)
    found = _found_by(mutant.killer, dev.evidence(copy.templates))
    assert found, f"{mutant.killer} did not notice"
    assert not any("the check itself failed" in violation.what for violation in found)
    KILLED[mutant.name] = mutant.killer


def test_there_are_many_different_flaws_and_no_two_of_one_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 80


def test_every_check_has_a_flaw_that_only_it_is_named_for() -> None:
    without = set(BY_ID) - {mutant.killer for mutant in MUTANTS}
    # Those need other settings: test_variants.py, test_options.py and test_network.py break them.
    others = {check_id for check_id in BY_ID if check_id.startswith("N")}
    assert without <= others | {"A113", "M804", "P309", "P310", "W529", "S611"}
