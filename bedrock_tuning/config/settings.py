"""The settings of one environment: cdk.json's context under "tuning" → a checked dataclass."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from typing import Any, Final, Literal

from bedrock_tuning.config import network_limits
from bedrock_tuning.config.field_types import shown
from bedrock_tuning.config.settings_consistency import contradictions
from bedrock_tuning.config.settings_fields import SERVICE_ROLE_PROFILES, SETTINGS
from bedrock_tuning.errors import SettingsError

__all__ = ["SERVICE_ROLE_PROFILES", "Checked", "Settings", "check", "read"]

WHERE: Final = "cdk.json: context.tuning"
_KEYS: Final = ("environment", "environments")
_EXAMPLE: Final = '{"environment": "dev", "environments": {"dev": {"region": "us-east-1"}}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One environment.

    name: 2 to 8 characters, lower case; part of stack, job and model names.
    What each of the others means and may be: config.settings_fields.SETTINGS, docs/settings.md.
    """

    name: str
    region: str
    functions: Literal["lambda", "host"] = "lambda"
    service_role: Literal["documented", "strict"] = "documented"
    log_retention_days: int = 90
    noncurrent_days: int = 30
    work_days: int = 14
    images_per_shard: int = 5_000
    poll_seconds: int = 60
    serving_timeout_seconds: int = 7_200
    approval_days: int = 7
    alarm_email: str = ""
    permissions_boundary: str = ""
    role_name_prefix: str = ""
    vpc: bool = False
    vpc_cidr: str = "10.42.0.0/16"
    vpc_zones: tuple[str, ...] = ()
    vpc_endpoint_zones: int = 2
    vpc_subnets: tuple[str, ...] = ()
    vpc_security_groups: tuple[str, ...] = ()
    model_key: bool = False
    deny_others: bool = False
    data_roles: tuple[str, ...] = ()

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones of the app's own network, those for functions and endpoints first."""
        return self.vpc_zones or network_limits.ZONES.get(self.region, ())

    @property
    def own_network(self) -> bool:
        """Whether the app makes the network itself."""
        return self.vpc and not self.vpc_subnets


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What became of the settings.

    settings: None if there are problems. region: of the chosen environment, where it is known.
    problems: of all environments, one sentence each, beginning with the key's path in cdk.json.
    """

    settings: Settings | None
    region: str | None
    problems: tuple[str, ...]


def read(context: Any, *, environment: str | None = None) -> Settings:
    """The settings of `environment`, or of the one that the context names as its default.

    context: {"environment": "dev", "environments": {"dev": {...}, ...}}.
    Raises SettingsError with every problem of every environment, each naming the key in cdk.json.
    """
    checked = check(context, environment=environment)
    if checked.settings is None:
        raise SettingsError(checked.problems)
    return checked.settings


def check(context: Any, *, environment: str | None = None) -> Checked:
    """As `read`, for callers that have more to check: problems are returned, not raised."""
    problems: list[str] = []
    environments = _environments(context, problems)
    default = context.get("environment") if isinstance(context, Mapping) else None
    chosen = _chosen(environments, default, environment, problems)
    for name, raw in environments.items():
        problems += _problems(name, raw)
    raw = environments.get(chosen) if chosen is not None else None
    region = raw.get("region") if isinstance(raw, Mapping) else None
    if problems or chosen is None or not isinstance(raw, Mapping):
        usable = isinstance(region, str) and not SETTINGS["region"].kind.wrong(region)
        return Checked(settings=None, region=region if usable else None, problems=tuple(problems))
    return Checked(settings=_settings(chosen, raw), region=region, problems=())


def _environments(context: Any, problems: list[str]) -> Mapping[str, Any]:
    """The environments; reports what is wrong around them and returns {} if there are none."""
    if context is None:
        problems.append(f"{WHERE} is missing: write {_EXAMPLE}")
        return {}
    if not isinstance(context, Mapping):
        problems.append(f"{WHERE}: {shown(context)} must be an object: write {_EXAMPLE}")
        return {}
    for key in context:
        if key in SETTINGS:
            place = f"{WHERE}.environments.<name>.{key}"
            problems.append(f"{WHERE}.{key}: belongs to an environment: move it to {place}")
        elif key not in _KEYS:
            near = _near(key, _KEYS)
            hint = f"did you mean {near!r}?" if near else f"use {' and '.join(_KEYS)}"
            problems.append(f"{WHERE}.{key}: unknown key: {hint}")
    where, example = f"{WHERE}.environments", '{"dev": {"region": "us-east-1"}}'
    if "environments" not in context:
        problems.append(f"{where} is missing: write {example}")
        return {}
    environments = context["environments"]
    if not isinstance(environments, Mapping):
        problems.append(f"{where}: {shown(environments)} must be an object: write {example}")
        return {}
    if not environments:
        problems.append(f"{where} is empty: write at least one, for example {example}")
    return environments


def _chosen(
    environments: Mapping[str, Any], default: Any, environment: Any, problems: list[str]
) -> str | None:
    """The environment's name; reports a default or a choice that is none."""
    if not environments:
        return None
    known = ", ".join(sorted(environments))
    if environment is not None:
        if environment == "":
            problems.append(f"--context environment= is empty: use one of {known}")
        elif environment not in environments:
            problems.append(
                f"--context environment={environment}: there is no environment "
                f"{shown(environment)} under {WHERE}.environments: use one of {known}"
            )
    if default is None:
        if environment is None:
            problems.append(
                f"{WHERE}.environment is missing, and no other is chosen: write one of {known}, "
                "or add --context environment=NAME to the command"
            )
    elif not isinstance(default, str) or default not in environments:
        problems.append(
            f"{WHERE}.environment: {shown(default)} is not one of the environments: use {known}"
        )
    chosen = default if environment is None else environment
    return chosen if isinstance(chosen, str) and chosen in environments else None


def _settings(name: str, raw: Mapping[str, Any]) -> Settings:
    values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in raw.items()}
    return Settings(name=name, **values)


def _problems(name: str, raw: Any) -> list[str]:
    """Everything that is wrong with one environment."""
    where = f"{WHERE}.environments.{name}"
    problems = []
    if not (2 <= len(name) <= 8 and name.isascii() and name.isalnum() and name == name.lower()):
        problems.append(f"{where}: the name must be 2 to 8 lower-case letters or digits")
    if not isinstance(raw, Mapping):
        return [*problems, f'{where}: {shown(raw)} must be an object: write {{"region": "…"}}']
    sound: dict[str, Any] = {}
    wrong: set[str] = set()
    for written, value in raw.items():
        key = written
        if written not in SETTINGS:
            key = _near(written, SETTINGS)
            hint = f"did you mean {key!r}?" if key else f"use {', '.join(SETTINGS)}"
            problems.append(f"{where}.{written}: unknown key: {hint}")
            # Its value is checked as that of the key that was probably meant, unless that is there.
            if not key or key in raw:
                continue
        said = SETTINGS[key].kind.wrong(value)
        if said:
            problems.append(f"{where}.{written}: {said}")
            wrong.add(key)
        else:
            sound[key] = value
    if "region" not in sound and "region" not in wrong:
        problems.append(f'{where}.region is missing: write, for example, "us-east-1"')
        wrong.add("region")
    defaults = {f.name: f.default for f in fields(Settings) if f.default is not MISSING}
    for key, said in contradictions(sound, defaults=defaults, wrong=wrong):
        between = " " if said.startswith("is missing") else ": "
        problems.append(f"{where}.{key}{between}{said}")
    return problems


def _near(word: str, known: Any) -> str:
    """The known word that looks most like another one, or ""."""
    close = get_close_matches(word.lower().replace("-", "_"), known, n=1)
    return close[0] if close else ""
