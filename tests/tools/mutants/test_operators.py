"""The mutator: what it changes, that it changes nothing else, and that a seed says which."""

import ast
import tomllib

import pytest

from tools import CHECKOUT
from tools.mutants.__main__ import EQUIVALENT, TARGETS, _equivalents
from tools.mutants.operators import draw_mutants, mutants

SOURCE = '''"""A module."""

LIMIT = 30


def check(values: list[int], *, most: int = LIMIT) -> str | None:
    """A docstring with the word check."""
    if not values or max(values) > most:
        return f"at most {most + 1:,}"
    return join(
        "first",
        [value for value in values if value >= 0],
        strict=True,
        name="other",
    )
'''


def _changes(source: str) -> set[tuple[str, str, str]]:
    return {(mutant.operator, mutant.old, mutant.new) for mutant in mutants("m.py", source)}


@pytest.mark.parametrize(
    "change",
    [
        ("boundary", "30", "31"),
        ("boundary", "30", "29"),
        ("comparison", "max(values) > most", "max(values) >= most"),
        ("boolean", "not values or max(values) > most", "not values and max(values) > most"),
        ("condition dropped", "not values or max(values) > most", "not values"),
        ("not dropped", "not values", "values"),
        ("function", "max(values)", "min(values)"),
        ("if never", "not values or max(values) > most", "False"),
        ("arithmetic", "most + 1", "most - 1"),
        ("operand dropped", "most + 1", "most"),
        ("string", "'first'", "'firstX'"),
        (
            "filter dropped",
            "[value for value in values if value >= 0]",
            "[value for value in values]",
        ),
        ("comparison", "value >= 0", "value > 0"),
    ],
)
def test_each_operator_makes_its_mutant(change: tuple[str, str, str]) -> None:
    assert change in _changes(SOURCE)


def test_docstrings_types_and_guards_against_ourselves_are_left_alone() -> None:
    changed = {old for _, old, _ in _changes(SOURCE)}

    assert not any("docstring" in old or "A module" in old for old in changed)
    assert "list[int]" not in changed
    fewer = {new for operator, _, new in _changes(SOURCE) if operator == "keyword removed"}
    assert fewer
    assert all("strict=True" in new for new in fewer)
    assert not any("strict=False" in mutant.source for mutant in mutants("m.py", SOURCE))


def test_a_mutant_is_a_program_of_as_many_lines_and_all_but_its_statement_are_the_same() -> None:
    before = SOURCE.splitlines()
    for mutant in mutants("m.py", SOURCE):
        after = mutant.source.splitlines()
        ast.parse(mutant.source)
        assert ast.dump(ast.parse(mutant.source)) != ast.dump(ast.parse(SOURCE))
        assert len(after) == len(before)
        changed = {
            number
            for number, pair in enumerate(zip(before, after, strict=True), 1)
            if pair[0] != pair[1]
        }
        assert changed <= set(mutant.lines)


def test_a_key_survives_when_lines_move() -> None:
    moved = "# A comment.\n\n" + SOURCE

    assert [m.key for m in mutants("m.py", SOURCE)] == [m.key for m in mutants("m.py", moved)]
    assert [m.line + 2 for m in mutants("m.py", SOURCE)] == [m.line for m in mutants("m.py", moved)]


def test_a_seed_draws_the_same_mutants_of_every_kind() -> None:
    every = mutants("m.py", SOURCE)
    operators = {mutant.operator for mutant in every}

    drawn = draw_mutants(every, len(operators), "a")

    assert [m.key for m in drawn] == [
        m.key for m in draw_mutants(mutants("m.py", SOURCE), len(drawn), "a")
    ]
    assert {mutant.operator for mutant in drawn} == operators
    assert draw_mutants(every, 10_000, "b") != every


def test_each_equivalent_mutant_still_exists_and_has_a_reason() -> None:
    entries = tomllib.loads(EQUIVALENT.read_text())["mutant"]

    assert len(_equivalents()) == len(entries)
    assert all(entry["reason"] for entry in entries)


def test_targets_and_their_tests_exist() -> None:
    for folder, tests in TARGETS.values():
        assert (CHECKOUT / folder).is_dir()
        assert all((CHECKOUT / "tests" / name).is_dir() for name in tests)
