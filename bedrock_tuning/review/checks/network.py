"""Checks of a network without internet access: who is in it, and what its groups let through."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.config.settings_limits import HTTPS
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.check import Evidence, Violation, check, found, mismatches

_FIX: Final = "Write it as constructs/network.py does"
_GROUP: Final = "AWS::EC2::SecurityGroup"
# Direction, protocol, first and last port, the peer: everything that each group lets through.
_Rule = tuple[str, str, str, str, str]


def _job_network(bound: Bound) -> tuple[list[str], list[str]]:
    """The subnets and the security groups of jobs, as the settings say; empty without a VPC."""
    values = {name: bound.fill(text) for name, text in bound.contracts.placeholders.items()}
    subnets = [text for name, text in values.items() if name.startswith("JobSubnet")]
    return subnets, [text for name, text in values.items() if name.startswith("JobGroup")]


@check("N905", "Functions and jobs are in the VPC if, and only if, the settings say so.")
def attached(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    subnets, groups = _job_network(evidence.bound)
    group = evidence.contracted.get("group.functions")
    if group is not None:
        groups = [group.name]
    for contract in contracts.functions:
        function = evidence.contracted.get(contract.name)
        if function is None:
            continue
        config = function.properties.get("VpcConfig")
        in_vpc = bool(subnets) and contract.place.stack != "network"
        actual_subnets = list(get(config, "SubnetIds") or [])
        has_subnets = len(actual_subnets) >= min(2, len(subnets)) and set(actual_subnets) <= set(
            subnets
        )
        has_groups = get(config, "SecurityGroupIds") == groups
        if in_vpc and not (has_subnets and has_groups):
            yield found(
                function,
                f"it runs in {config or 'no network'}",
                f"at least two of {', '.join(subnets)} with {', '.join(groups)}",
                "Pass the network to the function's Runtime",
            )
        if not in_vpc and config is not None:
            yield found(
                function,
                "it runs in a network",
                "the settings do not put it in one",
                "Remove VpcConfig, or set vpc in cdk.json",
            )


@check(
    "N906",
    "Security groups allow exactly what functions, jobs and endpoints need.",
    limit="HTTPS from functions and jobs to endpoints; jobs among themselves",
    fix=_FIX,
)
def groups(evidence: Evidence) -> Iterator[Violation]:
    names = {
        name: resource.name
        for name, resource in evidence.contracted.items()
        if resource.type == _GROUP
    }
    if not names:
        return
    functions, jobs, endpoint = (
        names.get(f"group.{part}", "") for part in ("functions", "jobs", "endpoints")
    )
    https = (str(HTTPS), str(HTTPS))
    no_traffic: _Rule = ("out", "icmp", "252", "86", "255.255.255.255/32")
    to_apis: _Rule = ("out", "tcp", *https, "0.0.0.0/0")
    job_rules: list[_Rule] = [("in", "-1", "", "", jobs), ("out", "-1", "", "", jobs)]
    expected: dict[str, set[_Rule]] = {
        functions: {to_apis},
        jobs: {to_apis, *job_rules},
        endpoint: {no_traffic, ("in", "tcp", *https, functions), ("in", "tcp", *https, jobs)},
    }
    rules = _rules(evidence)
    vpc = evidence.contracted.get("vpc")
    for group in evidence.assembly.of_type(_GROUP):
        if vpc is not None:
            yield from mismatches(group, {"VpcId": vpc.name})
        actual = rules.pop(group.name, set())
        for rule in sorted(actual ^ expected.get(group.name, set())):
            yield found(
                group,
                f"the rule {' '.join(part for part in rule if part)} is "
                f"{'not needed' if rule in actual else 'missing'}",
            )
    for name in sorted(rules):
        yield found(
            "network",
            f"rules of {name}, which is not in the templates",
            "only groups of the templates",
            "Remove them",
        )


def _rules(evidence: Evidence) -> dict[str, set[_Rule]]:
    """What each group lets through, by its name."""
    by_group: dict[str, set[_Rule]] = {}
    for group in evidence.assembly.of_type(_GROUP):
        rules = by_group.setdefault(group.name, set())
        for field, direction in (("SecurityGroupIngress", "in"), ("SecurityGroupEgress", "out")):
            entries = group.properties.get(field) or []
            rules |= {_rule(direction, raw) for raw in entries}
            if direction == "out" and not entries:
                rules.add(("out", "everything", "", "", "0.0.0.0/0"))
            for resource in evidence.assembly.of_type(f"AWS::EC2::{field}"):
                name = str(resource.properties.get("GroupId"))
                by_group.setdefault(name, set()).add(_rule(direction, resource.properties))
    return by_group


def _rule(direction: str, raw: Mapping[str, Any]) -> _Rule:
    peers = (
        "CidrIp",
        "CidrIpv6",
        "SourceSecurityGroupId",
        "DestinationSecurityGroupId",
        "SourcePrefixListId",
        "DestinationPrefixListId",
        "SourceSecurityGroupName",
    )
    peer = next((str(raw[name]) for name in peers if name in raw), "nobody")
    return (
        direction,
        str(raw.get("IpProtocol")),
        str(raw.get("FromPort", "")),
        str(raw.get("ToPort", "")),
        peer,
    )


@check(
    "N907",
    "Subnets are private, in separate zones, and share one route table.",
    limit="one private subnet in each zone, routed to the gateways",
    fix=_FIX,
)
def subnets(evidence: Evidence) -> Iterator[Violation]:
    vpc = evidence.contracted.get("vpc")
    if vpc is None:
        return
    tables = list(evidence.assembly.of_type("AWS::EC2::RouteTable"))
    route_tables = {
        str(association.properties.get("SubnetId")): str(association.properties.get("RouteTableId"))
        for association in evidence.assembly.of_type("AWS::EC2::SubnetRouteTableAssociation")
    }
    for table in tables:
        yield from mismatches(table, {"VpcId": vpc.name})
    network, blocks = _block(vpc), list[ipaddress.IPv4Network]()
    zones = set()
    for subnet in evidence.assembly.of_type("AWS::EC2::Subnet"):
        properties = subnet.properties
        zone = properties.get("AvailabilityZoneId", properties.get("AvailabilityZone"))
        block = _block(subnet)
        for what, is_wrong in (
            (f"CidrBlock {properties.get('CidrBlock')}", not _fits(block, network, blocks)),
            (f"a second subnet in {zone}", zone in zones or not zone),
            (
                "no route table",
                route_tables.get(subnet.name) not in [table.name for table in tables],
            ),
        ):
            if is_wrong:
                yield found(subnet, what)
        expected = {"VpcId": vpc.name, "MapPublicIpOnLaunch": False, "Ipv6CidrBlock": None}
        yield from mismatches(subnet, expected)
        zones.add(zone)
        blocks += [block] if block else []
    if network is None or not network.is_private:
        yield found(
            vpc,
            f"CidrBlock is {vpc.properties.get('CidrBlock')}",
            "a private block of IPv4 addresses (RFC 1918)",
            "Set vpc_cidr in cdk.json",
        )
    if len(tables) != 1:
        yield found(vpc, f"{len(tables)} route tables", "one")


def _block(resource: Resource) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(str(resource.properties.get("CidrBlock")))
    except ValueError:
        return None


def _fits(
    block: ipaddress.IPv4Network | None,
    network: ipaddress.IPv4Network | None,
    blocks: list[ipaddress.IPv4Network],
) -> bool:
    """Whether a subnet's block is inside the network's and overlaps no other subnet's."""
    if block is None or network is None:
        return False
    return block.subnet_of(network) and not any(block.overlaps(sibling) for sibling in blocks)


@check(
    "N908",
    "All VPC traffic is logged, and DNS names resolve to the endpoints.",
    limit="every connection is recorded, and the SDKs find the endpoints",
    fix=_FIX,
)
def recorded(evidence: Evidence) -> Iterator[Violation]:
    vpc, role, logs = map(evidence.contracted.get, ("vpc", "role.flow-logs", "logs.flow-logs"))
    if vpc is None or role is None or logs is None:
        return
    expected = {
        "ResourceId": vpc.name,
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": logs.name,
        "DeliverLogsPermissionArn": role.arn,
    }
    flow_logs = list(evidence.assembly.of_type("AWS::EC2::FlowLog"))
    if not any(
        all(log.properties.get(name) == value for name, value in expected.items())
        for log in flow_logs
    ):
        yield found(vpc, "its traffic is not recorded as it should be", f"{expected}")
    yield from mismatches(vpc, {"EnableDnsHostnames": True, "EnableDnsSupport": True})
