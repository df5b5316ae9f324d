"""The settings of one environment: cdk.json's context under "tuning" → a checked dataclass."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.config.cdk_json import Located
from bedrock_tuning.config.messages import shown
from bedrock_tuning.config.names import environment_problem
from bedrock_tuning.config.reader import Problems, Section
from bedrock_tuning.config.settings_consistency import contradictions
from bedrock_tuning.config.settings_fields import SETTINGS, Settings
from bedrock_tuning.config.settings_limits import SERVICE_ROLE_PROFILES
from bedrock_tuning.errors import SettingsError
from bedrock_tuning.wording import or_meant

__all__ = ["SERVICE_ROLE_PROFILES", "CheckedSettings", "Settings", "check", "read"]

_WHERE: Final = ("context", "tuning")
_KEYS: Final = ("environment", "environments")
_ENVIRONMENTS: Final = '{"dev": {"region": "us-east-1"}}'
_EXAMPLE: Final = f'{{"environment": "dev", "environments": {_ENVIRONMENTS}}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSettings:
    """What became of the settings.

    settings: of the chosen environment; None if there are problems. environments: of all, none if
    there are problems. regions: by environment, None where it is not known. problems: of all
    environments: file, line, the key's path in cdk.json, and a sentence.
    """

    settings: Settings | None
    environments: Mapping[str, Settings]
    regions: Mapping[str, str | None]
    problems: tuple[str, ...]
    _where: Problems

    def problem(self, environment: str, key: str, text: str) -> str:
        """What is wrong with a setting beside the customizations: with its place in cdk.json."""
        count = len(self._where.found)
        self._where.add((*_WHERE, "environments", environment, key), text)
        return self._where.found[count]


def read(context: Any, *, environment: str | None = None) -> Settings:
    """The settings of `environment`, or of the one that the context names as its default.

    context: {"environment": "dev", "environments": {"dev": {...}, ...}}.
    Raises SettingsError with every problem of every environment, each naming the key in cdk.json.
    """
    result = check(context, environment=environment)
    if result.settings is None:
        raise SettingsError(result.problems)
    return result.settings


def check(context: Any, *, environment: str | None = None) -> CheckedSettings:
    """As `read`, for callers that have more to check: problems are returned, not raised."""
    lines = context.lines if isinstance(context, Located) else {}
    problems = Problems(file="cdk.json", lines=lambda: lines)
    environments = _environments(context, problems)
    default = context.get("environment") if isinstance(context, Mapping) else None
    choice = _choice(environments, default, environment, problems)
    values = {
        name: _read_environment(name, raw, others=environments, problems=problems)
        for name, raw in environments.items()
    }
    wrong = problems.found or choice is None
    every = {} if wrong else {name: Settings(name=name, **item) for name, item in values.items()}
    return CheckedSettings(
        settings=every.get(choice or ""),
        environments=every,
        regions={name: item.get("region") for name, item in values.items()},
        problems=tuple(problems.found),
        _where=problems,
    )


def _environments(context: Any, problems: Problems) -> Mapping[str, Any]:
    """The environments; reports what is wrong around them and returns {} if there are none."""
    if context is None:
        problems.add(_WHERE, f"is missing: write {_EXAMPLE}")
        return {}
    if not isinstance(context, Mapping):
        problems.add(_WHERE, f"must be an object, not {shown(context)}: write {_EXAMPLE}")
        return {}
    for key in context:
        if key in SETTINGS:
            home = ".".join((*_WHERE, "environments", "NAME", key))
            problems.add((*_WHERE, key), f"belongs to an environment: move it to {home}")
        elif key not in _KEYS:
            hint = or_meant(key, _KEYS) or f": use {' and '.join(_KEYS)}"
            problems.add((*_WHERE, key), f"unknown key{hint}")
    path = (*_WHERE, "environments")
    environments = context.get("environments", {})
    if "environments" not in context:
        problems.add(path, f"is missing: write {_ENVIRONMENTS}")
    elif not isinstance(environments, Mapping):
        text = shown(environments)
        problems.add(path, f"must be an object, not {text}: write {_ENVIRONMENTS}")
    elif not environments:
        problems.add(path, f"is empty: write at least one, for example {_ENVIRONMENTS}")
    return environments if isinstance(environments, Mapping) else {}


def _choice(
    environments: Mapping[str, Any], default: Any, environment: Any, problems: Problems
) -> str | None:
    """The environment's name; reports a default or a choice that does not exist."""
    if not environments:
        return None
    names = ", ".join(sorted(environments))
    path = (*_WHERE, "environment")
    if environment == "":
        problems.found.append(f"--context environment= is empty: use one of {names}")
    elif environment is not None and environment not in environments:
        problems.found.append(
            f"--context environment={environment}: cdk.json has no environment "
            f"{shown(environment)}: use one of {names}"
        )
    if default is None and environment is None:
        problems.add(
            path,
            f"is missing: write one of {names}, or add --context environment=NAME to the command",
        )
    elif default is not None and (not isinstance(default, str) or default not in environments):
        problems.add(path, f"{shown(default)} is not one of the environments: use {names}")
    choice = default if environment is None else environment
    return choice if isinstance(choice, str) and choice in environments else None


def _read_environment(
    name: str, raw: Any, *, others: Collection[str], problems: Problems
) -> dict[str, Any]:
    """The sound values of one environment; reports everything that is wrong with it."""
    path = (*_WHERE, "environments", name)
    error = environment_problem(name, others)
    if error:
        problems.add(path, error)
    if not isinstance(raw, Mapping):
        problems.add(path, f'must be an object, not {shown(raw)}: write {{"region": "us-east-1"}}')
        return {}
    section = Section(table=raw, path=path, problems=problems)
    values = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in section.read(SETTINGS).items()
        if key not in section.refused
    }
    defaults = {key: field.default for key, field in SETTINGS.items()}
    unknown = section.refused | {"region"} - set(values)
    for key, problem in contradictions(values, defaults=defaults, wrong=unknown):
        section.problem(key, problem)
    return values
