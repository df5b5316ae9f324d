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
    home = os.environ.get("XDG_CONFIG_HOME")
    return Path(home or Path.home() / ".config") / "bedrock-tuning" / "config.toml"


def read() -> Preferences:
    """What the file says, nothing without one; raises UserError for what it cannot mean."""
    file = path()
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return Preferences()
    except ValueError as error:
        raise UserError(
            f"is not TOML: {error}", where=str(file), fix='write lines like environment = "prod"'
        ) from None
    return Preferences(**{key: _checked(file, key, value) for key, value in found.items()})


def _checked(file: Path, key: str, value: Any) -> str:
    known = [each.name for each in fields(Preferences)]
    if key not in known:
        raise UserError(
            f'unknown key "{key}"{did_you_mean(key, known)}',
            where=str(file),
            fix=f"use {', '.join(known)}",
        )
    if not isinstance(value, str) or not value:
        raise UserError(f"{key} must be a text", where=str(file), fix=f'write {key} = "NAME"')
    return value
