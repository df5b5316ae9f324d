"""The pages that are generated from code: PAGES lists each with the function that makes it.

One module for each page, as there is one template for each.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from msgspec.json import schema

from bedrock_tuning.catalogue._page import models_page
from bedrock_tuning.cli.pages.commands import commands_page
from bedrock_tuning.cli.pages.messages import messages_page
from bedrock_tuning.cli.pages.rules import rules_page
from bedrock_tuning.cli.pages.settings import settings_page
from bedrock_tuning.cli.pages.unknowns import unknowns_page
from bedrock_tuning.cli.terminal.errors import ErrorDocument
from bedrock_tuning.config.json_schema import customization_schema, settings_schema
from bedrock_tuning.report.formats import report_schema
from bedrock_tuning.run.messages import Event, Message

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
PROJECT: Final = Path(__file__).resolve().parents[3]


def permissions_page() -> str:
    """docs/permissions.md: the contracts of the default environment, in words."""
    from bedrock_tuning.cli.__main__ import tuning
    from bedrock_tuning.config import customization, settings
    from bedrock_tuning.contracts import contracts
    from bedrock_tuning.review.pages.contracts import contract_page

    context = json.loads((PROJECT / "cdk.json").read_text("utf-8"))["context"]["tuning"]
    customizations = customization.load_all(PROJECT / "customizations")
    all_commands = (command for commands in tuning.sections.values() for command in commands)
    needs = {str(command.name): command.needs for command in all_commands if command.needs}
    return contract_page(contracts(settings.read(context), customizations), commands=needs)


def _json_schema(make: Callable[[], dict[str, Any]]) -> Callable[[], str]:
    return lambda: f"{json.dumps({'$schema': _DRAFT, **make()}, indent=2)}\n"


# Path below the project's folder, and what makes the page's whole text. Add a page by adding a row.
PAGES: Final[tuple[tuple[str, Callable[[], str]], ...]] = (
    ("docs/cli.md", commands_page),
    ("docs/customization.schema.json", _json_schema(customization_schema)),
    ("docs/error.schema.json", _json_schema(partial(schema, ErrorDocument))),
    ("docs/event.schema.json", _json_schema(partial(schema, Event))),
    ("docs/message.schema.json", _json_schema(partial(schema, Message))),
    ("docs/messages.md", messages_page),
    ("docs/models.md", models_page),
    ("docs/permissions.md", permissions_page),
    ("docs/report.schema.json", _json_schema(report_schema)),
    ("docs/rules.md", rules_page),
    ("docs/settings.md", settings_page),
    ("docs/settings.schema.json", _json_schema(settings_schema)),
    ("docs/unknowns.md", lambda: unknowns_page(PROJECT)),
)
