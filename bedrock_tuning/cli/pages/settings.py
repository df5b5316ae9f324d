"""docs/settings.md: every setting of an environment and every key of a customization file."""

from collections.abc import Mapping
from dataclasses import MISSING
from typing import Final

from bedrock_tuning.config.customization_fields import PLACEMENT, TABLES, tags_max
from bedrock_tuning.config.fields import Field
from bedrock_tuning.config.messages import shown
from bedrock_tuning.config.settings_fields import SETTINGS
from bedrock_tuning.wording import in_cell

_HEADER: Final = """# Settings

`make docs` writes this page from the tables in `bedrock_tuning/config/`. Edit the tables, not the
page.

Two kinds of files configure the app. `cdk.json` says **where and how** it runs: one set of settings
per environment. Each file in `customizations/` says **what to tune**. `cdk synth` (or
`python app.py`) checks all of them, including the environments that are not chosen, and reports
every problem in one pass, with file, line, key, limit and fix.

Editors that support JSON Schema complete and check both kinds while you type:

* The first line of a customization file names its [schema](customization.schema.json):
  `#:schema ../docs/customization.schema.json` (Taplo, Even Better TOML for VS Code).
* For `cdk.json`, associate the file with [settings.schema.json](settings.schema.json), in VS Code
  with the setting `json.schemas`.

## Environments: `cdk.json`

Settings are under `context.tuning`. Only `region` is required:

```json
"tuning": {
  "environment": "dev",
  "environments": {
    "dev": {"region": "us-east-1"},
    "prod": {"region": "us-east-1", "log_retention_days": 365, "alarm_email": "ml@example.com"}
  }
}
```

* `environment`: the environment to use without `--context environment=NAME`.
* `environments`: the settings by environment. A name has 2 to 20 lower-case letters, digits and
  single hyphens between them, and is part of the names of stacks, jobs and models. Together with a
  customization's name it has at most 39 characters. `team` and `team-a` cannot be in one file: a
  stack `tuning-team-a-…` could be either one's.

[Options for strict environments](hardening.md) describes the settings for networks, keys and
access.

| Setting | Type | Default | Allowed | Description |
| --- | --- | --- | --- | --- |
"""
_CUSTOMIZATIONS: Final = """
## What to tune: `customizations/NAME.toml`

The name of the file is the name of the customization: lower-case letters, digits and single hyphens
between them, at most 30 characters. In this table, `a.b` is the key `b` in the table `[a]`. A key
that is required in a table is required only if the table is there.

| Key | Type | Default | Allowed | Description |
| --- | --- | --- | --- | --- |
"""
_OVERLAYS: Final = """
### One file, several environments

`[environments.NAME]` holds what is different in one environment: any key of the table above except
PLACEMENT. `unset` lists the keys that this environment removes.
Synthesis checks the result for every environment, not only for the chosen one.

```toml
only = ["dev", "prod"]                  # no stack in the other environments

[serving]
mode = "provisioned"
lease_hours = 8

[budget]
max_run_usd = 50.0

[environments.prod]
unset = ["serving.lease_hours"]

[environments.prod.serving]
model_units = 2
commitment = "OneMonth"

[environments.prod.budget]
max_run_usd = 500.0
```

Commands that read a file without an environment, such as `tuning price`, ignore `[environments]`.
"""


def _placement() -> str:
    *most, last = (f"`{key}`" for key in PLACEMENT)
    return f"{', '.join(most)} and {last}"


def settings_page() -> str:
    """The whole page as Markdown."""
    keys = {
        f"{table}.{key}" if table else key: known
        for table, fields in TABLES.items()
        for key, known in fields.items()
    }
    free = (
        (
            "`hyperparameters.NAME`",
            "number or text",
            "the model's",
            "as in the catalogue",
            "A hyperparameter of the job. The model's [page](models.md) lists names, limits and "
            "defaults. Those without a default are required.",
        ),
        (
            "`tags.KEY`",
            "text",
            "",
            f"at most {tags_max()}, in the characters that Bedrock allows",
            "A tag for the job, the model and the endpoint. The prefixes `aws:` and "
            "`bedrock-tuning:` are reserved.",
        ),
    )
    return "".join(
        [
            _HEADER,
            *_rows(SETTINGS),
            _CUSTOMIZATIONS,
            *_rows(keys),
            *(_row(*cells) for cells in free),
            _OVERLAYS.replace("PLACEMENT", _placement()),
        ]
    )


def _rows(fields: Mapping[str, Field]) -> list[str]:
    return [
        _row(f"`{key}`", known.kind.type, _default(known), known.kind.limit, known.meaning)
        for key, known in fields.items()
    ]


def _default(known: Field) -> str:
    if known.required:
        return "**required**"
    return "" if known.default in (MISSING, None, "", ()) else f"`{shown(known.default)}`"


def _row(*cells: str) -> str:
    return f"| {' | '.join(map(in_cell, cells))} |\n"
