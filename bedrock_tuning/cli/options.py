"""Options that several commands share, and what their values name: models, files, deployments."""

import os
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from bedrock_tuning.errors import UserError
from bedrock_tuning.wording import closest

if TYPE_CHECKING:
    from bedrock_tuning.catalogue import BaseModel
    from bedrock_tuning.client.deployment import Deployment
    from bedrock_tuning.config.customization import Customization
    from bedrock_tuning.config.settings import Settings

DEFAULT_ENVIRONMENT: Final = "dev"
ENVIRONMENT_VARIABLE: Final = "TUNING_ENVIRONMENT"
CUSTOMIZATIONS: Final = Path("customizations")

Command = TypeVar("Command", bound=Callable[..., Any])
# Finds the deployment when it is called, so that arguments are checked before AWS is asked.
Deployed = Callable[[], "Deployment"]


def complete_models(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Keys of the catalogue, for the shell."""
    from bedrock_tuning.catalogue import catalogue

    return [
        CompletionItem(key, help=model.name)
        for key, model in catalogue().items()
        if key.startswith(incomplete)
    ]


def complete_customizations(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Customization files here, for the shell."""
    folder = Path(ctx.params.get("customizations") or CUSTOMIZATIONS)
    names = sorted(path.stem for path in folder.glob("*.toml"))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def customizations_option(command: Command) -> Command:
    """--customizations, for commands that read customization files."""
    return click.option(
        "--customizations",
        type=click.Path(file_okay=False, path_type=Path),
        default=CUSTOMIZATIONS,
        show_default=True,
        help="Folder that holds the customization files.",
    )(command)


def settings_option(command: Command) -> Command:
    """--settings, for commands that read the environments' settings."""
    return click.option(
        "--settings",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path("cdk.json"),
        show_default=True,
        help="File that holds the environments' settings.",
    )(command)


def configured_environment_option(command: Command) -> Command:
    """--environment, for commands that read the environments' settings."""
    return click.option(
        "--environment",
        "-e",
        envvar=ENVIRONMENT_VARIABLE,
        show_envvar=True,
        help="Environment in cdk.json; by default the one that cdk.json chooses.",
    )(command)


def deployment_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--environment and --region; the command gets `deployed`."""

    @click.option(
        "--environment",
        "-e",
        envvar=ENVIRONMENT_VARIABLE,
        default=DEFAULT_ENVIRONMENT,
        show_default=True,
        show_envvar=True,
        help="Deployed environment, as named in cdk.json.",
    )
    @click.option("--region", help="AWS Region; by default the AWS CLI's.")
    @click.pass_context
    @wraps(command)
    def wrapped(
        ctx: click.Context, /, *args: Any, environment: str, region: str | None, **kwargs: Any
    ) -> Any:
        def deployed() -> "Deployment":
            from bedrock_tuning.client import deployment
            from bedrock_tuning.client.aws import Aws

            return deployment.find(
                ctx.obj or Aws(region=region),
                environment=environment,
                options=options_to_repeat(environment, region),
            )

        return command(*args, deployed=deployed, **kwargs)

    return wrapped


def options_to_repeat(environment: str, region: str | None) -> tuple[str, ...]:
    """The options that a next command needs to reach the same deployment."""
    options = []
    usual = os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_ENVIRONMENT
    # Also where the variable chooses it: the next shell may not have the variable.
    if {environment, usual} != {DEFAULT_ENVIRONMENT}:
        options.append(f"-e {environment}")
    if region:
        options.append(f"--region {region}")
    return tuple(options)


def find_model(key: str) -> "BaseModel":
    """The catalogue's model of a key; raises UserError with the closest key."""
    from bedrock_tuning.catalogue import catalogue

    models = catalogue()
    if key in models:
        return models[key]
    close = models.closest(key)
    hint = f"; did you mean {close}?" if close else ""
    raise UserError(f'unknown model "{key}"{hint}', fix="run `tuning models` to list all models")


def find_customization(name: str, folder: Path) -> "Customization":
    """The customization of a name.

    Raises CustomizationError for wrong files, UserError for an unknown name.
    """

    from bedrock_tuning.config.customization import load_all

    if not any(folder.glob("*.toml")):
        raise UserError(
            f"no customizations found in {folder}",
            fix="run this in the project's folder, or pass --customizations DIR",
        )
    known = load_all(folder)
    if name not in known:
        meant = closest(name, known)
        hint = f"; did you mean {meant}?" if meant is not None else ""
        raise UserError(
            f"unknown customization {name}{hint}",
            where=str(folder),
            fix=f"use one of {', '.join(known)}",
        )
    return known[name]


def read_context(path: Path) -> Mapping[str, Any]:
    """The object under "context", "tuning" in a file like cdk.json; raises UserError without."""
    import json

    try:
        context: Mapping[str, Any] = json.loads(path.read_text("utf-8"))["context"]["tuning"]
    except FileNotFoundError:
        raise UserError(
            "no such file",
            where=str(path),
            fix="run this in the project's folder, or pass --settings FILE",
        ) from None
    except (KeyError, TypeError, ValueError):
        raise UserError(
            'no settings under "context", "tuning"',
            where=str(path),
            fix="start from this project's cdk.json",
        ) from None
    return context


def read_settings(path: Path, *, environment: str | None) -> "Settings":
    """The settings of an environment, or of the file's default environment for None.

    Raises UserError as read_context does, SettingsError for wrong settings.
    """
    from bedrock_tuning.config import settings

    return settings.read(read_context(path), environment=environment)
