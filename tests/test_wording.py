"""Names in words, and texts of somebody else on a terminal or a page."""

import json
import unicodedata

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup

from bedrock_tuning.wording import (
    cleaned,
    closest,
    first_of,
    for_terminal,
    or_meant,
    printable,
    printable_json,
)

TITLE, CLIPBOARD = "\x1b]0;owned\x07", "\x1b]52;c;aGVsbG8=\x07"
REVERSED, C1 = "\u202egnp.exe", "\x9b2J"


@given(st.text())
@example(TITLE)
@example(CLIPBOARD)
@example(REVERSED)
@example(C1)
def test_nothing_that_commands_a_terminal_or_reorders_a_line_is_left(text: str) -> None:
    safe = printable(text)
    kinds = {unicodedata.category(char) for char in safe if char not in "\t\n"}
    assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(char) for char in safe} & {
        *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    }
    assert printable(safe) == safe


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"])))
@example("family 👨\u200d👩\u200d👧, naïve, 日本語, a\u00a0b")
def test_words_of_any_language_stay_as_they_are(text: str) -> None:
    assert printable(text) == text
    assert cleaned(text) is text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_means_the_same(text: str) -> None:
    document = json.dumps([text], ensure_ascii=False)
    safe = printable_json(document)
    assert json.loads(safe) == [text]
    assert printable(safe) == safe


@given(st.text())
@example("\x1b[8mhidden\x1b[0m")
def test_only_our_own_colours_reach_a_terminal(text: str) -> None:
    assert for_terminal(click.style("word", fg="red", bold=True)) == click.style(
        "word", fg="red", bold=True
    )
    left = for_terminal(text).replace("\x1b[0m", "").replace("\x1b[1m", "")
    assert "\x1b[8m" not in left
    assert "\x1b]" not in left


def test_markup_stays_markup() -> None:
    assert cleaned(Markup("<b>\x1b</b>")) == Markup(r"<b>\x1b</b>")
    assert isinstance(cleaned(Markup("<b>\x1b</b>")), Markup)
    assert cleaned(3) == 3


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "n1"), (5, "n1, n2, n3, n4, n5"), (300, "n1, n2, n3, n4, n5 and 295 more")],
)
def test_of_many_names_the_first_are_told(number: int, said: str) -> None:
    assert first_of([f"n{each}" for each in range(1, number + 1)]) == said


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("LEARNING_RATE", "learningRate"),
        ("learnng-rate", "learningRate"),
        ("epo", "epochCount"),
        # The beginning of two, and too short to be one.
        ("batch", "batchSize"),
        ("bat", ""),
        ("ep", ""),
        ("weight-decay", ""),
        ("learningRate" * 9, ""),
    ],
)
def test_a_name_is_meant_whatever_its_case_and_separators_and_when_only_it_begins_so(
    wrong: str, meant: str
) -> None:
    known = ("batchSize", "batteries", "epochCount", "learningRate")
    assert closest(wrong, known) == meant
    assert or_meant(wrong, known) == (f"; did you mean {meant}?" if meant else "")


def test_what_may_be_meant_as_it_is_written_is_no_slip_for_its_beginning() -> None:
    known = ("reference_answer_of_the_other_model",)
    assert closest("reference_answer", known) == known[0]
    assert closest("reference_answer", known, misspelt=True) == ""
    assert closest("reference_answer", ("reference_anwser",), misspelt=True) == "reference_anwser"
