"""A network that cannot carry functions and jobs is refused with everything that it lacks."""

from dataclasses import replace
from typing import Any

import pytest

from bedrock_tuning.contracts.preflight import (
    ObservedEndpoint,
    ObservedNetwork,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    problems,
)
from bedrock_tuning.contracts.vpc_endpoints import VpcEndpoint

S3 = VpcEndpoint(service="s3", actions=("s3:GetObject",))
BEDROCK = VpcEndpoint(service="bedrock", actions=("bedrock:GetCustomModel",))
NEEDED = (S3, BEDROCK)
HTTPS_OUT = SecurityGroupRule(protocol="tcp", from_port=443, to_port=443, cidrs=("0.0.0.0/0",))
JOBS = SecurityGroup(
    id="sg-jobs",
    vpc="vpc-1",
    ingress=(SecurityGroupRule(protocol="-1", groups=frozenset({"sg-jobs"})),),
    egress=(HTTPS_OUT,),
)
DOORS = SecurityGroup(
    id="sg-doors",
    vpc="vpc-1",
    ingress=(
        SecurityGroupRule(
            protocol="tcp", from_port=443, to_port=443, groups=frozenset({"sg-jobs"})
        ),
    ),
)
GATEWAY = ObservedEndpoint(id="vpce-s3", service="s3", gateway=True)
INTERFACE = ObservedEndpoint(
    id="vpce-bedrock", service="bedrock", private_dns=True, groups=frozenset({"sg-doors"})
)
SUBNETS = tuple(
    Subnet(
        id=f"subnet-{n}",
        vpc="vpc-1",
        zone=f"use1-az{n}",
        cidr=f"10.0.{n}.0/24",
        targets=frozenset({"local", "vpce-s3"}),
    )
    for n in (1, 2)
)
GOOD = ObservedNetwork(
    zones=frozenset({"use1-az1", "use1-az2"}),
    subnets=SUBNETS,
    groups=(JOBS, DOORS),
    chosen=frozenset({"sg-jobs"}),
    endpoints=(GATEWAY, INTERFACE),
    private_names=True,
)


def _door(**changes: Any) -> tuple[SecurityGroup, SecurityGroup]:
    (rule,) = DOORS.ingress
    return JOBS, replace(DOORS, ingress=(replace(rule, **changes),))


def test_a_whole_network_is_accepted() -> None:
    assert problems(GOOD, NEEDED) == []


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (replace(GOOD, subnets=SUBNETS[:1]), "no subnet in use1-az2"),
        (
            replace(GOOD, subnets=(SUBNETS[0], replace(SUBNETS[1], vpc="vpc-2"))),
            "lie in 2 VPCs (vpc-1, vpc-2)",
        ),
        (replace(GOOD, groups=(replace(JOBS, ingress=()), DOORS)), "none of sg-jobs lets itself"),
        (
            replace(GOOD, groups=(replace(JOBS, ingress=DOORS.ingress), DOORS)),
            "none of sg-jobs lets itself",
        ),
        (replace(GOOD, groups=(replace(JOBS, egress=()), DOORS)), "lets HTTPS out"),
        (
            replace(GOOD, groups=(replace(JOBS, egress=(replace(HTTPS_OUT, to_port=80),)), DOORS)),
            "lets HTTPS out",
        ),
        (replace(GOOD, private_names=False), "enableDnsSupport and enableDnsHostnames"),
        (replace(GOOD, endpoints=(INTERFACE,)), "the endpoint of s3 is missing"),
        (replace(GOOD, endpoints=(GATEWAY,)), "the endpoint of bedrock is missing"),
        (
            replace(GOOD, endpoints=(GATEWAY, replace(INTERFACE, available=False))),
            "the endpoint of bedrock is not available yet",
        ),
        (
            replace(GOOD, endpoints=(GATEWAY, replace(INTERFACE, private_dns=False))),
            "vpce-bedrock (bedrock): private DNS is off",
        ),
        (
            replace(GOOD, subnets=(SUBNETS[0], replace(SUBNETS[1], targets=frozenset()))),
            "subnet-2: no route to the gateway endpoint of s3",
        ),
        (replace(GOOD, groups=(JOBS, replace(DOORS, ingress=()))), "do not let HTTPS in from"),
        (replace(GOOD, groups=_door(to_port=443, from_port=444)), "do not let HTTPS in from"),
        (replace(GOOD, groups=_door(protocol="udp")), "do not let HTTPS in from sg-jobs"),
        (
            replace(GOOD, groups=_door(groups=frozenset({"sg-other"}))),
            "do not let HTTPS in from sg-jobs",
        ),
        (
            replace(GOOD, groups=_door(groups=frozenset(), cidrs=("10.0.1.0/24",))),
            "do not let HTTPS in from sg-jobs",
        ),
    ],
)
def test_each_lack_is_told_once_with_what_to_do(network: ObservedNetwork, said: str) -> None:
    found = problems(network, NEEDED)

    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    "network",
    [
        replace(GOOD, groups=_door(groups=frozenset(), cidrs=("10.0.0.0/16",))),
        replace(GOOD, groups=_door(groups=frozenset(), cidrs=("10.0.1.0/24", "10.0.2.0/24"))),
        replace(GOOD, groups=_door(groups=frozenset(), cidrs=("0.0.0.0/0",), protocol="-1")),
        replace(
            GOOD,
            endpoints=(INTERFACE, replace(INTERFACE, id="vpce-i", service="s3")),
            subnets=tuple(replace(subnet, targets=frozenset()) for subnet in SUBNETS),
        ),
        replace(GOOD, endpoints=(replace(GATEWAY, id="vpce-other"), GATEWAY, INTERFACE)),
    ],
    ids=["by network", "by subnets", "by everything", "S3 by an interface", "one of two gateways"],
)
def test_what_works_in_another_way_is_accepted(network: ObservedNetwork) -> None:
    assert problems(network, NEEDED) == []


def test_everything_that_is_wrong_is_said_at_once() -> None:
    bare = replace(GOOD, subnets=SUBNETS[:1], endpoints=(), private_names=False)

    assert len(problems(bare, NEEDED)) == 4
