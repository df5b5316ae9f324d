"""What a person has chosen once for all commands: a profile, a Region and an environment."""

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bedrock_tuning.errors import UserError
from bedrock_tuning.wording import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """The keys of config.toml; None for one that is not there."""

    profile: str | None = None
    region: str | None = None
    environment: str | None = None


def path() -> Path:
    """~/.config/bedrock-tuning/config.toml, or the same below XDG_CONFIG_HOME."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return Path(base or Path.home() / ".config") / "bedrock-tuning" / "config.toml"


def read() -> Preferences:
    """What the file says, nothing without one; raises UserError for what it cannot mean."""
    file = path()
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return Preferences()
    except ValueError as error:
        raise UserError(
            f"is not TOML: {error}", where=str(file), fix='write lines like environment = "prod"'
        ) from None
    return Preferences(**{key: _check(file, key, value) for key, value in values.items()})


def _check(file: Path, key: str, value: Any) -> str:
    names = [field.name for field in fields(Preferences)]
    if key not in names:
        raise UserError(
            f'unknown key "{key}"{did_you_mean(key, names)}',
            where=str(file),
            fix=f"use {', '.join(names)}",
        )
    if not isinstance(value, str) or not value:
        raise UserError(f"{key} must be a text", where=str(file), fix=f'write {key} = "NAME"')
    return value
