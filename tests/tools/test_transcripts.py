"""The mechanism of tutorials: what it compares, and what it leaves to each run."""

from pathlib import Path

import pytest

from tests.support.transcripts import Terminal, files, rewritten, steps

PAGE = """
# Page

```csv title="a.csv"
x,y
```

<!-- exit code 1 -->
```console
$ echo one \\
    two
one two
$ false
```

<!-- not run: why -->
```console
$ rm -rf /
```
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, {})


def test_a_page_has_commands_outputs_exit_codes_and_files() -> None:
    found = [(each.command, each.output, each.code) for each in steps(PAGE)]
    assert found == [("echo one     two", "one two\n", 0), ("false", "", 1)]
    assert files(PAGE) == {"a.csv": "x,y\n"}


def test_another_exit_code_is_a_failure(terminal: Terminal) -> None:
    ok, fails = steps(PAGE)
    assert terminal.run(ok) == "one two\n"
    assert terminal.run(fails) == ""
    fails.code = 0
    with pytest.raises(AssertionError, match="exit code 1"):
        terminal.run(fails)


@pytest.mark.parametrize(
    ("page", "printed", "same"),
    [
        ("all is well\n", "all is well\n", True),
        ("all is well\n", "all is lost\n", False),
        ("all is well\n", "all is well\nand more\n", False),
        ("first\n…\nlast\n", "first\n1\n2\nlast\n", True),
        ("first\n…\nlast\n", "first\n1\n2\n", False),
        ("0:00:01  Train\n", "0:12:34  Train\n", True),
        ("0:00:01  Train\n", "0:12:34  Serve\n", False),
        ("0:00:01  Train\n", "0:00:01  Train\n0:00:02  Train: Bedrock: training\n", True),
        ("NAME  COST\na     1.50\n", "NAME  COST\na     12.50\n", True),
        ("costs 1.50 USD\n", "costs nothing\n", False),
        ("model local-a-20260101-000000-aaaaaa\n", "model local-a-20260102-111111-bbbbbb\n", True),
        ("3 records\n", "4 records\n", False),
    ],
)
def test_times_and_decimals_may_differ_and_words_and_counts_may_not(
    terminal: Terminal, page: str, printed: str, same: bool
) -> None:
    assert terminal.same(page, printed) is same


def test_a_name_that_comes_again_is_the_same_again(terminal: Terminal) -> None:
    assert terminal.same("run 20260101-000000-aaaaaa\n", "run 20270202-111111-bbbbbb\n")
    assert terminal.same("next 20260101-000000-aaaaaa\n", "next 20270202-111111-bbbbbb\n")
    assert not terminal.same("next 20260101-000000-aaaaaa\n", "next 20270202-111111-cccccc\n")
    (step,) = steps("```console\n$ echo 20260101-000000-aaaaaa\n```\n")
    assert terminal.run(step) == "20270202-111111-bbbbbb\n"


def test_what_is_written_anew_keeps_the_names_of_the_page(terminal: Terminal) -> None:
    page = "```console\n$ x\nold 20260101-000000-aaaaaa\n$ y\nz\n```\n"
    first, _ = steps(page)
    printed = terminal.as_on_the_page(first.output, "new 20270202-111111-bbbbbb\n")
    assert rewritten(page, {0: printed}) == page.replace("old", "new")
