"""Reads a network that exists, so that bedrock_tuning.contracts.preflight can say what it lacks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from bedrock_tuning import contracts
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import preflight, vpc_endpoints
from bedrock_tuning.contracts.preflight import (
    ObservedEndpoint,
    ObservedNetwork,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
)
from bedrock_tuning.sources.listing import listed

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# What EC2 answers for ids that are not there, or are no ids, and the setting they come from.
_UNKNOWN: Final = {
    "InvalidSubnetID.NotFound": "vpc_subnets",
    "InvalidSubnetID.Malformed": "vpc_subnets",
    "InvalidSubnetId.Malformed": "vpc_subnets",
    "InvalidGroup.NotFound": "vpc_security_groups",
    "InvalidGroupId.Malformed": "vpc_security_groups",
}


def problems(
    ec2: "EC2Client", settings: Settings, customizations: Mapping[str, CustomizationSettings]
) -> list[str]:
    """What the network of the settings vpc_subnets and vpc_security_groups lacks.

    ec2: a client of the settings' Region; only Describe actions are called. A subnet or group that
    does not exist is a problem, too. Raises ClientError when EC2 refuses for another reason.
    """
    from botocore.exceptions import ClientError

    services = vpc_endpoints.of_roles(contracts.contracts(settings, customizations).callers)
    try:
        network = read(ec2, subnets=settings.vpc_subnets, groups=settings.vpc_security_groups)
    except ClientError as error:
        answer = error.response["Error"]
        code, message = str(answer.get("Code", "")), str(answer.get("Message", ""))
        if code in _UNKNOWN:
            setting = _UNKNOWN[code]
            return [f"{message.rstrip('.')} in {settings.region}: correct {setting} in cdk.json"]
        raise
    return preflight.problems(network, services)


def read(ec2: "EC2Client", *, subnets: Sequence[str], groups: Sequence[str]) -> ObservedNetwork:
    """The subnets and groups, their routes and rules, and the endpoints of their VPC."""
    rows: list[Any] = list(ec2.describe_subnets(SubnetIds=list(subnets))["Subnets"])
    vpc = rows[0]["VpcId"]
    filters: list[Any] = [{"Name": "vpc-id", "Values": [vpc]}]
    endpoint_rows = listed(ec2, "describe_vpc_endpoints", "VpcEndpoints", Filters=filters)
    endpoints = [_endpoint(row) for row in endpoint_rows]
    group_ids = sorted({*groups, *(group for endpoint in endpoints for group in endpoint.groups)})
    rules = ec2.describe_security_groups(GroupIds=group_ids)["SecurityGroups"]
    tables = list(listed(ec2, "describe_route_tables", "RouteTables", Filters=filters))
    zones = ec2.describe_availability_zones(
        Filters=[
            {"Name": "state", "Values": ["available"]},
            {"Name": "zone-type", "Values": ["availability-zone"]},
        ]
    )["AvailabilityZones"]
    return ObservedNetwork(
        zones=frozenset(zone["ZoneId"] for zone in zones),
        subnets=tuple(_subnet(row, tables) for row in rows),
        groups=tuple(_group(row) for row in rules),
        chosen=frozenset(groups),
        endpoints=tuple(endpoints),
        private_names=all(_attribute(ec2, vpc, name) for name in _PRIVATE_NAMES),
    )


_PRIVATE_NAMES = ("enableDnsSupport", "enableDnsHostnames")


def _attribute(ec2: "EC2Client", vpc: str, name: Any) -> bool:
    answer: Mapping[str, Any] = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)
    return bool(answer[name[0].upper() + name[1:]]["Value"])


def _subnet(row: Mapping[str, Any], tables: Sequence[Mapping[str, Any]]) -> Subnet:
    def associated(table: Mapping[str, Any], key: str, value: Any) -> bool:
        return any(association.get(key) == value for association in table.get("Associations", ()))

    # A subnet without a table of its own uses the VPC's main one.
    own_tables = [t for t in tables if associated(t, "SubnetId", row["SubnetId"])]
    main = [t for t in tables if associated(t, "Main", True) and t["VpcId"] == row["VpcId"]]
    routes = [route for table in own_tables or main for route in table.get("Routes", ())]
    ways = ("GatewayId", "NatGatewayId", "TransitGatewayId", "NetworkInterfaceId")
    return Subnet(
        id=row["SubnetId"],
        vpc=row["VpcId"],
        zone=row["AvailabilityZoneId"],
        cidr=row["CidrBlock"],
        targets=frozenset(route[way] for route in routes for way in ways if way in route),
    )


def _endpoint(row: Mapping[str, Any]) -> ObservedEndpoint:
    return ObservedEndpoint(
        id=row["VpcEndpointId"],
        service=row["ServiceName"].split(".", 3)[3],
        available=row["State"].lower() == "available",
        gateway=row["VpcEndpointType"] == "Gateway",
        private_dns=bool(row.get("PrivateDnsEnabled")),
        groups=frozenset(group["GroupId"] for group in row.get("Groups", ())),
    )


def _group(row: Mapping[str, Any]) -> SecurityGroup:
    return SecurityGroup(
        id=row["GroupId"],
        vpc=row.get("VpcId", ""),
        ingress=tuple(map(_rule, row.get("IpPermissions", ()))),
        egress=tuple(map(_rule, row.get("IpPermissionsEgress", ()))),
    )


def _rule(row: Mapping[str, Any]) -> SecurityGroupRule:
    return SecurityGroupRule(
        protocol=row["IpProtocol"],
        from_port=row.get("FromPort", 0),
        to_port=row.get("ToPort", 65_535),
        groups=frozenset(pair["GroupId"] for pair in row.get("UserIdGroupPairs", ())),
        cidrs=tuple(block["CidrIp"] for block in row.get("IpRanges", ())),
    )
