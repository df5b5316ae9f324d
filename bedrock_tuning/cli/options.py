"""Options that several commands share, and what their values name: models, files, deployments."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from bedrock_tuning.cli.terminal.output import Command
from bedrock_tuning.defaults import CUSTOMIZATIONS
from bedrock_tuning.errors import UserError
from bedrock_tuning.wording import or_meant

if TYPE_CHECKING:
    from bedrock_tuning.catalogue import BaseModel
    from bedrock_tuning.client.aws import Aws
    from bedrock_tuning.client.deployment import DeploymentClient
    from bedrock_tuning.config.customization import CustomizationSettings

DEFAULT_ENVIRONMENT: Final = "dev"
ENVIRONMENT_VARIABLE: Final = "TUNING_ENVIRONMENT"
SETTINGS_FILE: Final = Path("cdk.json")
_PROFILE_HELP: Final = "AWS profile; by default that of TUNING_PROFILE, the AWS CLI or config.toml."


@dataclass(kw_only=True)
class DeploymentOption:
    """The deployment that the options name; found when it is called, so that arguments come first.

    options: what a next command needs to reach the same one.
    """

    aws: "Aws"
    environment: str
    options: tuple[str, ...] = ()
    _found: "DeploymentClient | None" = None

    def __call__(self) -> "DeploymentClient":
        """Raises UserError if it is not there."""
        from bedrock_tuning.client import deployment

        if self._found is None:
            self._found = deployment.find(
                self.aws, environment=self.environment, options=self.options
            )
        return self._found

    def of_any_version(self) -> "DeploymentClient":
        """Also one that the other commands do not know yet."""
        from bedrock_tuning.client import deployment

        return deployment.find(
            self.aws, environment=self.environment, options=self.options, any_version=True
        )


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
    """Customizations for the shell: of the files here, or else those that are deployed."""
    from bedrock_tuning.client.deployment import names_for_completion

    names = _files(Path(ctx.params.get("customizations") or CUSTOMIZATIONS))
    if not names:
        session = {name: ctx.params.get(name) for name in ("region", "profile")}
        environment = ctx.params.get("environment") or usual_environment()
        names = names_for_completion(ctx.obj or new_aws(**session, quick=True), environment)
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _files(folder: Path) -> list[str]:
    """The names of the customizations that have a file in a folder."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def new_aws(*, region: str | None = None, profile: str | None = None, quick: bool = False) -> "Aws":
    """A person's AWS; the arguments are Aws's."""
    from bedrock_tuning.client.aws import Aws

    return Aws(region=region, profile=profile, quick=quick)


def usual_environment() -> str:
    """The environment for a command that names none."""
    from bedrock_tuning.client import preferences

    return preferences.read().environment or DEFAULT_ENVIRONMENT


def files_option(command: Command) -> Command:
    """--customizations, for commands that take a customization from its file or as deployed."""
    return click.option(
        "--customizations",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Folder of customization files; by default ./customizations, or the deployed "
        "customization if it has no file there.",
    )(command)


def customizations_option(command: Command) -> Command:
    """--customizations, for commands that compare or deploy customization files."""
    return click.option(
        "--customizations",
        type=click.Path(file_okay=False, path_type=Path),
        default=CUSTOMIZATIONS,
        show_default=True,
        help="Folder that holds the customization files.",
    )(command)


def customization_argument(help: str) -> Callable[[Command], Command]:
    """CUSTOMIZATION, for commands that are about one."""
    return click.argument("customization", shell_complete=complete_customizations, help=help)


def customization_option(help: str, *, required: bool = False) -> Callable[[Command], Command]:
    """--customization, for commands that can do without, or have another argument."""
    return click.option(
        "--customization",
        "-c",
        metavar="NAME",
        required=required,
        shell_complete=complete_customizations,
        help=help,
    )


def model_option(help: str) -> Callable[[Command], Command]:
    """--model, a key of the catalogue."""
    return click.option("--model", "-m", metavar="KEY", shell_complete=complete_models, help=help)


# For commands that take the word latest for a run.
customization_of_latest = customization_option("With latest: the newest run of this customization.")


def run_or_latest(command: Command) -> Command:
    """RUN, or the word latest, and --customization."""
    argument = click.argument("run", help="The run, as in `tuning runs`, or the word latest.")
    return argument(customization_of_latest(command))


def settings_option(command: Command) -> Command:
    """--settings, for commands that read the environments' settings."""
    return click.option(
        "--settings",
        type=click.Path(dir_okay=False, path_type=Path),
        default=SETTINGS_FILE,
        show_default=True,
        help="File that holds the environments' settings.",
    )(command)


def without_project(settings: Path) -> bool:
    """Whether a command runs outside of a project's folder: there is no cdk.json, and none named.

    Who names another file has a project, and is told if that file is not there.
    """
    return settings == SETTINGS_FILE and not settings.is_file()


def configured_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--environment, --profile and --region for commands that read the environments' settings.

    The command gets `environment`, None for the file's default, and `aws_in`: AWS in a Region,
    unless an option names another one.
    """

    @click.option(
        "--environment",
        "-e",
        envvar=ENVIRONMENT_VARIABLE,
        show_envvar=True,
        help="Environment in cdk.json; by default the one that cdk.json chooses.",
    )
    @click.option("--profile", help=_PROFILE_HELP)
    @click.option("--region", help="AWS Region; by default the environment's.")
    @click.pass_context
    @wraps(command)
    def wrapped(
        ctx: click.Context, /, *args: Any, region: str | None, profile: str | None, **kwargs: Any
    ) -> Any:
        def aws_in(default: str | None) -> "Aws":
            client: Aws = ctx.obj or new_aws(region=region or default, profile=profile)
            return client

        return command(*args, aws_in=aws_in, **kwargs)

    return wrapped


def aws_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--profile and --region; the command gets `aws`."""

    @click.option("--profile", help=_PROFILE_HELP)
    @click.option(
        "--region", help="AWS Region; by default that of TUNING_REGION, the AWS CLI or config.toml."
    )
    @click.pass_context
    @wraps(command)
    def wrapped(
        ctx: click.Context, /, *args: Any, region: str | None, profile: str | None, **kwargs: Any
    ) -> Any:
        aws = ctx.obj or new_aws(region=region, profile=profile)
        return command(*args, aws=aws, **kwargs)

    return wrapped


def deployment_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--environment, --profile and --region; the command gets `deployed`."""

    @click.option(
        "--environment",
        "-e",
        envvar=ENVIRONMENT_VARIABLE,
        default=usual_environment,
        show_default=DEFAULT_ENVIRONMENT,
        show_envvar=True,
        help="Deployed environment; `tuning environments` lists them.",
    )
    @aws_options
    @click.pass_context
    @wraps(command)
    def wrapped(
        ctx: click.Context, /, *args: Any, aws: "Aws", environment: str, **kwargs: Any
    ) -> Any:
        session = {name: ctx.params.get(name) for name in ("profile", "region")}
        options = options_to_repeat(environment, **session)
        option = DeploymentOption(aws=aws, environment=environment, options=options)
        return command(*args, deployed=option, **kwargs)

    return wrapped


def options_to_repeat(
    environment: str, *, region: str | None = None, profile: str | None = None
) -> tuple[str, ...]:
    """The options that a next command needs to reach the same deployment."""
    options = []
    default = usual_environment()
    chosen_default = os.environ.get(ENVIRONMENT_VARIABLE) or default
    # Also where the variable chooses it: the next shell may not have the variable.
    if {environment, chosen_default} != {default}:
        options.append(f"-e {environment}")
    options += [
        f"--{name} {quote(value)}"
        for name, value in (("profile", profile), ("region", region))
        if value
    ]
    return tuple(options)


def find_model(key: str) -> "BaseModel":
    """The catalogue's model of a key; raises UserError with the closest key."""
    from bedrock_tuning.catalogue import catalogue, key_of

    models = catalogue()
    if key in models:
        return models[key]
    raise UserError(
        f'unknown model "{key}"{or_meant(key_of(key) or key, models)}',
        fix="run `tuning models` to list all models",
    )


def find_customization(
    name: str, folder: Path | None, deployed: DeploymentOption
) -> "CustomizationSettings":
    """The customization of a name: as its file says, or else as it is deployed.

    folder: the only place to look; by default ./customizations, and then the deployment. Raises
    CustomizationError for wrong files, UserError for an unknown name.
    """
    from bedrock_tuning.config.customization import load_all

    files_folder = folder or CUSTOMIZATIONS
    names = _files(files_folder)
    if name in names:
        return load_all(files_folder)[name]
    if folder is not None:
        raise _unknown_customization(name, folder, names)
    try:
        # In a clone, the files that are here say more than a deployment that cannot be asked.
        deployment = replace(deployed, aws=deployed.aws.hurried())() if names else deployed()
    except Exception as error:
        if not names or not _cannot_be_asked(error):
            raise
        raise _unknown_customization(name, files_folder, names, reason=str(error)) from error
    deployment.require(name)
    return deployment.customizations[name]


def _cannot_be_asked(error: Exception) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    return isinstance(error, BotoCoreError | ClientError | ResponseParserError | UserError)


def _unknown_customization(
    name: str, folder: Path, names: list[str], *, reason: str = ""
) -> UserError:
    """reason: that for which nobody knows whether it is deployed."""
    if not names:
        return UserError(
            f"no customizations found in {folder}",
            fix="pass another --customizations DIR, or omit it to use what is deployed",
        )
    return UserError(
        f"unknown customization {name}{or_meant(name, names)}",
        where=str(folder),
        fix=f"use one of {', '.join(names)}"
        + (f"; AWS could not be asked for deployed ones: {reason}" if reason else ""),
    )


def read_settings_file(path: Path) -> Mapping[str, Any]:
    """The object under "context", "tuning" in a file like cdk.json, with the lines of its keys.

    Raises UserError without, and SettingsError for a file that the app would not read.
    """
    from bedrock_tuning.config import cdk_json
    from bedrock_tuning.config.messages import shown

    try:
        context = cdk_json.context(path.read_bytes())
    except FileNotFoundError:
        raise UserError(
            "no such file",
            where=str(path),
            fix="run this in the project's folder, or pass --settings FILE",
        ) from None
    tuning = context.get("tuning")
    if not isinstance(tuning, dict):
        raise UserError(
            'no settings under "context", "tuning"'
            if tuning is None
            else f'"tuning" under "context" must be an object, not {shown(tuning)}',
            where=str(path),
            fix="start from this project's cdk.json",
        )
    return tuning
