"""Finding a customization by its name."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import Deployment
    from bedrock_tuning.config.customization import Customization

_FOLDER = Path("customizations")

Command = TypeVar("Command", bound=Callable[..., Any])


def customizations_option(command: Command) -> Command:
    """--customizations, for commands that read customization files."""
    return click.option(
        "--customizations",
        type=click.Path(file_okay=False, path_type=Path),
        default=_FOLDER,
        show_default=True,
        help="Folder of the customizations.",
    )(command)


def find_customization(name: str, directory: Path) -> "Customization":
    """The customization of a name.

    Raises CustomizationError for wrong files, CannotRun for an unknown name.
    """
    from difflib import get_close_matches

    from bedrock_tuning.cli.terminal.errors import CannotRun
    from bedrock_tuning.config.customization import load_all

    found = load_all(directory)
    if name not in found:
        close = get_close_matches(name, found, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise CannotRun(
            f"there is no customization {name}{hint}",
            where=str(directory),
            fix=f"use one of {', '.join(found)}",
        )
    return found[name]


def demand_deployed(name: str, deployment: "Deployment") -> None:
    """Raises CannotRun for a customization that an environment does not have.

    Nobody would say so: an upload to an unknown folder starts nothing.
    """
    from difflib import get_close_matches

    from bedrock_tuning.cli.terminal.errors import CannotRun

    known, environment = deployment.customizations, deployment.environment
    if name in known:
        return
    here = _FOLDER / f"{name}.toml"
    if here.is_file():
        raise CannotRun(
            f"the customization {name} is not deployed in {environment}",
            where=str(here),
            fix=f"deploy it: cdk deploy --all --context environment={environment}",
        )
    files = [path.stem for path in sorted(_FOLDER.glob("*.toml"))]
    close = get_close_matches(name, dict.fromkeys([*known, *files]), n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise CannotRun(
        f"there is no customization {name} in {environment}{hint}",
        fix=f"use one of {', '.join(known)}; a new one begins with a file: {here}",
    )
