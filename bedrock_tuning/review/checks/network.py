"""Checks of a network without internet access: it is the one of the contracts."""

from collections.abc import Iterator
from typing import Final

from bedrock_tuning.review.check import Evidence, Violation, check, differing

_FIX: Final = "Deploy it as bedrock_tuning/contracts/written/vpc.py says"


@check(
    "N902",
    "The endpoint of each API that functions and jobs call is in the functions' subnets, under the "
    "SDKs' names (private DNS). Its policy allows what the contracts name, for this account, and "
    "no more.",
    fix="Deploy it as bedrock_tuning/contracts/vpc_endpoints.py says",
)
def endpoints(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::EC2::VPCEndpoint")


@check(
    "N906",
    "Security groups allow exactly what functions, jobs and endpoints need: HTTPS from functions "
    "and jobs to endpoints, and jobs among themselves.",
    fix=_FIX,
)
def groups(evidence: Evidence) -> Iterator[Violation]:
    kinds = ("SecurityGroup", "SecurityGroupEgress", "SecurityGroupIngress")
    yield from differing(evidence, *(f"AWS::EC2::{kind}" for kind in kinds))


@check(
    "N907",
    "The network has private addresses and DNS names, which resolve to the endpoints. Its subnets "
    "are private, in separate zones, and share one route table without a way out.",
    fix=_FIX,
)
def subnets(evidence: Evidence) -> Iterator[Violation]:
    kinds = ("RouteTable", "Subnet", "SubnetRouteTableAssociation", "VPC")
    yield from differing(evidence, *(f"AWS::EC2::{kind}" for kind in kinds))


@check("N908", "All VPC traffic is logged.", limit="every connection is recorded", fix=_FIX)
def recorded(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::EC2::FlowLog")
