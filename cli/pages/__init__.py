"""The pages that are generated from code: PAGES lists each with the function that makes it."""

from collections.abc import Callable
from typing import Final

from cli.pages.commands import commands_page
from cli.pages.rules import rules_page
from tuning.models._page import models_page

# Path below the project's folder, and what makes the page's whole text. Add a page by adding a row.
PAGES: Final[tuple[tuple[str, Callable[[], str]], ...]] = (
    ("docs/cli.md", commands_page),
    ("docs/models.md", models_page),
    ("docs/rules.md", rules_page),
)
