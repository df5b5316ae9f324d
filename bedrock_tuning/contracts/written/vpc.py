"""The app's own network without a way out: what it is made of, each with all its properties.

There is no route out of it, so "to anywhere" in a security group ends at the endpoints.
"""

import ipaddress
from typing import Any, Final

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.config.settings_limits import HTTPS
from bedrock_tuning.contracts.contract import Place

# CloudFormation reads an empty list of rules as "everything is allowed", so what sends nothing
# names a place that does not exist; the CDK does the same.
_NOWHERE: Final = {
    "IpProtocol": "icmp",
    "CidrIp": "255.255.255.255/32",
    "FromPort": 252,
    "ToPort": 86,
    "Description": "Sends nothing",
}
_HTTPS: Final = {"IpProtocol": "tcp", "FromPort": HTTPS, "ToPort": HTTPS}
_TO_APIS: Final = {
    **_HTTPS,
    "CidrIp": "0.0.0.0/0",
    "Description": "HTTPS; without a route out this ends at the endpoints",
}


def here(path: str, kind: str, **properties: Any) -> Place:
    """A part of the network's stack."""
    return Place(stack="network", path=path, type=kind, properties=properties)


def vpc(settings: Settings) -> dict[str, Place]:
    """By contract name, in an order in which each names only what comes before it."""
    return {
        "vpc": here(
            "Vpc",
            "AWS::EC2::VPC",
            CidrBlock=settings.vpc_cidr,
            # Private names: the SDKs find the endpoints under the services' usual addresses.
            EnableDnsHostnames=True,
            EnableDnsSupport=True,
        ),
        "routes": here("Routes", "AWS::EC2::RouteTable", VpcId="{vpc:name}"),
        **_subnets(settings),
        "group.functions": _group(
            "FunctionsGroup",
            "Functions: nobody calls them, they call the APIs of AWS",
            SecurityGroupEgress=[_TO_APIS],
        ),
        **_group_of_jobs(),
        "group.endpoints": _group(
            "EndpointsGroup",
            "Interface endpoints: called by functions and jobs",
            SecurityGroupEgress=[_NOWHERE],
            SecurityGroupIngress=[
                {
                    **_HTTPS,
                    "SourceSecurityGroupId": f"{{group.{group}:name}}",
                    "Description": f"{group.capitalize()} call the APIs of AWS",
                }
                for group in ("functions", "jobs")
            ],
        ),
        "flow-log": here(
            "Traffic",
            "AWS::EC2::FlowLog",
            ResourceId="{vpc:name}",
            ResourceType="VPC",
            TrafficType="ALL",
            LogDestinationType="cloud-watch-logs",
            LogGroupName="{logs.flow-logs:name}",
            DeliverLogsPermissionArn="{role.flow-logs}",
        ),
    }


def _subnets(settings: Settings) -> dict[str, Place]:
    """One in each zone, so that Bedrock finds room for its job in any of them."""
    blocks = ipaddress.IPv4Network(settings.vpc_cidr).subnets(prefixlen_diff=4)
    places = {}
    for number, (zone, block) in enumerate(zip(settings.zones, blocks, strict=False)):
        places[f"subnet.{number}"] = here(
            f"Subnet{number}",
            "AWS::EC2::Subnet",
            VpcId="{vpc:name}",
            AvailabilityZoneId=zone,
            CidrBlock=str(block),
            MapPublicIpOnLaunch=False,
        )
        places[f"subnet.{number}.routes"] = here(
            f"Subnet{number}Routes",
            "AWS::EC2::SubnetRouteTableAssociation",
            SubnetId=f"{{subnet.{number}:name}}",
            RouteTableId="{routes:name}",
        )
    return places


def _group(path: str, about: str, **rules: Any) -> Place:
    about_it = {"GroupDescription": about, "VpcId": "{vpc:name}"}
    return here(path, "AWS::EC2::SecurityGroup", **about_it, **rules)


def _group_of_jobs() -> dict[str, Place]:
    """The parts of one job talk to each other. A group cannot name itself in its own properties."""
    among = {
        "GroupId": "{group.jobs:name}",
        "IpProtocol": "-1",
        "Description": "The parts of one job talk to each other",
    }
    peer = "{group.jobs:name}"
    return {
        "group.jobs": _group(
            "JobsGroup",
            "Customization jobs of Bedrock: among themselves, S3, KMS",
            SecurityGroupEgress=[_TO_APIS],
        ),
        "group.jobs.in": here(
            "JobsFromEachOther",
            "AWS::EC2::SecurityGroupIngress",
            **among,
            SourceSecurityGroupId=peer,
        ),
        "group.jobs.out": here(
            "JobsToEachOther",
            "AWS::EC2::SecurityGroupEgress",
            **among,
            DestinationSecurityGroupId=peer,
        ),
    }
