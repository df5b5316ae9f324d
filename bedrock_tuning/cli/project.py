"""What this project's cdk.json says of its environments, for commands that read it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bedrock_tuning.config.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def settings_option(command: Command) -> Command:
    """--settings, for commands that read the environments' settings."""
    return click.option(
        "--settings",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path("cdk.json"),
        show_default=True,
        help="File with the environments' settings.",
    )(command)


def read_context(path: Path) -> Mapping[str, Any]:
    """What stands under "tuning" in the file; raises CannotRun when it is not there or no JSON."""
    import json

    from bedrock_tuning.cli.terminal.errors import CannotRun

    try:
        context = json.loads(path.read_text("utf-8"))["context"]["tuning"]
    except FileNotFoundError:
        raise CannotRun(
            "there is no such file",
            where=str(path),
            fix="run this in the project's folder, or name its cdk.json with --settings",
        ) from None
    except (KeyError, TypeError, ValueError):
        raise CannotRun(
            'it has no settings under "context", "tuning"', where=str(path), fix="take ours"
        ) from None
    found: Mapping[str, Any] = context
    return found


def read_settings(path: Path, *, environment: str | None) -> "Settings":
    """The settings of an environment, of the file's default if None.

    Raises CannotRun as read_context does, SettingsError for wrong settings.
    """
    from bedrock_tuning.config import settings

    return settings.read(read_context(path), environment=environment)
