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
        found = customization.scan(customizations)
        raise ConfigurationError([*problems, *found.problems, *_lengths(found)])
    checked = settings.check(tuning, environment=environment)
    found = customization.scan(customizations, regions=checked.regions)
    every = [
        *checked.problems,
        *found.problems,
        *_lengths(found),
        *_caps(checked, found),
        *_tags(checked, found),
        *_service_roles(checked, found),
        *_started_by_workflow(checked, found),
    ]
    if every or checked.settings is None:
        raise ConfigurationError(every)
    return Project(
        settings=checked.settings,
        customizations={
            name: tagged(each, checked.settings)
            for name, each in found.by_environment.get(checked.settings.name, {}).items()
        },
        retired=found.retired,
    )


def tagged(wanted: CustomizationSettings, chosen: Settings) -> CustomizationSettings:
    """A customization with the tags of its environment, too."""
    return replace(wanted, tags={**chosen.tags, **wanted.tags})


def _tags(checked: settings.CheckedSettings, found: customization.LoadResult) -> Iterator[str]:
    for name, chosen in checked.environments.items():
        for wanted in found.by_environment.get(name, {}).values():
            number = len(tagged(wanted, chosen).tags)
            if number > tags_max():
                yield checked.problem(
                    name,
                    "tags",
                    f"together with those of {wanted.file} they are {number}, the maximum is "
                    f"{tags_max()} beside those of this project: use fewer",
                )


def _service_roles(
    checked: settings.CheckedSettings, found: customization.LoadResult
) -> Iterator[str]:
    """Service roles that exist already, and with which an environment's jobs could not run."""
    for name, chosen in checked.environments.items():
        for wanted in found.by_environment.get(name, {}).values():
            arn = wanted.job.service_role
            if not arn:
                continue
            account, path = arn.split(":")[4], arn.partition(":role/")[2]
            if chosen.account and account != chosen.account:
                yield (
                    f"{wanted.file}: job.service_role: is of the account {account}, and {name} is "
                    f"deployed to {chosen.account}: Amazon Bedrock takes roles of the same account "
                    f"only; set another one in [environments.{name}.job]"
                )
            if chosen.deny_others and not any(
                fnmatchcase(path, pattern) for pattern in chosen.data_roles
            ):
                yield checked.problem(
                    name,
                    "data_roles",
                    f"does not name the role {path} of {wanted.file}, which deny_others shuts out "
                    f"of the buckets: add {shown(path)}",
                )


def _started_by_workflow(
    checked: settings.CheckedSettings, found: customization.LoadResult
) -> Iterator[str]:
    for name, chosen in checked.environments.items():
        for wanted in found.by_environment.get(name, {}).values():
            yield from start_problems(tagged(wanted, chosen), chosen)


def start_problems(wanted: CustomizationSettings, chosen: Settings) -> Iterator[str]:
    """Why the workflow's own role cannot start the jobs of a customization, where it has to."""
    if not job_text.by_workflow(chosen):
        return
    if wanted.job.service_role:
        yield (
            f"{wanted.file}: job.service_role: cannot be used in {chosen.name}, where "
            '"jobs_started_by": "workflow": the workflow passes only roles that the app makes; '
            'remove it, or set "jobs_started_by": "starter" in cdk.json'
        )
    too_long = deployed.length_problem(wanted, job_text.in_settings(chosen, wanted))
    if too_long and not deployed.length_problem(wanted):
        yield too_long


def _lengths(found: customization.LoadResult) -> Iterable[str]:
    """Each once, however many environments it is in."""
    every = [each for wanted in found.by_environment.values() for each in wanted.values()]
    return dict.fromkeys(filter(None, map(deployed.length_problem, every)))


def _caps(checked: settings.CheckedSettings, found: customization.LoadResult) -> Iterator[str]:
    for name, chosen in checked.environments.items():
        wanted = found.by_environment.get(name, {})
        exposed = {each: exposure(file) for each, file in wanted.items()}
        problem = cap_problem(exposed, max_hourly_usd=chosen.max_hourly_usd)
        if problem:
            yield checked.problem(name, "max_hourly_usd", problem)
