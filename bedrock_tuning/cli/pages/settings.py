"""docs/settings.md: every setting of an environment and every key of a customization file."""

from collections.abc import Mapping
from dataclasses import MISSING

from bedrock_tuning.cli.pages.rendering import render_markdown
from bedrock_tuning.config.customization_fields import PLACEMENT, TABLES, tags_max
from bedrock_tuning.config.fields import Field
from bedrock_tuning.config.messages import shown
from bedrock_tuning.config.settings_fields import SETTINGS


def settings_page() -> str:
    """The whole page as Markdown."""
    keys = {
        f"{table}.{key}" if table else key: field
        for table, fields in TABLES.items()
        for key, field in fields.items()
    }
    *leading, final = (f"`{key}`" for key in PLACEMENT)
    return render_markdown(
        "settings.md.j2",
        settings=_rows(SETTINGS),
        keys=_rows(keys),
        tags_max=tags_max(),
        placement=f"{', '.join(leading)} and {final}",
    )


def _rows(fields: Mapping[str, Field]) -> list[tuple[str, ...]]:
    return [
        (f"`{key}`", field.kind.type, _default(field), field.kind.limit, field.meaning)
        for key, field in fields.items()
    ]


def _default(field: Field) -> str:
    if field.required:
        return "**required**"
    return "" if field.default in (MISSING, None, "", ()) else f"`{shown(field.default)}`"
