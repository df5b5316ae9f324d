"""Tables on terminals of any width, and in pipes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.cli.terminal.output import table

HEADER = ("RUN", "RESULT", "NEXT")
NAME = "20261121-093000-3f9a1c"
RESULT = "1,016 records, 3 warnings, and what each of them says"
COMMAND = f"tuning run {NAME} -f"
ROWS = [(NAME, RESULT, COMMAND)]


def test_in_a_pipe_nothing_is_cut() -> None:
    assert list(table(HEADER, ROWS, texts=("RESULT",)))[1] == f"{NAME}  {RESULT}  {COMMAND}"


def test_a_narrow_terminal_shortens_texts_and_never_a_name_or_a_command() -> None:
    row = list(table(HEADER, ROWS, texts=("RESULT",), width=90))[1]
    assert row.startswith(f"{NAME}  1,016 records")
    assert row.endswith(f"…  {COMMAND}")
    assert len(row) <= 90


@pytest.mark.parametrize("width", [40, 60, 69])
def test_where_that_is_not_enough_each_row_is_a_block_with_everything(width: int) -> None:
    lines = list(table(HEADER, ROWS, texts=("RESULT",), width=width))
    assert lines == [f"RUN     {NAME}", f"RESULT  {RESULT}", f"NEXT    {COMMAND}", ""]


def test_a_block_has_no_line_for_an_empty_cell() -> None:
    rows = [(NAME, "", COMMAND)]
    assert list(table(HEADER, rows, width=40)) == [f"RUN     {NAME}", f"NEXT    {COMMAND}", ""]


def test_characters_that_take_two_columns_are_counted_so() -> None:
    lines = list(
        table(("WHAT", "N"), [("名前の長い説明" * 4, "1"), ("x", "2")], texts=("WHAT",), width=30)
    )
    assert lines[1].endswith("…  1") or lines[1].endswith("…   1")
    assert lines[2].endswith("  2")


CELL = st.text(st.characters(codec="utf-8", exclude_categories=("C", "M", "Z")), max_size=60)


@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=5),
    width=st.integers(min_value=20, max_value=200),
)
def test_a_line_of_a_table_that_could_be_shortened_is_never_wider_than_the_terminal(
    rows: list[tuple[str, str, str]], width: int
) -> None:
    from rich.cells import cell_len

    lines = list(table(("A", "B", "C"), rows, texts=("A", "B", "C"), width=width))
    if len(lines) == 1 + len(rows):
        assert max(map(cell_len, lines)) <= width
