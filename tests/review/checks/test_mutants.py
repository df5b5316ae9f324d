"""Every committed flaw is noticed by the check that is there for it, and every finding has one."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from bedrock_tuning.review import CHECKS
from bedrock_tuning.review.check import Check, Violation
from tests.review.broken import Copy, Synthesized
from tests.review.changes import leaves
from tests.review.checks.finding_lines import Line, finding_lines, recorded
from tests.review.mutants import MUTANTS
from tests.review.mutants._mutant import Mutant

BY_ID = {check.id: check for check in CHECKS}
KILLED: dict[str, str] = {}
RAN: set[Line] = set()
Notice = Callable[[Mutant], list[Violation]]


@pytest.fixture(scope="module", autouse=True)
def _report(request: pytest.FixtureRequest) -> Iterator[None]:
    """At the end of the module, with -v, which check killed which mutant."""
    yield
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and request.config.get_verbosity() > 0:
        reporter.write_line("")
        for name, by in KILLED.items():
            reporter.write_line(f"  {by}  {name}")


@pytest.fixture(scope="module")
def notice(synthesized: Callable[[str], Synthesized]) -> Notice:
    """What the check that is there for a flaw finds; each flaw is made once."""

    def run(check: Check, copy: Copy) -> list[Violation]:
        with recorded(RAN, check):
            return list(check.run(copy.evidence()))

    @cache
    def unread(environment: str) -> list[Violation]:
        """What A107 finds of all its flaws at once: it takes as long as all other checks."""
        copy = synthesized(environment).copy()
        for mutant in MUTANTS:
            if (mutant.killer, mutant.environment) == ("A107", environment):
                mutant.change(copy)
        return run(BY_ID["A107"], copy)

    @cache
    def found(mutant: Mutant) -> list[Violation]:
        source = synthesized(mutant.environment)
        copy = source.copy()
        mutant.change(copy)
        if mutant.killer != "A107":
            return run(BY_ID[mutant.killer], copy)
        new = properties(copy) - properties(source.copy())
        return [each for each in unread(mutant.environment) if (each.where, each.what) in new]

    return found


def properties(copy: Copy) -> set[tuple[str, str]]:
    """Each property of each resource, as A107 tells of one: where it is and what is wrong."""
    return {
        (path.removesuffix("/Resource"), f"no check reads {resource['Type']}.{'.'.join(names)}")
        for template in copy.templates.values()
        for resource in template["Resources"].values()
        for path in [resource.get("Metadata", {}).get("aws:cdk:path", "")]
        for place, _ in leaves(resource.get("Properties", {}))
        for names in [[step for step in place if isinstance(step, str)]]
    }


@pytest.mark.parametrize("environment", sorted({mutant.environment for mutant in MUTANTS}))
def test_there_is_nothing_to_find_before_something_is_broken(
    environment: str, synthesized: Callable[[str], Synthesized]
) -> None:
    assert [str(violation) for violation in synthesized(environment).copy().violations()] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_every_flaw_is_noticed_by_its_check(mutant: Mutant, notice: Notice) -> None:
    found = notice(mutant)
    assert found, f"{mutant.killer} did not notice"
    assert not any("the check itself failed" in violation.what for violation in found)
    assert all(v.where and v.what and v.limit and v.fix for v in found)
    KILLED[mutant.name] = mutant.killer


def test_every_line_that_reports_something_is_reached_by_a_flaw(notice: Notice) -> None:
    for mutant in MUTANTS:
        notice(mutant)
    silent = [
        f"{Path(file).name}:{line}: {text}"
        for (file, line), text in finding_lines().items()
        if (file, line) not in RAN
    ]
    assert silent == [], "add a flaw to tests/review/mutants for each, or remove the line"


def test_no_two_flaws_have_one_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_every_check_has_a_flaw() -> None:
    assert {mutant.killer for mutant in MUTANTS} == set(BY_ID)
