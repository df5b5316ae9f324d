"""Where a long text is cut."""

import pytest

from bedrock_tuning.dataset.talks.chunks import chunks


@pytest.mark.parametrize(
    ("better", "worse"), [("\n \n", "\n"), ("\n", ". "), (". ", " "), ("! ", " "), ("。", " ")]
)
def test_a_piece_ends_at_the_best_place_though_a_worse_one_comes_later(
    better: str, worse: str
) -> None:
    first, second, third = "a" * 60, "b" * 20, "c" * 90
    pieces = list(chunks(f"{first}{better}{second}{worse}{third}", most=100))
    assert pieces[0] == f"{first}{better}".strip()
    assert pieces[1].startswith(second)


def test_a_text_without_any_end_is_cut_where_it_must_be() -> None:
    assert list(chunks("x" * 250, most=100)) == ["x" * 100, "x" * 100, "x" * 50]
