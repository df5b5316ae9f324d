"""Whether a network that exists can carry functions and jobs: everything it lacks, before a deploy.

Jobs fail after hours of waiting, functions after their timeout, when a subnet lacks a route or an
endpoint; here it costs some Describe calls. The caller reads the network, this module judges it.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bedrock_tuning.config.settings_limits import HTTPS
from bedrock_tuning.contracts.vpc_endpoints import VpcEndpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupRule:
    """One rule of a security group. protocol "-1" is any; ports are meaningless then.

    groups, cidrs: whom it lets in or where it lets out.
    """

    protocol: str
    from_port: int = 0
    to_port: int = 65_535
    groups: frozenset[str] = frozenset()
    cidrs: tuple[str, ...] = ()

    def covers_https(self) -> bool:
        """Whether it speaks of TCP to port 443."""
        return self.protocol == "-1" or (
            self.protocol == "tcp" and self.from_port <= HTTPS <= self.to_port
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup:
    """A security group with its rules."""

    id: str
    vpc: str
    ingress: tuple[SecurityGroupRule, ...] = ()
    egress: tuple[SecurityGroupRule, ...] = ()

    @property
    def lets_itself_in(self) -> bool:
        """Whether its members may talk to each other about anything."""
        return any(rule.protocol == "-1" and self.id in rule.groups for rule in self.ingress)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """A subnet. zone: its zone's id; targets: where its routes lead (vpce-…, igw-…, nat-…)."""

    id: str
    vpc: str
    zone: str
    cidr: str
    targets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedEndpoint:
    """A VPC endpoint. service: as in com.amazonaws.<region>.<service>."""

    id: str
    service: str
    available: bool = True
    gateway: bool = False
    private_dns: bool = False
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedNetwork:
    """What was found. zones: ids of all zones of the Region that are open to this account.

    groups: the chosen ones and those of the endpoints; chosen: ids of the former. private_names:
    whether the VPC resolves names and hands out host names, which private DNS needs.
    """

    zones: frozenset[str]
    subnets: tuple[Subnet, ...]
    groups: tuple[SecurityGroup, ...]
    chosen: frozenset[str]
    endpoints: tuple[ObservedEndpoint, ...]
    private_names: bool


def problems(network: ObservedNetwork, endpoints: Iterable[VpcEndpoint]) -> list[str]:
    """Everything that would keep functions or jobs from working, each with what to do."""
    groups = [group for group in network.groups if group.id in network.chosen]
    texts = [*_places(network, groups), *_rules(groups)]
    if not network.private_names:
        texts.append(
            "the VPC does not resolve private names: set enableDnsSupport and enableDnsHostnames"
        )
    for endpoint in endpoints:
        texts += _endpoint(network, groups, endpoint)
    return texts


def _places(network: ObservedNetwork, groups: Iterable[SecurityGroup]) -> Iterator[str]:
    networks = sorted({s.vpc for s in network.subnets} | {group.vpc for group in groups})
    if len(networks) > 1:
        yield (
            f"subnets and security groups lie in {len(networks)} VPCs ({', '.join(networks)}): "
            "choose them in one"
        )
    missing = sorted(network.zones - {subnet.zone for subnet in network.subnets})
    if missing:
        yield (
            f"no subnet in {', '.join(missing)}: Bedrock may place a job in any zone of the "
            "Region; add a subnet in each to vpc_subnets"
        )


def _rules(groups: list[SecurityGroup]) -> Iterator[str]:
    if not any(group.lets_itself_in for group in groups):
        names = ", ".join(group.id for group in groups)
        yield (
            f"none of {names} lets itself in: the parts of a job talk to each other; add a rule "
            "for all traffic from the group to itself"
        )
    if not any(rule.covers_https() for group in groups for rule in group.egress):
        yield "no security group lets HTTPS out: add an egress rule for TCP 443"


def _endpoint(
    network: ObservedNetwork, groups: Iterable[SecurityGroup], need: VpcEndpoint
) -> Iterator[str]:
    name = f"com.amazonaws.<region>.{need.service}"
    matches = [endpoint for endpoint in network.endpoints if endpoint.service == need.service]
    usable = [endpoint for endpoint in matches if endpoint.available]
    if not usable:
        state = "is not available yet" if matches else "is missing"
        kind = "a gateway" if need.is_gateway else "an interface"
        yield (
            f"the endpoint of {need.service} {state}: functions and jobs call it; make {kind} "
            f"endpoint for {name}"
        )
        return
    interfaces = [endpoint for endpoint in usable if not endpoint.gateway]
    if any(endpoint.private_dns and _reached(network, groups, endpoint) for endpoint in interfaces):
        return
    gateways = {endpoint.id for endpoint in usable if endpoint.gateway}
    if gateways:
        ids = [subnet.id for subnet in network.subnets if not gateways & subnet.targets]
        if ids:
            yield (
                f"{', '.join(ids)}: no route to the gateway endpoint of {need.service}; "
                f"associate its route table with {', '.join(sorted(gateways))}"
            )
        return
    for endpoint in interfaces:
        if not endpoint.private_dns:
            yield (
                f"{endpoint.id} ({need.service}): private DNS is off, so the SDKs would look for "
                "the service outside; switch it on"
            )
        if not _reached(network, groups, endpoint):
            yield (
                f"{endpoint.id} ({need.service}): its security groups do not let HTTPS in from "
                f"{', '.join(sorted(network.chosen))}; add a rule for TCP 443"
            )


def _reached(
    network: ObservedNetwork, groups: Iterable[SecurityGroup], endpoint: ObservedEndpoint
) -> bool:
    """Whether an endpoint's own groups let in what comes from the chosen groups or subnets."""
    ids = {group.id for group in groups}
    blocks = [ipaddress.IPv4Network(subnet.cidr) for subnet in network.subnets]
    for group in network.groups:
        if group.id not in endpoint.groups:
            continue
        for rule in group.ingress:
            if not rule.covers_https():
                continue
            networks = [ipaddress.ip_network(cidr, strict=False) for cidr in rule.cidrs]
            nets = [net for net in networks if isinstance(net, ipaddress.IPv4Network)]
            if ids & rule.groups or (
                nets and all(any(block.subnet_of(net) for net in nets) for block in blocks)
            ):
                return True
    return False
