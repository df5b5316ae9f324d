"""`tuning preflight` says what a network of yours lacks before anything is deployed to it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.support import StubbedAws

SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
GROUP = "sg-0123456789abcdef0"
INTERFACES = ("bedrock", "bedrock-runtime", "kms", "monitoring", "sns", "ssm", "states")
GATEWAYS = ("dynamodb", "s3")
IN_VPC = [{"Name": "vpc-id", "Values": ["vpc-1"]}]
ENVIRONMENTS = {
    "dev": {"region": "us-east-1", "log_retention_days": 30},
    "own": {"region": "us-east-1", "log_retention_days": 30, "vpc": True},
    "prod": {
        "region": "us-east-1",
        "log_retention_days": 365,
        "vpc": True,
        "vpc_subnets": SUBNETS,
        "vpc_security_groups": [GROUP],
    },
}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A cdk.json with an environment without network, with one of its own, and with yours."""
    path = tmp_path / "cdk.json"
    tuning = {"environment": "dev", "environments": ENVIRONMENTS}
    path.write_text(json.dumps({"context": {"tuning": tuning}}), "utf-8")
    return path


def _has_network(aws: StubbedAws, *, interfaces: tuple[str, ...] = INTERFACES) -> None:
    """EC2 knows two subnets in two zones, the group, and these endpoints."""
    subnets = [
        {"SubnetId": name, "VpcId": "vpc-1", "AvailabilityZoneId": f"az{n}", "CidrBlock": cidr}
        for n, (name, cidr) in enumerate(zip(SUBNETS, ("10.0.1.0/24", "10.0.2.0/24"), strict=True))
    ]
    aws.answer("ec2", "describe_subnets", {"Subnets": subnets}, {"SubnetIds": SUBNETS})
    endpoints: list[dict[str, Any]] = [
        {
            "VpcEndpointId": f"vpce-{name}",
            "VpcEndpointType": "Gateway" if name in GATEWAYS else "Interface",
            "ServiceName": f"com.amazonaws.us-east-1.{name}",
            "State": "available",
            "PrivateDnsEnabled": name not in GATEWAYS,
            "Groups": [] if name in GATEWAYS else [{"GroupId": GROUP}],
        }
        for name in (*GATEWAYS, *interfaces)
    ]
    aws.answer("ec2", "describe_vpc_endpoints", {"VpcEndpoints": endpoints}, {"Filters": IN_VPC})
    itself = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": GROUP}]}
    out = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    group = {"GroupId": GROUP, "VpcId": "vpc-1", "IpPermissions": [itself]}
    aws.answer(
        "ec2",
        "describe_security_groups",
        {"SecurityGroups": [{**group, "IpPermissionsEgress": [out]}]},
        {"GroupIds": [GROUP]},
    )
    routes = [{"GatewayId": "local"}, *({"GatewayId": f"vpce-{name}"} for name in GATEWAYS)]
    main = {"VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": routes}
    aws.answer("ec2", "describe_route_tables", {"RouteTables": [main]}, {"Filters": IN_VPC})
    zones = {"AvailabilityZones": [{"ZoneId": "az0"}, {"ZoneId": "az1"}]}
    aws.answer("ec2", "describe_availability_zones", zones, None)
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        aws.answer("ec2", "describe_vpc_attribute", {name: {"Value": True}}, None)


def test_a_network_with_everything_is_good(aws: StubbedAws, run: Run, settings: Path) -> None:
    _has_network(aws)
    done = run("preflight", "-e", "prod", "--settings", settings)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "the network of prod can carry functions and jobs" in done.stderr


def test_what_is_missing_is_said_with_what_to_do(aws: StubbedAws, run: Run, settings: Path) -> None:
    _has_network(aws, interfaces=tuple(name for name in INTERFACES if name != "states"))
    done = run("preflight", "-e", "prod", "--settings", settings)
    assert done.exit_code == 1
    assert done.stdout == (
        "the endpoint of states is missing: functions and jobs call it; make an interface endpoint "
        "for com.amazonaws.<region>.states\n"
    )
    assert done.stderr == "the network of prod in us-east-1 has 1 problem\n"


def test_a_program_gets_the_problems_as_a_list(aws: StubbedAws, run: Run, settings: Path) -> None:
    _has_network(aws, interfaces=())
    done = run("preflight", "-e", "prod", "--settings", settings, "--json")
    answer = json.loads(done.stdout)
    assert done.exit_code == 1
    assert answer["checked"] is True
    assert [text.split()[3] for text in answer["problems"]] == sorted(INTERFACES)


@pytest.mark.parametrize(
    ("environment", "why"), [("dev", "uses no network"), ("own", "creates its own network")]
)
def test_without_a_network_of_yours_there_is_nothing_to_check(
    run: Run, settings: Path, environment: str, why: str
) -> None:
    done = run("preflight", "-e", environment, "--settings", settings, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["checked"] is False
    assert why in done.stderr


@pytest.mark.parametrize(
    ("code", "setting"),
    [("InvalidSubnetID.NotFound", "vpc_subnets"), ("InvalidGroup.NotFound", "vpc_security_groups")],
)
def test_an_id_that_does_not_exist_is_a_problem_of_a_setting(
    aws: StubbedAws, run: Run, settings: Path, code: str, setting: str
) -> None:
    aws.stub("ec2").add_client_error(
        "describe_subnets", code, "The ID 'subnet-0123456789abcdef0' does not exist"
    )
    done = run("preflight", "-e", "prod", "--settings", settings)
    assert done.exit_code == 1
    assert done.stdout == (
        f"The ID 'subnet-0123456789abcdef0' does not exist in us-east-1: correct {setting} in "
        "cdk.json\n"
    )


def test_who_may_not_look_is_told_what_to_ask_for(
    aws: StubbedAws, run: Run, settings: Path
) -> None:
    aws.stub("ec2").add_client_error("describe_subnets", "UnauthorizedOperation", "no")
    done = run("preflight", "-e", "prod", "--settings", settings)
    assert done.exit_code == 2
    assert "you may not call ec2:DescribeSubnets" in done.stderr
    assert "ec2:DescribeVpcEndpoints" in done.stderr


def test_an_unknown_environment_and_a_missing_file_say_what_to_do(
    run: Run, settings: Path, tmp_path: Path
) -> None:
    unknown = run("preflight", "-e", "stage", "--settings", settings)
    assert unknown.exit_code == 2
    assert "dev, own, prod" in unknown.stderr
    missing = run("preflight", "--settings", tmp_path / "no.json")
    assert missing.exit_code == 2
    assert "run this in the project's folder" in missing.stderr
