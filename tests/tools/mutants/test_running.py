"""Which tests judge a mutant."""

from tools import CHECKOUT
from tools.mutants.operators import Mutant, mutants
from tools.mutants.running import Coverage, importers, importing, traced_files

DATA = "bedrock_tuning/run/error_classes.py"
HOLDER = "bedrock_tuning/run/failure_advice.py"
USER = "bedrock_tuning/run/outcome.py"
FAR = "lambdas/record_job.py"


def _mutant(module: str = DATA) -> Mutant:
    return next(iter(mutants(module, (CHECKOUT / module).read_text())))


def test_a_module_that_only_holds_data_is_judged_by_the_tests_of_what_imports_it() -> None:
    coverage = Coverage(lines={USER: {1: {"slow", "fast"}}}, seconds={"slow": 2.0, "fast": 1.0})
    assert HOLDER in next(importers(DATA))
    assert coverage.tests_of(_mutant()) == ["fast", "slow"]


def test_the_nearest_importers_come_first_and_a_test_that_fails_anyway_judges_nothing() -> None:
    coverage = Coverage(
        lines={USER: {1: {"near", "broken"}}, FAR: {1: {"far", "near"}}},
        seconds={"near": 9.0, "far": 0.1, "broken": 0.1},
        failed={"broken"},
    )
    assert coverage.tests_of(_mutant()) == ["near", "far"]


def test_a_module_that_everything_imports_is_judged_by_some_300_tests() -> None:
    tests = {f"test {number}" for number in range(1_000)}
    assert len(Coverage(lines={USER: {1: tests}}).tests_of(_mutant())) == 300


def test_a_module_whose_lines_were_seen_is_judged_by_those_who_ran_them_alone() -> None:
    coverage = Coverage(lines={DATA: {1: {"own"}}, USER: {1: {"user"}}})
    assert coverage.tests_of(_mutant()) == ["own"]


def test_a_sample_of_one_module_sees_what_its_importers_run() -> None:
    assert {DATA, HOLDER, USER} <= {*traced_files([DATA])}


def test_tests_that_import_a_module_judge_its_data_before_those_of_its_importers() -> None:
    module, own = "bedrock_tuning/run/items.py", "tests/run/test_items.py::test_kinds"
    coverage = Coverage(lines={FAR: {1: {"far"}}}, seconds={"far": 0.1, own: 9.0})
    assert coverage.tests_of(_mutant(module)) == [own, "far"]
    coverage.lines[module] = {1: {"ran"}}
    assert coverage.tests_of(_mutant(module)) == [own, "ran"]


def test_tests_that_deploy_judge_nothing_though_they_import_a_module() -> None:
    assert "import SOURCE" in (CHECKOUT / "tests/e2e/test_rejected.py").read_text()
    assert "tests/e2e/test_rejected.py" not in importing(["bedrock_tuning/run/messages.py"])
