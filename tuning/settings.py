"""The settings of one environment: cdk.json's context under "tuning" → a checked dataclass."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from tuning.errors import SettingsError

SERVICE_ROLE_PROFILES = ("documented", "strict")
# Step Functions ends an execution after a year; a job after the approval needs its time too.
APPROVAL_DAYS_MAX: Final = 300
# An execution's history holds 25,000 events. A look at an endpoint takes about ten, and undoing
# what was begun may take as long as it did.
LOOKS_MAX: Final = 1_000
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")


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
    return Settings(name=name, **raw)


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
        elif types[key] is int and (type(value) is not int or value < 1):
            problems.append(f"{where}.{key}: {value!r} must be a whole number of at least 1")
        elif types[key] is not int and not isinstance(value, str):
            problems.append(f"{where}.{key}: {value!r} must be text")
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
    return problems or _contradictions(where, Settings(name=name, **raw))


def _contradictions(where: str, settings: Settings) -> list[str]:
    """Values that are possible one by one and would end an execution before its work is done."""
    problems = []
    if settings.approval_days > APPROVAL_DAYS_MAX:
        problems.append(
            f"{where}.approval_days: {settings.approval_days} is more than {APPROVAL_DAYS_MAX}: "
            "a workflow lives one year, and the job comes after the approval"
        )
    looks = settings.serving_timeout_seconds // settings.poll_seconds
    if looks > LOOKS_MAX:
        least = -(-settings.serving_timeout_seconds // LOOKS_MAX)
        problems.append(
            f"{where}.poll_seconds: {settings.poll_seconds} asks {looks:,} times in "
            f"serving_timeout_seconds, and a workflow's history has room for {LOOKS_MAX:,}: "
            f"use at least {least}"
        )
    return problems
