"""The settings of the network in which functions and jobs run."""

import re
from dataclasses import dataclass

from bedrock_tuning.config import settings_limits
from bedrock_tuning.config.fields import Flag, NetworkAddresses, Number, TextList, described


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Whether there is one, and of what it is made."""

    vpc: bool = described(
        Flag(),
        "Runs functions and jobs in a network without internet access. The app creates it, "
        "unless `vpc_subnets` names yours.",
        default=False,
    )
    vpc_cidr: str = described(
        # AWS takes networks of these sizes; each zone gets a sixteenth, no subnet is below /28.
        NetworkAddresses(prefixes=range(16, 25), example="10.42.0.0/16"),
        "The addresses of the app's own network; each zone gets a sixteenth of them.",
        default="10.42.0.0/16",
    )
    vpc_zones: tuple[str, ...] = described(
        TextList(
            pattern=re.compile(r"[a-z]{3,6}[0-9]-az[0-9]{1,2}"),
            what="the id of an Availability Zone",
            example="use1-az1",
            most=settings_limits.SUBNETS_MAX,
            why_most="Bedrock's jobs take no more subnets",
        ),
        "The Availability Zones of the app's own network, by id: unlike a name, an id is the "
        "same zone in every account. Empty: all zones of the Region.",
        default=(),
    )
    vpc_endpoint_zones: int = described(
        Number(
            least=2,
            why_least="one of them may fail",
            most=settings_limits.SUBNETS_MAX,
            why_most="Bedrock's jobs take no more subnets",
        ),
        "How many of the zones, from the first, hold functions and interface endpoints. AWS "
        "bills each endpoint by the hour and zone.",
        default=2,
    )
    vpc_subnets: tuple[str, ...] = described(
        TextList(
            pattern=re.compile(r"subnet-[0-9a-f]{8,17}"),
            what="the id of a subnet",
            example="subnet-0123456789abcdef0",
            most=settings_limits.SUBNETS_MAX,
            why_most="Bedrock's jobs take no more",
        ),
        "Your subnets, used instead of a network that the app creates.",
        default=(),
    )
    vpc_security_groups: tuple[str, ...] = described(
        TextList(
            pattern=re.compile(r"sg-[0-9a-f]{8,17}"),
            what="the id of a security group",
            example="sg-0123456789abcdef0",
            most=settings_limits.SECURITY_GROUPS_MAX,
            why_most="Bedrock's jobs take no more",
        ),
        "Your security groups. Required with `vpc_subnets`.",
        default=(),
    )
