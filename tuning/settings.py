"""The settings of one environment: cdk.json's context under "tuning" → a checked dataclass."""

import difflib
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from tuning import network
from tuning.errors import SettingsError

SERVICE_ROLE_PROFILES = ("documented", "strict")
# Step Functions ends an execution after a year; a job after the approval needs its time too.
APPROVAL_DAYS_MAX: Final = 300
# An execution's history holds 25,000 events. A look at an endpoint takes about ten, and undoing
# what was begun may take as long as it did.
LOOKS_MAX: Final = 1_000
# A shard's result is about 60 bytes in the workflow's state.
IMAGES_PER_SHARD_MIN: Final = 500
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
_ZONE: Final = re.compile(r"[a-z]{3,6}[0-9]-az[0-9]{1,2}")
_SUBNET: Final = re.compile(r"subnet-[0-9a-f]{8,17}")
_SECURITY_GROUP: Final = re.compile(r"sg-[0-9a-f]{8,17}")
# A role's path and name with IAM's wildcards; it must not begin with one, or it could mean all.
_ROLE: Final = re.compile(r"[A-Za-z0-9][\w+=,.@/*?-]{2,}", re.ASCII)
# AWS takes networks of these sizes; each zone gets a sixteenth, and no subnet is below /28.
_CIDR_PREFIX: Final = range(16, 25)
_LISTS: Final = {
    "vpc_zones": (_ZONE, "zone ids, for example use1-az1"),
    "vpc_subnets": (_SUBNET, "subnet ids, for example subnet-0123456789abcdef0"),
    "vpc_security_groups": (_SECURITY_GROUP, "group ids, for example sg-0123456789abcdef0"),
    "data_roles": (_ROLE, "names of IAM roles with their paths; * and ? may stand after the start"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One environment.

    name: 2 to 8 characters, lower case; part of stack, job and model names.
    region: where buckets, jobs and models live; the models' regions are checked against it.
    functions: "lambda" runs on AWS (Python 3.13, arm64); "host" fits the local AWS, whose functions
        run on this machine's interpreter and processor. It decides which wheels the layer holds.
    service_role: "documented" = AWS's sample (reads and writes the output folder); "strict" =
        write-only output, untested on AWS (bedrock-facts.md §5.2).
    alarm_email: subscribed to the topic when set.
    permissions_boundary: ARN of a managed policy put on every role when set.
    role_name_prefix: begins the name of every role when set, for accounts that demand one.
    poll_seconds, serving_timeout_seconds: how the workflow watches an endpoint that is being made.
    approval_days: how long a run waits for a person's approval of its price.
    vpc: functions and jobs run in a network without a way out. By default the app makes it, from
        vpc_cidr, with a subnet in each of vpc_zones (ids such as use1-az1, which mean the same
        place in every account; empty: all of the Region), functions and interface endpoints, which
        cost by the hour and zone, in the first vpc_endpoint_zones of them. With vpc_subnets and
        vpc_security_groups it uses yours instead; tuning.preflight says what they must have.
    model_key: custom models are encrypted with a key of this account.
    deny_others: datasets and results are refused to everybody but the app's roles that need them
        and data_roles (role names, with path and wildcards): whoever uploads and reads reports.
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
        return self.vpc_zones or network.ZONES.get(self.region, ())

    @property
    def own_network(self) -> bool:
        """Whether the app makes the network itself."""
        return self.vpc and not self.vpc_subnets


def read(context: Any, *, environment: str | None = None) -> Settings:
    """The settings of `environment`, or of the one that the context names as its default.

    context: {"environment": "dev", "environments": {"dev": {...}, ...}}.
    Raises SettingsError with every problem, each naming the key in cdk.json.
    """
    if not isinstance(context, Mapping) or not isinstance(context.get("environments"), Mapping):
        raise SettingsError(
            ['cdk.json: context.tuning needs "environment" and "environments": {"dev": {…}}']
        )
    environments: Mapping[str, Any] = context["environments"]
    name = str(environment or context.get("environment"))
    if name not in environments:
        known = ", ".join(sorted(environments))
        raise SettingsError(
            [f"cdk.json: no environment {name!r} under context.tuning: use {known}"]
        )
    where = f"cdk.json: context.tuning.environments.{name}"
    raw = environments[name]
    if not isinstance(raw, Mapping):
        raise SettingsError([f"{where} must be an object"])
    problems = _problems(where, name, raw)
    if problems:
        raise SettingsError(problems)
    return _settings(name, raw)


def _settings(name: str, raw: Mapping[str, Any]) -> Settings:
    values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in raw.items()}
    return Settings(name=name, **values)


def _problems(where: str, name: str, raw: Mapping[str, Any]) -> list[str]:
    problems = []
    if not (2 <= len(name) <= 8 and name.isascii() and name.isalnum() and name == name.lower()):
        problems.append(f"{where}: the name must be 2 to 8 lower-case letters or digits")
    types = {f.name: f.type for f in fields(Settings) if f.name != "name"}
    for key, value in raw.items():
        if key not in types:
            near = difflib.get_close_matches(key, types, n=1)
            hint = f": did you mean {near[0]!r}?" if near else f": use {', '.join(types)}"
            problems.append(f"{where}.{key}: unknown key{hint}")
        else:
            wrong = _wrong_type(key, types[key], value)
            problems += [f"{where}.{key}: {value!r} {wrong}"] if wrong else []
    choices = {"functions": ("lambda", "host"), "service_role": SERVICE_ROLE_PROFILES}
    for key, allowed in choices.items():
        if key in raw and raw[key] not in allowed:
            problems.append(f"{where}.{key}: {raw[key]!r} must be one of {', '.join(allowed)}")
    if "region" not in raw:
        problems.append(f'{where}.region is missing: write, for example, "us-east-1"')
    elif isinstance(raw["region"], str) and not _REGION.fullmatch(raw["region"]):
        problems.append(
            f'{where}.region: {raw["region"]!r} is no Region: write, for example, "us-east-1"'
        )
    return problems or _contradictions(where, _settings(name, raw))


def _wrong_type(key: str, kind: Any, value: Any) -> str:
    """What is wrong with a value, as the end of a sentence; "" if nothing."""
    if kind is int:
        fits = type(value) is int and value >= 1
        return "" if fits else "must be a whole number of at least 1"
    if kind is bool:
        return "" if isinstance(value, bool) else "must be true or false"
    if key in _LISTS:
        pattern, example = _LISTS[key]
        fits = isinstance(value, list | tuple) and all(
            isinstance(item, str) and pattern.fullmatch(item) for item in value
        )
        return "" if fits else f"must be a list of {example}"
    return "" if isinstance(value, str) else "must be text"


def _contradictions(where: str, settings: Settings) -> list[str]:
    """Values that are possible one by one and would end an execution before its work is done."""
    problems = []
    if settings.approval_days > APPROVAL_DAYS_MAX:
        problems.append(
            f"{where}.approval_days: {settings.approval_days} is more than {APPROVAL_DAYS_MAX}: "
            "a workflow lives one year, and the job comes after the approval"
        )
    if settings.images_per_shard < IMAGES_PER_SHARD_MIN:
        problems.append(
            f"{where}.images_per_shard: {settings.images_per_shard} is less than "
            f"{IMAGES_PER_SHARD_MIN}: so many shards of 550,000 images would not fit "
            "into a workflow's state of 256 KiB"
        )
    looks = settings.serving_timeout_seconds // settings.poll_seconds
    if looks > LOOKS_MAX:
        least = -(-settings.serving_timeout_seconds // LOOKS_MAX)
        problems.append(
            f"{where}.poll_seconds: {settings.poll_seconds} asks {looks:,} times in "
            f"serving_timeout_seconds, and a workflow's history has room for {LOOKS_MAX:,}: "
            f"use at least {least}"
        )
    return problems + [f"{where}.{text}" for text in (*_network(settings), *_data(settings))]


def _network(settings: Settings) -> list[str]:
    """What does not go together about the network."""
    own = (settings.vpc_subnets, settings.vpc_security_groups)
    if not settings.vpc:
        named = [key for key in _LISTS if key.startswith("vpc_") and getattr(settings, key)]
        return [f"{key}: without vpc = true nothing would use it" for key in named]
    if any(own):
        return _own_subnets(settings)
    problems = []
    zones = settings.zones
    if not zones:
        problems.append(
            f"vpc_zones is missing: the zones of {settings.region} are not known; "
            "`aws ec2 describe-availability-zones` lists their ids"
        )
    elif not 2 <= settings.vpc_endpoint_zones <= len(zones) <= network.SUBNETS_MAX:
        problems.append(
            f"vpc_endpoint_zones: {settings.vpc_endpoint_zones} of {len(zones)} zones; use 2, so "
            "that one may fail, to the number of vpc_zones, and at most "
            f"{network.SUBNETS_MAX} of those"
        )
    if len(set(zones)) != len(zones):
        problems.append("vpc_zones: a zone is named twice")
    try:
        prefix = ipaddress.IPv4Network(settings.vpc_cidr).prefixlen
    except ValueError:
        prefix = 0
    if prefix not in _CIDR_PREFIX:
        problems.append(
            f"vpc_cidr: {settings.vpc_cidr!r} must be a network of a size from "
            f'/{_CIDR_PREFIX[0]} to /{_CIDR_PREFIX[-1]}, for example "10.42.0.0/16"'
        )
    return problems


def _own_subnets(settings: Settings) -> list[str]:
    subnets, groups = settings.vpc_subnets, settings.vpc_security_groups
    problems = []
    if not subnets or not groups:
        missing = "vpc_security_groups" if subnets else "vpc_subnets"
        problems.append(f"{missing} is missing: subnets and security groups go together")
    for key, ids, most in (
        ("vpc_subnets", subnets, network.SUBNETS_MAX),
        ("vpc_security_groups", groups, network.SECURITY_GROUPS_MAX),
    ):
        if len(ids) > most:
            problems.append(f"{key}: {len(ids)} are more than the {most} that Bedrock takes")
    if settings.vpc_zones:
        problems.append("vpc_zones: your subnets are where they are; leave it out")
    return problems


def _data(settings: Settings) -> list[str]:
    if settings.deny_others and not settings.data_roles:
        return ["data_roles is missing: with deny_others nobody could upload a dataset"]
    if settings.data_roles and not settings.deny_others:
        return ["data_roles: without deny_others = true nothing would use it"]
    return []
