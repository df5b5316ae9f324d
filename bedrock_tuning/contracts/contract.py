"""The words in which permissions are promised: who, may do what, to what, under which conditions.

A contract is written from intent and says nothing about how the stacks grant it; `review` proves
that the synthesized templates grant exactly that. Resources are texts with placeholders for what
only a deployment knows: {training} is that bucket's ARN, {training:name} its name, {partition},
{region} and {account} where it is deployed; * and ? are IAM's wildcards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Access = Literal["list", "read", "write", "use key", "permissions", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One line of a policy's Condition: operator, key, and the values of which one must fit."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A permission that must be given, and beyond which nothing may be.

    why: one clause, for the reader. services: the AWS services that get it, for a resource's own
    policy; empty in a role's policy, where the role itself gets it. everybody_here: the account
    itself, which then decides by its IAM policies (key policies need that).
    """

    why: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    services: tuple[str, ...] = ()
    everybody_here: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a resource's policy must refuse to everybody, whoever allows it."""

    why: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a construct stands: the stack's part of the app, its path there, its resource type."""

    stack: str
    path: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role: the one service that may assume it, under which conditions, and all it may do.

    refusals: what its own policy must refuse it, under their conditions.
    """

    name: str
    place: Place
    does: str
    service: str
    trust: tuple[Condition, ...]
    grants: tuple[Grant, ...]
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A resource with a policy of its own: all that it grants, and what it must refuse."""

    name: str
    place: Place
    grants: tuple[Grant, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Lambda function: the handler, the role it runs as, and what its environment must say."""

    name: str
    place: Place
    role: str
    handler: str
    environment: Mapping[str, str]
    log_group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contracts:
    """All that is promised about one environment.

    places: by the names that placeholders use. triggers: keys whose upload starts a run, per
    bucket. named_roles: whether roles have physical names. alarm_email: who is told by mail, if
    anybody. placeholders: of the workflow's definition. protected: stacks have termination
    protection. architecture: of the functions. table_keys: of the runs table (under "") and of its
    indexes, partition key first. retention: days, of "logs", "noncurrent"
    object versions and "work" files. serving: what each customization's custom resource says;
    custom_resources: what the others say.
    """

    environment: str
    places: Mapping[str, Place]
    roles: tuple[Role, ...]
    guarded: tuple[Guarded, ...]
    functions: tuple[Function, ...]
    trigger_buckets: tuple[str, ...]
    trigger_keys: tuple[str, ...]
    boundary: str = ""
    role_prefix: str = ""
    named_roles: bool = False
    alarm_email: str = ""
    protected: bool = True
    architecture: str = "arm64"
    table_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    placeholders: Mapping[str, str] = field(default_factory=dict)
    retention: Mapping[str, int] = field(default_factory=dict)
    serving: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    custom_resources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
