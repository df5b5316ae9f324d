"""docs/settings.md: every setting of an environment and every key of a customization file."""

from dataclasses import MISSING, fields
from typing import Any, Final

from bedrock_tuning.config import customization_reference
from bedrock_tuning.config.field_types import shown
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.config.settings_fields import SETTINGS

_HEADER: Final = """# Settings

`make docs` writes this page from `bedrock_tuning/config/`: edit that, not the page.

There are two kinds of files: `cdk.json` says **where and how** things run, one set of settings per
environment; `customizations/*.toml` say **what to tune**. `cdk synth` (or `python app.py`) checks
all of them, all environments included, and says everything that is wrong at once.

## Environments: `cdk.json`

Under `context.tuning`. Only the region is needed:

```json
"tuning": {
  "environment": "dev",
  "environments": {
    "dev": {"region": "us-east-1"},
    "prod": {"region": "us-east-1", "log_retention_days": 365, "alarm_email": "ml@example.com"}
  }
}
```

* `environment`: which of them is meant without `--context environment=NAME`.
* `environments`: settings by name. A name has 2 to 8 lower-case letters or digits; it is part of
  the names of stacks, jobs and models.

[Options for strict environments](hardening.md) tells more about networks, keys and access.

| Setting | Type | Default | Allowed | Meaning |
| --- | --- | --- | --- | --- |
"""
_CUSTOMIZATIONS: Final = """
## What to tune: `customizations/NAME.toml`

The file's name is the customization's: lower-case letters, digits and single hyphens between them,
at most 30 characters. `a.b` below is the key `b` in the table `[a]`; what is needed in a table is
needed if the table is there.

| Key | Type | Default | Allowed | Meaning |
| --- | --- | --- | --- | --- |
"""
_FREE: Final = (
    (
        "hyperparameters.NAME",
        "number or text",
        "the model's",
        "as in the catalogue",
        "What the model's [page](models.md) lists: names, limits, defaults. Some have no default.",
    ),
    (
        "tags.KEY",
        "text",
        "",
        "at most 40, in Bedrock's characters",
        "Put on what Bedrock makes: job, model, endpoint. Not `aws:…`, not `bedrock-tuning:…`.",
    ),
)


def settings_page() -> str:
    """The whole page as Markdown."""
    defaults = {f.name: f.default for f in fields(Settings)}
    rows = [
        _row(f"`{key}`", each.kind.type, _default(defaults[key]), each.kind.limit, each.meaning)
        for key, each in SETTINGS.items()
    ]
    keys = [
        _row(
            f"`{each.key}`",
            each.type,
            "**needed**" if each.default is None else each.default and f"`{each.default}`",
            each.limit,
            customization_reference.MEANINGS[each.key],
        )
        for each in customization_reference.fields()
    ]
    free = [_row(f"`{key}`", *rest) for key, *rest in _FREE]
    return "".join([_HEADER, *rows, _CUSTOMIZATIONS, *keys, *free])


def _default(value: Any) -> str:
    if value is MISSING:
        return "**needed**"
    return "" if value in ("", ()) else f"`{shown(value)}`"


def _row(*cells: str) -> str:
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |\n"
