"""The terms of a contract: who may do what, to what, under which conditions.

A contract is the only place where a permission is written. The constructs compile it into policies,
and `review` proves that the synthesized templates grant exactly that. Resources are texts with
placeholders for what only a deployment knows: {training} is that bucket's ARN, {training:name} its
name, {vpc:DefaultSecurityGroup} another attribute, {partition}, {region} and {account} where it is
deployed; * and ? are IAM's wildcards.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.lambda_environment import LambdaEnvironment
from bedrock_tuning.config.names import stack_name, used_parameter
from bedrock_tuning.config.settings import Settings

PLACEHOLDER: Final = re.compile(r"\{([a-z][\w.\-]*)(?::(\w+))?\}", re.ASCII | re.IGNORECASE)
# The workflow reads a customization's settings once: a deployment changes no run on its way.
SETTINGS_STATE: Final = "$.settings"
SETTINGS_VALUE: Final = f"{SETTINGS_STATE}.value"
# How a state discards its result: a template holds no null (docs/facts/workflow.md).
DISCARDED: Final = {"ResultSelector": {"result": "discarded"}, "ResultPath": "$.discarded"}
# What Step Functions calls it that a folder is no customization's.
NO_SETTINGS: Final = "Ssm.ParameterNotFoundException"
# What it calls Bedrock's answer when as many jobs run as may; nothing was started then.
NO_SLOT: Final = "Bedrock.ServiceQuotaExceededException"
# The function of the customizations' custom resources.
PROVIDER: Final = "function.ProvisionedThroughput"
# Measured: checks and pages are bound by the processor; Lambda gives a whole one at 1,769 MB.
ONE_PROCESSOR_MB: Final = 1_769
MACHINE: Final = "AWS::StepFunctions::StateMachine"
TOPIC: Final = "topic"  # where messages and alarms go
COMMIT: Final = "Commit"  # a placeholder of the definition: no contract says which it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One line of a policy's Condition: operator, key, and the values of which one must fit."""

    operator: str
    key: str
    values: tuple[str, ...]

    @classmethod
    def of(cls, operator: str, key: str, *values: str) -> "Condition":
        """The same in one line, as most are written."""
        return cls(operator=operator, key=key, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A permission that must be given, and beyond which nothing may be.

    why: one clause, for the reader. services: the AWS services that get it, for a resource's own
    policy; empty in a role's policy, where the role itself gets it. everybody_here: the account
    itself, which then decides by its IAM policies (key policies need that). effect: "Deny" for what
    is refused: in a resource's own policy, to every principal.
    """

    why: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    services: tuple[str, ...] = ()
    everybody_here: bool = False
    effect: Literal["Allow", "Deny"] = "Allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a construct stands: the stack's part of the app, its path there, its resource type.

    properties: all that it has but tags, as CloudFormation writes them, with placeholders; empty
    for one of which contracts do not say each.
    """

    stack: str
    path: str
    type: str
    properties: Mapping[str, Any] = field(default_factory=dict)

    def filled(self, fill: Callable[[str], str]) -> dict[str, Any]:
        """Its properties with their placeholders replaced."""
        properties: dict[str, Any] = json.loads(fill(json.dumps(self.properties)))
        return properties


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role: the one service that may assume it, under which conditions, and all it may do.

    Also a policy that people's own roles get: nobody assumes it.
    service: "" for a role that this account's own principals may assume; the conditions say which.
    refusals: what its own policy must refuse it, under their conditions. path: IAM's, with its
    slashes; it cannot be changed without replacing the role.
    """

    name: str
    place: Place
    does: str
    service: str
    trust: tuple[Condition, ...]
    grants: tuple[Grant, ...]
    refusals: tuple[Grant, ...] = ()
    path: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A resource with a policy of its own: all that it grants, and what it must refuse."""

    name: str
    place: Place
    grants: tuple[Grant, ...] = ()
    refusals: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the contracts of an environment are made from."""

    settings: Settings
    customizations: Mapping[str, CustomizationSettings]

    def variables(self, of: type[LambdaEnvironment]) -> dict[str, str]:
        """The environment variables of a function, with placeholders for names and ARNs."""
        settings = self.settings
        values: dict[str, Any] = {
            "environment": settings.name,
            "training_bucket": "{training:name}",
            "validation_bucket": "{validation:name}",
            "output_bucket": "{output:name}",
            "runs_table": "{runs:name}",
            "topic_arn": "{topic}",
            # By its name: a reference would be a cycle for functions of the workflow's own stack.
            "workflow_arn": workflow_arn(settings.name),
            "parameter_prefix": parameter_prefix(settings.name),
            "settings_prefix": settings_prefix(settings.name),
            "used_parameter": used_parameter(settings.name),
            "in_network": settings.vpc,
            "images_per_shard": settings.images_per_shard,
            "poll_seconds": settings.poll_seconds,
            "serving_timeout_seconds": settings.serving_timeout_seconds,
        }
        return of(**{field.name: values[field.name] for field in fields(of)}).to_env()


def parameter_prefix(environment: str) -> str:
    """The path of an environment's SSM parameters, which point to models and endpoints."""
    return f"/bedrock-tuning/{environment}"


def settings_prefix(environment: str) -> str:
    """The path of the customizations' settings: a tree of its own, which no function may write."""
    return f"/bedrock-tuning-settings/{environment}"


def settings_name(environment: str, customization: str) -> str:
    """The SSM parameter that holds a customization's settings."""
    return f"{settings_prefix(environment)}/{customization}"


# Log groups of Step Functions that need no entry in the account's policy of log groups.
VENDED_LOGS: Final = "/aws/vendedlogs/states/"


def workflow_name(environment: str) -> str:
    """The state machine's name; roles name it, and a reference to it would be a cycle."""
    return f"tuning-{environment}-workflow"


def workflow_arn(environment: str) -> str:
    """The state machine's ARN, from its name alone."""
    return (
        f"arn:{{partition}}:states:{{region}}:{{account}}:stateMachine:{workflow_name(environment)}"
    )


def role_path(
    settings: Settings, kind: Literal["bedrock", "start", "check", "approve", "people"]
) -> str:
    """The IAM path of roles by what they do, by which policies of buckets name them.

    Bedrock's, those that start jobs, those that write what was checked, the one that writes
    decisions; and the path of the policies of people.
    """
    return f"{base_path(settings)}tuning/{settings.name}/{kind}/"


def base_path(settings: Settings) -> str:
    """The IAM path below which all roles are."""
    return settings.role_path or "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionAnswer:
    """Where the workflow keeps what a function returns, and what of it decides how a run goes on.

    path: in the run's data. field: "" for an answer that decides nothing; values: all that the
    field can be, as the handler declares them.
    """

    path: str
    field: str = ""
    values: tuple[str, ...] = ()

    @property
    def decision(self) -> str:
        """The path of the field that decides."""
        return f"{self.path}.{self.field}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """All that is to be said about one Lambda function beside its code.

    module: in lambdas/. url: whether it has an address that takes signed requests. writes: what
    nobody else may write: what was checked, or what was decided. grants: what it needs beside its
    own logs. payload: what the workflow hands to it, by name, with the path of each value ($ is the
    run's data, $$ the execution's own) or COMMIT; empty for what something else calls. variables:
    the class that its handler reads.
    """

    name: str
    module: str
    does: str
    variables: type[LambdaEnvironment]
    grants: Callable[[Scope], tuple[Grant, ...]]
    payload: Mapping[str, str] = field(default_factory=dict)
    answer: FunctionAnswer | None = None
    memory_mb: int = 512
    disk_mb: int = 512
    timeout_minutes: int = 15
    stack: str = "pipeline"
    url: bool = False
    writes: Literal["", "check", "approve"] = ""

    @property
    def path(self) -> str:
        """Its construct in the stack."""
        return f"Functions/{self.name}" if self.stack == "pipeline" else self.name

    @property
    def handed(self) -> dict[str, str]:
        """Its payload as Step Functions writes it."""
        return dict(
            (k, f"${{{v}}}") if v == COMMIT else (f"{k}.$", v) for k, v in self.payload.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contracts:
    """All that is promised about one environment.

    chosen: its settings. places: by the names that placeholders use. people: their policies.
    role_names: the exact ones, by contract. placeholders: of the workflow's definition. settings:
    of each customization, as its parameter holds them beside the ARNs of its roles. given: the ARNs
    of what exists already, by the names that placeholders use; "data-account" is the account that
    owns the data. asked: what the policies of these must say, which somebody else writes.
    existing_roles: what service roles must be allowed that no stack makes. role_path: below which
    all roles are.
    """

    chosen: Settings
    places: Mapping[str, Place]
    roles: tuple[Role, ...]
    people: tuple[Role, ...]
    guarded: tuple[Guarded, ...]
    functions: tuple[FunctionSpec, ...]
    role_names: Mapping[str, str] = field(default_factory=dict)
    placeholders: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    asked: tuple[Guarded, ...] = ()
    existing_roles: tuple[Role, ...] = ()
    role_path: str = "/"

    @property
    def environment(self) -> str:
        """Its name."""
        return self.chosen.name

    @property
    def data_roles(self) -> tuple[str, ...]:
        """Of people, where buckets are closed to others, without "role/"."""
        return self.chosen.data_roles if self.chosen.deny_others else ()

    def known(self, name: str, attribute: str = "") -> str | None:
        """What a placeholder stands for that no template says; None for what a template makes."""
        text = self.given.get(name)
        return text.rpartition(":")[2] if text is not None and attribute == "name" else text

    @property
    def principals(self) -> tuple[Role, ...]:
        """All who may do something: roles, and whoever has a policy of people."""
        return (*self.roles, *self.people)

    @property
    def callers(self) -> tuple[Role, ...]:
        """All roles at work, those that exist already with the others."""
        return (*self.roles, *self.existing_roles)

    @property
    def imported(self) -> tuple[tuple[str, str], ...]:
        """What customizations' stacks use of the platform's: names, with their attribute or ""."""
        texts = [
            text
            for role in (*self.principals, *self.existing_roles)
            if role.place.stack in self.settings
            for text in (
                *(value for condition in role.trust for value in condition.values),
                *(resource for grant in role.grants for resource in grant.resources),
                *(v for grant in role.grants for c in grant.conditions for v in c.values),
                *(resource for refusal in role.refusals for resource in refusal.resources),
            )
        ]
        names = {match.groups("") for text in texts for match in PLACEHOLDER.finditer(text)}
        if self.settings:
            names |= {(PROVIDER, ""), (TOPIC, "")}
        platform = {name for name, place in self.places.items() if place.stack not in self.settings}
        return tuple(sorted((name, attribute) for name, attribute in names if name in platform))

    @property
    def stacks(self) -> frozenset[str]:
        """The names of all stacks."""
        # The stack of data says where the data is, also where it makes nothing itself.
        parts = {"data", *(place.stack for place in self.places.values())}
        return frozenset(stack_name(self.environment, part) for part in parts)

    def without(self, customizations: Collection[str]) -> "Contracts":
        """The contracts without some customizations."""
        return replace(
            self,
            places={n: p for n, p in self.places.items() if p.stack not in customizations},
            roles=tuple(role for role in self.roles if role.place.stack not in customizations),
            people=tuple(role for role in self.people if role.place.stack not in customizations),
            existing_roles=tuple(
                role for role in self.existing_roles if role.place.stack not in customizations
            ),
            settings={n: value for n, value in self.settings.items() if n not in customizations},
        )

    def with_property(self, kind: str, name: str, value: Any) -> "Contracts":
        """The contracts with one more property of each resource of a type."""
        places = {
            key: replace(place, properties={**place.properties, name: value})
            if place.type == kind
            else place
            for key, place in self.places.items()
        }
        return replace(self, places=places)

    def role(self, name: str) -> Role:
        """The contract of a role, without "role." in its name."""
        return next(role for role in self.roles if role.name == f"role.{name}")

    def person(self, name: str) -> Role:
        """The contract of a policy of people, without "person." in its name."""
        return next(role for role in self.people if role.name == f"person.{name}")

    def resource(self, name: str) -> Guarded:
        """The contract of a resource with a policy of its own."""
        return next(guarded for guarded in self.guarded if guarded.name == name)
