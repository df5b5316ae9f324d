"""What a project's files say for one environment: cdk.json's settings and the customizations."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from bedrock_tuning.config import customization, deployed, settings
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.customization_fields import tags_max
from bedrock_tuning.config.messages import shown
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import job_text
from bedrock_tuning.errors import ConfigurationError
from bedrock_tuning.run.exposure import cap_problem, exposure


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One environment of a project.

    customizations: those that it deploys, by name. retired: files of those that it deploys no more.
    """

    settings: Settings
    customizations: Mapping[str, CustomizationSettings]
    retired: tuple[str, ...] = ()


def read(
    tuning: Any,
    *,
    environment: str | None,
    customizations: Path,
    problems: Sequence[str] | None = None,
) -> Project:
    """The project in an environment, or in its default one.

    tuning: what cdk.json's context has under "tuning". customizations: the folder of their files.
    problems: why cdk.json cannot be used, if it cannot.
    Raises ConfigurationError with every problem of cdk.json and of all customizations, in all
    environments.
    """
    if problems is not None:
        files = customization.scan(customizations)
        raise ConfigurationError([*problems, *files.problems, *_lengths(files)])
    config = settings.check(tuning, environment=environment)
    files = customization.scan(customizations, regions=config.regions)
    every = [
        *config.problems,
        *files.problems,
        *_lengths(files),
        *_caps(config, files),
        *_tags(config, files),
        *_service_roles(config, files),
        *_started_by_workflow(config, files),
    ]
    if every or config.settings is None:
        raise ConfigurationError(every)
    return Project(
        settings=config.settings,
        customizations={
            name: tagged(entry, config.settings)
            for name, entry in files.by_environment.get(config.settings.name, {}).items()
        },
        retired=files.retired,
    )


def tagged(entry: CustomizationSettings, env: Settings) -> CustomizationSettings:
    """A customization with the tags of its environment, too."""
    return replace(entry, tags={**env.tags, **entry.tags})


def _tags(config: settings.CheckedSettings, files: customization.LoadResult) -> Iterator[str]:
    for name, env in config.environments.items():
        for entry in files.by_environment.get(name, {}).values():
            number = len(tagged(entry, env).tags)
            if number > tags_max():
                yield config.problem(
                    name,
                    "tags",
                    f"together with those of {entry.file} they are {number}, the maximum is "
                    f"{tags_max()} beside those of this project: use fewer",
                )


def _service_roles(
    config: settings.CheckedSettings, files: customization.LoadResult
) -> Iterator[str]:
    """Service roles that exist already, and with which an environment's jobs could not run."""
    for name, env in config.environments.items():
        for entry in files.by_environment.get(name, {}).values():
            arn = entry.job.service_role
            if not arn:
                continue
            account, path = arn.split(":")[4], arn.partition(":role/")[2]
            if env.account and account != env.account:
                yield (
                    f"{entry.file}: job.service_role: is of the account {account}, and {name} is "
                    f"deployed to {env.account}: Amazon Bedrock takes roles of the same account "
                    f"only; set another one in [environments.{name}.job]"
                )
            if env.deny_others and not any(
                fnmatchcase(path, pattern) for pattern in env.data_roles
            ):
                yield config.problem(
                    name,
                    "data_roles",
                    f"does not name the role {path} of {entry.file}, which deny_others shuts out "
                    f"of the buckets: add {shown(path)}",
                )


def _started_by_workflow(
    config: settings.CheckedSettings, files: customization.LoadResult
) -> Iterator[str]:
    for name, env in config.environments.items():
        for entry in files.by_environment.get(name, {}).values():
            yield from start_problems(tagged(entry, env), env)


def start_problems(entry: CustomizationSettings, env: Settings) -> Iterator[str]:
    """Why the workflow's own role cannot start the jobs of a customization, where it has to."""
    if not job_text.by_workflow(env):
        return
    if entry.job.service_role:
        yield (
            f"{entry.file}: job.service_role: cannot be used in {env.name}, where "
            '"jobs_started_by": "workflow": the workflow passes only roles that the app makes; '
            'remove it, or set "jobs_started_by": "starter" in cdk.json'
        )
    too_long = deployed.length_problem(entry, job_text.in_settings(env, entry))
    if too_long and not deployed.length_problem(entry):
        yield too_long


def _lengths(files: customization.LoadResult) -> Iterable[str]:
    """Each once, however many environments it is in."""
    every = [entry for entries in files.by_environment.values() for entry in entries.values()]
    return dict.fromkeys(filter(None, map(deployed.length_problem, every)))


def _caps(config: settings.CheckedSettings, files: customization.LoadResult) -> Iterator[str]:
    for name, env in config.environments.items():
        entries = files.by_environment.get(name, {})
        exposures = {key: exposure(file) for key, file in entries.items()}
        problem = cap_problem(exposures, max_hourly_usd=env.max_hourly_usd)
        if problem:
            yield config.problem(name, "max_hourly_usd", problem)
