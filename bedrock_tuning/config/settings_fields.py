"""Every setting of an environment: its kind, its limits with their reasons, and what it means."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bedrock_tuning.config import network_limits
from bedrock_tuning.config.field_types import Flag, Kind, Listed, Network, OneOf, Text, Whole

SERVICE_ROLE_PROFILES: Final = ("documented", "strict")
# PutRetentionPolicy of CloudWatch Logs takes no other number of days.
LOG_RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
)  # fmt: skip
# Step Functions ends an execution after a year; a job after the approval needs its time too.
APPROVAL_DAYS_MAX: Final = 300
# An execution's history holds 25,000 events. A look at an endpoint takes about ten, and undoing
# what was begun may take as long as it did.
LOOKS_MAX: Final = 1_000
# A shard's result is about 60 bytes in the workflow's state.
IMAGES_PER_SHARD_MIN: Final = 500
# Ours: at a slow 60 images per second a function is done within its 15 minutes.
IMAGES_PER_SHARD_MAX: Final = 50_000
POLL_SECONDS_MAX: Final = 3_600
SERVING_TIMEOUT_SECONDS_MAX: Final = 86_400
DAYS_MAX: Final = LOG_RETENTION_DAYS[-1]
# IAM's names of roles have 64 characters; the rest is ours: what the role is for, and a hash.
ROLE_NAME_PREFIX_MAX: Final = 32
# A bucket's policy holds 20 KiB, and the app's own roles are in it, too.
DATA_ROLES_MAX: Final = 50
DATA_ROLES_CHARACTERS_MAX: Final = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of an environment. meaning: one or two sentences for a person."""

    kind: Kind
    meaning: str


# The defaults are in bedrock_tuning.config.settings.Settings; docs/settings.md is made from both.
SETTINGS: Final[Mapping[str, Setting]] = {
    "region": Setting(
        kind=Text(
            pattern=re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}"),
            what="a Region",
            example="us-east-1",
            most=25,
            optional=False,
        ),
        meaning="Where buckets, jobs and models live. Every customization's base model must take "
        "jobs there.",
    ),
    "functions": Setting(
        kind=OneOf(choices=("lambda", "host")),
        meaning='`"lambda"` runs on AWS (Python 3.13, arm64). `"host"` fits the local AWS, whose '
        "functions run on this machine. It decides which wheels the layer holds.",
    ),
    "service_role": Setting(
        kind=OneOf(choices=SERVICE_ROLE_PROFILES),
        meaning='What Bedrock\'s role of a job may do with the output folder: `"documented"` '
        'reads, lists and writes it, as AWS\'s sample; `"strict"` only writes (untested on AWS).',
    ),
    "log_retention_days": Setting(
        kind=OneOf(choices=LOG_RETENTION_DAYS, type="whole number"),
        meaning="How long logs of functions, workflow and bucket access are kept.",
    ),
    "noncurrent_days": Setting(
        kind=Whole(most=DAYS_MAX, why_most="ten years, as for logs"),
        meaning="How long replaced and deleted versions of objects can be restored.",
    ),
    "work_days": Setting(
        kind=Whole(most=DAYS_MAX, why_most="ten years, as for logs"),
        meaning="How long the intermediate results of a check are kept. Reports stay.",
    ),
    "images_per_shard": Setting(
        kind=Whole(
            least=IMAGES_PER_SHARD_MIN,
            why_least="more shards of 550,000 images would not fit into a workflow's state of "
            "256 KiB",
            most=IMAGES_PER_SHARD_MAX,
            why_most="a function has 15 minutes for a shard",
        ),
        meaning="How many images one invocation checks: it bounds what fails and is retried alone.",
    ),
    "poll_seconds": Setting(
        kind=Whole(
            most=POLL_SECONDS_MAX, why_most="what is ready is billed while nobody looks at it"
        ),
        meaning="How long the workflow waits between two looks at an endpoint that is being made.",
    ),
    "serving_timeout_seconds": Setting(
        kind=Whole(
            most=SERVING_TIMEOUT_SECONDS_MAX,
            why_most="Provisioned Throughput takes 20 to 45 minutes; after a day it has failed",
        ),
        meaning="How long the workflow waits for an endpoint until it gives up and removes it.",
    ),
    "approval_days": Setting(
        kind=Whole(
            most=APPROVAL_DAYS_MAX,
            why_most="a workflow lives one year, and the job comes after the approval",
        ),
        meaning="How long a run waits for a person's approval of its price.",
    ),
    "alarm_email": Setting(
        kind=Text(
            pattern=re.compile(
                r"[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII
            ),
            what="an e-mail address",
            example="ml-platform@example.com",
            most=254,
        ),
        meaning="Gets every message: runs that were served, rejected, failed or wait for approval, "
        "and alarms. AWS sends it a link first that somebody must confirm. Without it nobody is "
        "told unless you subscribe to the topic yourself.",
    ),
    "permissions_boundary": Setting(
        kind=Text(
            pattern=re.compile(
                r"arn:aws(-[a-z]+)*:iam::([0-9]{12}|aws):policy/([!-~]+/)?[\w+=,.@-]{1,128}",
                re.ASCII,
            ),
            what="the ARN of a managed policy",
            example="arn:aws:iam::111122223333:policy/Boundary",
            most=700,
        ),
        meaning="A managed policy that is put on every role as its permissions boundary.",
    ),
    "role_name_prefix": Setting(
        kind=Text(
            pattern=re.compile(r"[\w+=,.@-]+", re.ASCII),
            what="letters, digits and + = , . @ _ - only",
            example="team-",
            most=ROLE_NAME_PREFIX_MAX,
        ),
        meaning="Begins the name of every role, for accounts that demand one.",
    ),
    "vpc": Setting(
        kind=Flag(),
        meaning="Functions and jobs run in a network without a way out. The app makes it, unless "
        "`vpc_subnets` names yours.",
    ),
    "vpc_cidr": Setting(
        # AWS takes networks of these sizes; each zone gets a sixteenth, no subnet is below /28.
        kind=Network(prefixes=range(16, 25), example="10.42.0.0/16"),
        meaning="The addresses of the app's own network; each zone gets a sixteenth.",
    ),
    "vpc_zones": Setting(
        kind=Listed(
            pattern=re.compile(r"[a-z]{3,6}[0-9]-az[0-9]{1,2}"),
            what="a zone's id",
            example="use1-az1",
            most=network_limits.SUBNETS_MAX,
            why_most="Bedrock's jobs take no more subnets",
        ),
        meaning="Zones of the app's own network, by id: an id means the same place in every "
        "account. Empty: all of the Region.",
    ),
    "vpc_endpoint_zones": Setting(
        kind=Whole(
            least=2,
            why_least="so that one may fail",
            most=network_limits.SUBNETS_MAX,
            why_most="Bedrock's jobs take no more subnets",
        ),
        meaning="In how many of the zones, from the first, functions and interface endpoints "
        "stand; endpoints are billed by the hour and zone.",
    ),
    "vpc_subnets": Setting(
        kind=Listed(
            pattern=re.compile(r"subnet-[0-9a-f]{8,17}"),
            what="a subnet's id",
            example="subnet-0123456789abcdef0",
            most=network_limits.SUBNETS_MAX,
            why_most="Bedrock's jobs take no more",
        ),
        meaning="Your subnets, used instead of a network of the app's.",
    ),
    "vpc_security_groups": Setting(
        kind=Listed(
            pattern=re.compile(r"sg-[0-9a-f]{8,17}"),
            what="a security group's id",
            example="sg-0123456789abcdef0",
            most=network_limits.SECURITY_GROUPS_MAX,
            why_most="Bedrock's jobs take no more",
        ),
        meaning="Your security groups; they go together with `vpc_subnets`.",
    ),
    "model_key": Setting(
        kind=Flag(), meaning="Custom models are encrypted with a key of this account."
    ),
    "deny_others": Setting(
        kind=Flag(),
        meaning="Datasets and results are refused to everybody but the app's roles that need them "
        "and `data_roles`.",
    ),
    "data_roles": Setting(
        kind=Listed(
            # With IAM's wildcards; it must not begin with one, or it could mean all roles.
            pattern=re.compile(r"[A-Za-z0-9][\w+=,.@/*?-]{2,}", re.ASCII),
            what="a role's name with its path (* and ? may stand after its start)",
            example="DataScientist-*",
            most=DATA_ROLES_MAX,
            why_most="a bucket's policy holds 20 KiB",
        ),
        meaning="The roles of people who upload datasets and read reports, with `deny_others`.",
    ),
}
