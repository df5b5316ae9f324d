"""The pages that are generated from code: PAGES lists each with the function that makes it."""

import json
from collections.abc import Callable
from typing import Final

from bedrock_tuning.catalogue._page import models_page
from bedrock_tuning.cli.pages.commands import commands_page
from bedrock_tuning.cli.pages.permissions import permissions_page
from bedrock_tuning.cli.pages.rules import rules_page
from bedrock_tuning.cli.pages.settings import settings_page
from bedrock_tuning.report.formats import report_schema


def _schema() -> str:
    """The shape of what `tuning validate --json` prints and the pipeline writes."""
    return f"{json.dumps(report_schema(), indent=2)}\n"


# Path below the project's folder, and what makes the page's whole text. Add a page by adding a row.
PAGES: Final[tuple[tuple[str, Callable[[], str]], ...]] = (
    ("docs/cli.md", commands_page),
    ("docs/models.md", models_page),
    ("docs/permissions.md", permissions_page),
    ("docs/report.schema.json", _schema),
    ("docs/rules.md", rules_page),
    ("docs/settings.md", settings_page),
)
