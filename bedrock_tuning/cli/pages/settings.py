"""docs/settings.md: every setting of an environment and every key of a customization file."""

from collections.abc import Mapping
from dataclasses import MISSING

from bedrock_tuning.cli.pages.rendering import render
from bedrock_tuning.config.customization_fields import PLACEMENT, TABLES, tags_max
from bedrock_tuning.config.fields import Field
from bedrock_tuning.config.messages import shown
from bedrock_tuning.config.settings_fields import SETTINGS


def settings_page() -> str:
    """The whole page as Markdown."""
    keys = {
        f"{table}.{key}" if table else key: known
        for table, fields in TABLES.items()
        for key, known in fields.items()
    }
    *most, last = (f"`{key}`" for key in PLACEMENT)
    return render(
        "settings.md.j2",
        settings=_rows(SETTINGS),
        keys=_rows(keys),
        tags_max=tags_max(),
        placement=f"{', '.join(most)} and {last}",
    )


def _rows(fields: Mapping[str, Field]) -> list[tuple[str, ...]]:
    return [
        (f"`{key}`", known.kind.type, _default(known), known.kind.limit, known.meaning)
        for key, known in fields.items()
    ]


def _default(known: Field) -> str:
    if known.required:
        return "**required**"
    return "" if known.default in (MISSING, None, "", ()) else f"`{shown(known.default)}`"
