"""What EC2 says about a network becomes what the preflight judges."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from bedrock_tuning.client import network
from bedrock_tuning.config.customization import load_all
from bedrock_tuning.config.settings import Settings

SUBNET = "subnet-0123456789abcdef0"
GROUP = "sg-0123456789abcdef0"
OWN_TABLE = {
    "RouteTableId": "rtb-1",
    "VpcId": "vpc-1",
    "Associations": [{"SubnetId": SUBNET, "Main": False}],
    "Routes": [{"GatewayId": "local"}, {"GatewayId": "vpce-s3"}],
}
MAIN_TABLE = {
    "RouteTableId": "rtb-0",
    "VpcId": "vpc-1",
    "Associations": [{"Main": True}],
    "Routes": [{"GatewayId": "local"}, {"NatGatewayId": "nat-1"}],
}
ENDPOINTS = [
    {
        "VpcEndpointId": "vpce-s3",
        "VpcEndpointType": "Gateway",
        "ServiceName": "com.amazonaws.us-east-1.s3",
        "State": "available",
    },
    {
        "VpcEndpointId": "vpce-runtime",
        "VpcEndpointType": "Interface",
        "ServiceName": "com.amazonaws.us-east-1.bedrock-runtime",
        "State": "pending",
        "PrivateDnsEnabled": True,
        "Groups": [{"GroupId": "sg-doors"}],
    },
]
GROUPS = [
    {
        "GroupId": GROUP,
        "VpcId": "vpc-1",
        "IpPermissions": [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": GROUP}]}],
        "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    },
    {"GroupId": "sg-doors", "VpcId": "vpc-1"},
]


def _stubbed(tables: list[Any]) -> Any:
    client = boto3.client(
        "ec2", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    stub = Stubber(client)
    place = {
        "SubnetId": SUBNET,
        "VpcId": "vpc-1",
        "AvailabilityZoneId": "use1-az1",
        "CidrBlock": "10.0.1.0/24",
    }
    stub.add_response("describe_subnets", {"Subnets": [place]}, {"SubnetIds": [SUBNET]})
    inside = {"Filters": [{"Name": "vpc-id", "Values": ["vpc-1"]}]}
    stub.add_response("describe_vpc_endpoints", {"VpcEndpoints": ENDPOINTS}, inside)
    named = {"GroupIds": [GROUP, "sg-doors"]}
    stub.add_response("describe_security_groups", {"SecurityGroups": GROUPS}, named)
    stub.add_response("describe_route_tables", {"RouteTables": tables}, inside)
    zones = [{"ZoneId": "use1-az1"}, {"ZoneId": "use1-az2"}]
    stub.add_response("describe_availability_zones", {"AvailabilityZones": zones})
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        stub.add_response("describe_vpc_attribute", {name: {"Value": True}})
    stub.activate()
    return client


@pytest.mark.parametrize(
    ("tables", "targets"),
    [
        ([MAIN_TABLE, OWN_TABLE], {"local", "vpce-s3"}),
        ([MAIN_TABLE], {"local", "nat-1"}),
    ],
    ids=["its own table", "the main table"],
)
def test_a_subnet_leads_where_its_table_says(tables: list[Any], targets: set[str]) -> None:
    found = network.read(_stubbed(tables), subnets=[SUBNET], groups=[GROUP])

    (subnet,) = found.subnets
    assert subnet.targets == targets
    assert (subnet.zone, subnet.cidr) == ("use1-az1", "10.0.1.0/24")


def test_endpoints_groups_and_zones_are_read() -> None:
    found = network.read(_stubbed([OWN_TABLE]), subnets=[SUBNET], groups=[GROUP])

    s3, runtime = found.endpoints
    assert (s3.service, s3.gateway, s3.available) == ("s3", True, True)
    assert (runtime.service, runtime.available) == ("bedrock-runtime", False)
    assert runtime.groups == {"sg-doors"}
    assert found.groups[0].lets_itself_in
    assert found.zones == {"use1-az1", "use1-az2"}
    assert found.private_names


def test_what_the_app_needs_of_a_network_comes_from_its_contracts() -> None:
    settings = Settings(
        name="dev",
        region="us-east-1",
        vpc=True,
        vpc_subnets=(SUBNET,),
        vpc_security_groups=(GROUP,),
    )
    customizations = load_all(Path(__file__).resolve().parents[2] / "customizations")

    found = network.problems(_stubbed([OWN_TABLE]), settings, customizations)

    assert found[0].startswith("no subnet in use1-az2")
    missing = [text.split()[3] for text in found if "is missing" in text]
    assert missing == ["bedrock", "dynamodb", "events", "kms", "monitoring", "sns", "ssm", "states"]
    assert "the endpoint of bedrock-runtime is not available yet" in found[2]
    assert len(found) == 10
