"""The table of settings: what each is, may be and defaults to. To add a setting, add a field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bedrock_tuning.config import settings_limits
from bedrock_tuning.config.customization_fields import OWN_TAGS_MAX
from bedrock_tuning.config.fields import (
    REGION_NAME,
    Choice,
    Field,
    Flag,
    Number,
    TextField,
    TextList,
    described,
    fields_of,
)
from bedrock_tuning.config.names import NAME, PERSONAS
from bedrock_tuning.config.sections.existing import ExistingSettings
from bedrock_tuning.config.sections.network import NetworkSettings
from bedrock_tuning.config.settings_limits import (
    ACCOUNT_ID,
    APPROVAL_DAYS_MAX,
    DATA_ROLES_MAX,
    DAYS,
    IMAGES_PER_SHARD_MAX,
    IMAGES_PER_SHARD_MIN,
    LOG_RETENTION_DAYS,
    PEOPLE_MAX,
    POLL_SECONDS_MAX,
    ROLE_NAME_PREFIX_MAX,
    ROLE_PATH_MAX,
    SERVICE_ROLE_PROFILES,
    SERVING_TIMEOUT_SECONDS_MAX,
)
from bedrock_tuning.config.tags import TagTable


@dataclass(frozen=True, kw_only=True)
class GeneralSettings:
    """Where an environment is, and how it runs, keeps, tells and protects.

    name: part of the names of stacks, jobs and models (names.py).
    """

    name: str
    region: str = described(
        TextField(
            pattern=REGION_NAME,
            what="a Region",
            example="us-east-1",
            most=25,
        ),
        "The Region of buckets, jobs and models. The base model of every customization must "
        "be available for customization there.",
    )
    functions: Literal["lambda", "host"] = described(
        Choice(choices=("lambda", "host")),
        'Where functions run, which decides the wheels in their layer: `"lambda"` is AWS '
        'Lambda (Python 3.13, arm64); `"host"` is this machine, for the local AWS.',
        default="lambda",
    )
    service_role: Literal["documented", "strict"] = described(
        Choice(choices=SERVICE_ROLE_PROFILES),
        "What Bedrock's service role may do with a job's output folder: `\"documented\"` "
        'reads, lists and writes it, as in the sample policy of AWS; `"strict"` only writes '
        "(not tested on AWS).",
        default="documented",
    )
    jobs_started_by: Literal["starter", "workflow"] = described(
        Choice(choices=("starter", "workflow")),
        'Who starts jobs. `"starter"`: a role per customization, which the workflow assumes and '
        'which can pass only its own service role. `"workflow"`: the workflow\'s own role, for all '
        "customizations; use it only if AWS refuses `Credentials` of a role of the same account. "
        "[Decision 14](decisions/0014-who-starts-jobs.md) says what is weaker then.",
        default="starter",
    )
    log_retention_days: int = described(
        Choice(choices=LOG_RETENTION_DAYS, why="CloudWatch Logs takes no other number"),
        "How long the logs of functions, workflow and bucket access are kept.",
        default=90,
    )
    noncurrent_days: int = described(
        DAYS,
        "How long replaced and deleted versions of objects can be restored.",
        default=30,
    )
    work_days: int = described(
        DAYS,
        "How long the intermediate results of a check are kept. Reports are not deleted.",
        default=14,
    )
    images_per_shard: int = described(
        Number(
            least=IMAGES_PER_SHARD_MIN,
            why_least="more shards of 550,000 images would exceed a workflow's state of 256 KiB",
            most=IMAGES_PER_SHARD_MAX,
            why_most="a function must finish a shard within 15 minutes",
        ),
        "How many images one invocation checks. A failed invocation is retried for its shard "
        "alone.",
        default=5_000,
    )
    poll_seconds: int = described(
        Number(
            least=1,
            most=POLL_SECONDS_MAX,
            why_most="an endpoint is billed from the moment it is ready",
        ),
        "How long the workflow waits before it checks again whether an endpoint is ready.",
        default=60,
    )
    serving_timeout_seconds: int = described(
        Number(
            least=1,
            most=SERVING_TIMEOUT_SECONDS_MAX,
            why_most="Provisioned Throughput takes 20 to 45 minutes; after a day it has failed",
        ),
        "How long the workflow waits for an endpoint before it gives up and deletes it.",
        default=7_200,
    )
    tracing: bool = described(
        Flag(),
        "Sends traces of functions and workflow to AWS X-Ray. Their roles may then send traces, "
        "which IAM cannot limit to resources, and a network has one more endpoint.",
        default=False,
    )
    approval_days: int = described(
        Number(
            least=1,
            most=APPROVAL_DAYS_MAX,
            why_most="an execution ends after a year, and the job comes after the approval",
        ),
        "How long a run waits for somebody to approve its price.",
        default=7,
    )
    alarm_email: str = described(
        TextField(
            pattern=re.compile(
                r"[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII
            ),
            what="an e-mail address",
            example="ml-platform@example.com",
            most=254,
            optional=True,
        ),
        "Receives alarms and a message when a run is served, rejected, fails or waits for "
        "approval. AWS first sends a link that the recipient must confirm. Without an address, "
        "subscribe to the topic yourself to receive messages.",
        default="",
    )
    slack_workspace: str = described(
        TextField(
            pattern=re.compile(r"[A-Z0-9]+", re.ASCII),
            what="the id of a Slack workspace",
            example="T0EXAMPLE",
            most=255,
            optional=True,
        ),
        "The Slack workspace of `slack_channel`. Somebody has to allow it once in the console of "
        "Amazon Q Developer in chat applications: [Chat](how-to/chat.md).",
        default="",
    )
    slack_channel: str = described(
        TextField(
            pattern=re.compile(r"[A-Z0-9]+", re.ASCII),
            what="the id of a Slack channel",
            example="C0EXAMPLE",
            most=255,
            optional=True,
        ),
        "Shows alarms and messages in this channel, from which nobody can act. What is shown "
        "leaves AWS: names, prices, reasons of failures.",
        default="",
    )
    account: str = described(
        ACCOUNT_ID,
        "The account of this environment. `cdk deploy` with credentials of another account fails "
        "before it changes anything.",
        default="",
    )
    attestation: str = described(
        TextField(
            pattern=re.compile(r"[\w.-]+(/[\w.-]+)*\.json", re.ASCII),
            what="a file of JSON, relative to cdk.json",
            example="attestations/prod.json",
            most=200,
            optional=True,
        ),
        "The file in which `tuning review --attest` recorded what was reviewed. `cdk deploy` "
        "refuses anything else, before it changes anything. Anyone who can change this file can "
        "attest: protect it as you protect cdk.json. Empty: nothing has to be attested.",
        default="",
    )
    max_hourly_usd: float | None = described(
        Number(
            least=0,
            most=999_999_999,
            why_most="a billion dollars is a typing error",
            whole=False,
        ),
        "The maximum price per hour of everything that the customizations may serve at one time, "
        "in US dollars. Synthesis refuses what could exceed it, and what has no known price. "
        "Default: no limit.",
        default=None,
    )
    protected: bool = described(
        Flag(),
        "Termination protection for the stacks of data, network and pipeline, and deletion "
        "protection for the runs table. Set it after the first deployment: with it, a first "
        "deployment that fails could not be undone.",
        default=False,
    )
    permissions_boundary: str = described(
        TextField(
            pattern=re.compile(
                r"arn:aws(-[a-z]+)*:iam::([0-9]{12}|aws):policy/([!-~]+/)?[\w+=,.@-]{1,128}",
                re.ASCII,
            ),
            what="the ARN of a managed policy",
            example="arn:aws:iam::111122223333:policy/Boundary",
            most=700,
            optional=True,
        ),
        "A managed policy that every role gets as its permissions boundary.",
        default="",
    )
    role_name_prefix: str = described(
        TextField(
            pattern=re.compile(r"[\w+=,.@-]+", re.ASCII),
            what="letters, digits and + = , . @ _ - only",
            example="team-",
            most=ROLE_NAME_PREFIX_MAX,
            optional=True,
        ),
        "The beginning of every role's name, for accounts that require one.",
        default="",
    )
    role_path: str = described(
        TextField(
            pattern=re.compile(r"/([\w+=,.@-]+/)+", re.ASCII),
            what="a path that begins and ends with /",
            example="/ml-platform/",
            most=ROLE_PATH_MAX,
            optional=True,
        ),
        "The IAM path of every role, for accounts that require one. It cannot be changed later "
        "without replacing the roles.",
        default="",
    )
    tags: Mapping[str, str] = described(
        TagTable(most=OWN_TAGS_MAX),
        "Tags of every stack with its resources, and of jobs, models and endpoints. A "
        "customization's tag with the same key takes precedence.",
        default={},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(NetworkSettings, ExistingSettings, GeneralSettings):
    """One environment: the whole table of settings, which docs/settings.md shows."""

    model_key: bool = described(
        Flag(),
        "Encrypts custom models with a key of this account.",
        default=False,
    )
    deny_others: bool = described(
        Flag(),
        "Denies access to datasets and results to everybody except `data_roles` and those "
        "roles of the app that need it.",
        default=False,
    )
    data_roles: tuple[str, ...] = described(
        TextList(
            # With IAM's wildcards; it must not begin with one, or it could mean all roles.
            pattern=re.compile(r"[A-Za-z0-9][\w+=,.@/*?-]{2,}", re.ASCII),
            what="the name of a role with its path, of at least 3 characters (* and ? are allowed "
            "after the first)",
            example="DataScientist-*",
            most=DATA_ROLES_MAX,
            why_most="a bucket's policy holds 20 KiB",
        ),
        "The roles of people who upload datasets and read reports. Required with `deny_others`.",
        default=(),
    )

    people: tuple[str, ...] = described(
        TextList(
            pattern=re.compile(
                rf"(?:(?:{'|'.join(PERSONAS)})|uploader\.{NAME.pattern})"
                r"=[A-Za-z0-9][\w+=,.@/*?-]{2,}",
                re.ASCII,
            ),
            what="one of "
            f"{', '.join(PERSONAS)} or uploader.CUSTOMIZATION, then = and the name of a role with "
            "its path, of at least 3 characters (* and ? are allowed after the first)",
            example="approver=Finance-*",
            most=PEOPLE_MAX,
            why_most="a trust policy holds 2,048 characters",
        ),
        "Roles of this account that may assume a role with a persona's policy, which the app then "
        "creates. Without it, the app creates the policies only, for you to attach to your own "
        "roles. No role may be both uploader and approver.",
        default=(),
    )

    def becomes(self, persona: str, customization: str = "") -> tuple[str, ...]:
        """The roles that may become a persona; of an uploader: that of a customization."""
        entries = (persona, f"{persona}.{customization}")
        pairs = (entry.partition("=") for entry in self.people)
        return tuple(role for name, _, role in pairs if name in entries)

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones of the app's own network, those for functions and endpoints first."""
        return self.vpc_zones or settings_limits.ZONES.get(self.region, ())

    @property
    def own_network(self) -> bool:
        """Whether the app creates the network itself."""
        return self.vpc and not self.vpc_subnets


SETTINGS: Final[Mapping[str, Field]] = fields_of(Settings)
