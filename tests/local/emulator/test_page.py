"""The page on the local AWS's strictness names tests that exist."""

import re

from local import REPOSITORY


def test_each_row_of_the_page_has_a_test() -> None:
    page = (REPOSITORY / "docs" / "local-aws.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "---" not in line]
    named = [re.findall(r"`(test_\w+)`", row) for row in rows if not row.endswith("| Test |")]
    assert len(named) > 20
    assert all(named)
    written = {
        name
        for file in (REPOSITORY / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.M)
    }
    assert {name for names in named for name in names} <= written
