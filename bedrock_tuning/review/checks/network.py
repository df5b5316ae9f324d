"""Checks of a network without internet access: who is in it, and what its groups let through."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.config.network_limits import HTTPS
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import Evidence, Violation, check

_FIX: Final = "Write it as constructs/network.py does"
_GROUP: Final = "AWS::EC2::SecurityGroup"
# Direction, protocol, first and last port, the peer: everything that each group lets through.
Rule = tuple[str, str, str, str, str]


def _vpc(evidence: Evidence) -> Resource | None:
    return evidence.contracted.get("vpc")


@check("N905", "Functions and jobs are in the VPC if, and only if, the settings say so.")
def attached(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    filled = {name: evidence.bound.fill(text) for name, text in contracts.placeholders.items()}
    subnets = [text for name, text in filled.items() if name.startswith("JobSubnet")]
    groups = [text for name, text in filled.items() if name.startswith("JobGroup")]
    own = evidence.contracted.get("group.functions")
    if own is not None:
        groups = [own.name]
    for contract in contracts.functions:
        function = evidence.contracted.get(contract.name)
        if function is None:
            continue
        config = function.properties.get("VpcConfig")
        inside = bool(subnets) and contract.place.stack != "network"
        stands = list(get(config, "SubnetIds") or [])
        enough = len(stands) >= min(2, len(subnets)) and set(stands) <= set(subnets)
        grouped = get(config, "SecurityGroupIds") == groups
        if inside and not (enough and grouped):
            yield Violation(
                where=function.path,
                what=f"it runs in {config or 'no network'}",
                limit=f"at least two of {', '.join(subnets)} with {', '.join(groups)}",
                fix="Pass the network to the function's Runtime",
            )
        if not inside and config is not None:
            yield Violation(
                where=function.path,
                what="it runs in a network",
                limit="the settings do not put it in one",
                fix="Remove VpcConfig, or set vpc in cdk.json",
            )


@check("N906", "Security groups allow exactly what functions, jobs and endpoints need.")
def groups(evidence: Evidence) -> Iterator[Violation]:
    names = {name: r.name for name, r in evidence.contracted.items() if r.type == _GROUP}
    if not names:
        return
    functions, jobs, endpoint = (
        names.get(f"group.{each}", "") for each in ("functions", "jobs", "endpoints")
    )
    https = (str(HTTPS), str(HTTPS))
    nowhere: Rule = ("out", "icmp", "252", "86", "255.255.255.255/32")
    to_apis: Rule = ("out", "tcp", *https, "0.0.0.0/0")
    among: list[Rule] = [("in", "-1", "", "", jobs), ("out", "-1", "", "", jobs)]
    wanted: dict[str, set[Rule]] = {
        functions: {to_apis},
        jobs: {to_apis, *among},
        endpoint: {nowhere, ("in", "tcp", *https, functions), ("in", "tcp", *https, jobs)},
    }
    found = _rules(evidence)
    vpc = _vpc(evidence)
    for group in evidence.assembly.of_type(_GROUP):
        if vpc is not None and group.properties.get("VpcId") != vpc.name:
            yield Violation(
                where=group.path,
                what=f"VpcId is {group.properties.get('VpcId')}",
                limit=vpc.name,
                fix=_FIX,
            )
        expected = wanted.get(group.name, set())
        actual = found.get(group.name, set())
        for rule in sorted(actual ^ expected):
            yield Violation(
                where=group.path,
                what=f"the rule {' '.join(part for part in rule if part)} is "
                f"{'not needed' if rule in actual else 'missing'}",
                limit="HTTPS from functions and jobs to endpoints; jobs among themselves",
                fix=_FIX,
            )
    for name in sorted(set(found) - {g.name for g in evidence.assembly.of_type(_GROUP)}):
        yield Violation(
            where="network",
            what=f"rules of {name}, which is not in the templates",
            limit="only groups of the templates",
            fix="Remove them",
        )


def _rules(evidence: Evidence) -> dict[str, set[Rule]]:
    """What each group lets through, by its name."""
    found: dict[str, set[Rule]] = {}
    for group in evidence.assembly.of_type(_GROUP):
        rules = found.setdefault(group.name, set())
        for field, direction in (("SecurityGroupIngress", "in"), ("SecurityGroupEgress", "out")):
            listed = group.properties.get(field) or []
            rules |= {_rule(direction, raw) for raw in listed}
            if direction == "out" and not listed:
                rules.add(("out", "everything", "", "", "0.0.0.0/0"))
    for kind, direction in (
        ("AWS::EC2::SecurityGroupIngress", "in"),
        ("AWS::EC2::SecurityGroupEgress", "out"),
    ):
        for resource in evidence.assembly.of_type(kind):
            name = str(resource.properties.get("GroupId"))
            found.setdefault(name, set()).add(_rule(direction, resource.properties))
    return found


def _rule(direction: str, raw: Mapping[str, Any]) -> Rule:
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


@check("N907", "Subnets are private, in separate zones, and share one route table.")
def subnets(evidence: Evidence) -> Iterator[Violation]:
    vpc = _vpc(evidence)
    if vpc is None:
        return
    tables = [table.name for table in evidence.assembly.of_type("AWS::EC2::RouteTable")]
    routed = {
        str(r.properties.get("SubnetId")): str(r.properties.get("RouteTableId"))
        for r in evidence.assembly.of_type("AWS::EC2::SubnetRouteTableAssociation")
    }
    for table in evidence.assembly.of_type("AWS::EC2::RouteTable"):
        if table.properties.get("VpcId") != vpc.name:
            yield Violation(
                where=table.path,
                what=f"VpcId is {table.properties.get('VpcId')}",
                limit=vpc.name,
                fix=_FIX,
            )
    whole, used = _block(vpc), list[ipaddress.IPv4Network]()
    zones = set()
    for subnet in evidence.assembly.of_type("AWS::EC2::Subnet"):
        properties = subnet.properties
        zone = properties.get("AvailabilityZoneId", properties.get("AvailabilityZone"))
        block = _block(subnet)
        problems = [
            what
            for what, wrong in (
                (f"CidrBlock {properties.get('CidrBlock')}", not _fits(block, whole, used)),
                (f"a second subnet in {zone}", zone in zones or not zone),
                ("public addresses", properties.get("MapPublicIpOnLaunch") is not False),
                ("another network", properties.get("VpcId") != vpc.name),
                ("no route table", routed.get(subnet.name) not in tables),
                ("IPv6", "Ipv6CidrBlock" in properties),
            )
            if wrong
        ]
        zones.add(zone)
        used += [block] if block else []
        for problem in problems:
            yield Violation(
                where=subnet.path,
                what=problem,
                limit="one private subnet in each zone, routed to the gateways",
                fix=_FIX,
            )
    if whole is None or not whole.is_private:
        yield Violation(
            where=vpc.path,
            what=f"CidrBlock is {vpc.properties.get('CidrBlock')}",
            limit="a private block of IPv4 addresses (RFC 1918)",
            fix="Set vpc_cidr in cdk.json",
        )
    if len(tables) != 1:
        yield Violation(where=vpc.path, what=f"{len(tables)} route tables", limit="one", fix=_FIX)


def _block(resource: Resource) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(str(resource.properties.get("CidrBlock")))
    except ValueError:
        return None


def _fits(
    block: ipaddress.IPv4Network | None,
    whole: ipaddress.IPv4Network | None,
    used: list[ipaddress.IPv4Network],
) -> bool:
    """Whether a subnet's block is inside the network's and overlaps no other subnet's."""
    if block is None or whole is None:
        return False
    return block.subnet_of(whole) and not any(block.overlaps(other) for other in used)


@check("N908", "All VPC traffic is logged, and DNS names resolve to the endpoints.")
def recorded(evidence: Evidence) -> Iterator[Violation]:
    vpc, role = _vpc(evidence), evidence.contracted.get("role.flow-logs")
    logs = evidence.contracted.get("logs.flow-logs")
    if vpc is None or role is None or logs is None:
        return
    wanted = {
        "ResourceId": vpc.name,
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": logs.name,
        "DeliverLogsPermissionArn": role.arn,
    }
    logged = list(evidence.assembly.of_type("AWS::EC2::FlowLog"))
    if not any(all(log.properties.get(n) == v for n, v in wanted.items()) for log in logged):
        yield Violation(
            where=vpc.path,
            what="its traffic is not recorded as it should be",
            limit=f"{wanted}",
            fix=_FIX,
        )
    for name in ("EnableDnsHostnames", "EnableDnsSupport"):
        if vpc.properties.get(name) is not True:
            yield Violation(
                where=vpc.path,
                what=f"{name} is {vpc.properties.get(name, 'not set')}",
                limit="without it the SDKs would not find the endpoints",
                fix=_FIX,
            )


CHECKS = (attached, groups, subnets, recorded)
