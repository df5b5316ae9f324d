"""The commands that the documentation tells people to type exist, with these options."""

import re
from pathlib import Path

import pytest

from tests.cli import pasteable

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# A command alone on its line, or after another one.
TYPED = re.compile(r"(?:^\$ |&& )(tuning (?:(?!&&)[^\n|>#])+)", re.M)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_on_a_page_could_be_typed(page: Path) -> None:
    for line in TYPED.findall(page.read_text("utf-8")):
        pasteable.require_parseable(line.strip())
