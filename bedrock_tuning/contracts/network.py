"""What a network adds to the contracts: its own parts, and the rights to put interfaces into it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bedrock_tuning.config.lambda_environment import Environment
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.contract import (
    Condition,
    Contracts,
    Function,
    Grant,
    Guarded,
    Place,
    Refusal,
    Role,
)
from bedrock_tuning.contracts.resources import administered, encrypt_logs

_EC2: Final = "arn:{partition}:ec2:{region}:{account}"
_INTERFACES: Final = f"{_EC2}:network-interface/*"
_FUNCTIONS: Final = "arn:{partition}:lambda:{region}:{account}:function:*"
_ROLE: Final = "AWS::IAM::Role"
CLOSER: Final = "CloseDefaultGroup"
# Lambda itself uses them, with the function's role, on resources it does not know beforehand.
_ATTACH: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


def add_network(contracts: Contracts, settings: Settings) -> Contracts:
    """The contracts of an environment whose functions and jobs run in a network."""
    subnets, groups = list(settings.vpc_subnets), list(settings.vpc_security_groups)
    if settings.own_network:
        subnets = [f"{{subnet.{number}:name}}" for number in range(len(settings.zones))]
        groups = ["{group.jobs:name}"]
    job = _enter(
        [f"{_EC2}:subnet/{subnet}" for subnet in subnets],
        [f"{_EC2}:security-group/{group}" for group in groups],
    )

    def wider(role: Role) -> Role:
        if role.service == "bedrock.amazonaws.com":
            return replace(role, grants=(*role.grants, *job))
        if role.service == "lambda.amazonaws.com":
            return replace(role, grants=(*role.grants, _attach()), refusals=(_only_lambda(),))
        return role

    filled = {
        **{f"JobSubnet{number or ''}": text for number, text in enumerate(subnets)},
        **{f"JobGroup{number or ''}": text for number, text in enumerate(groups)},
    }
    wide = replace(
        contracts,
        roles=tuple(wider(role) for role in contracts.roles),
        placeholders={**contracts.placeholders, **filled},
    )
    return _own_network(wide, settings) if settings.own_network else wide


def _attach() -> Grant:
    return Grant(
        why="Lambda attaches the function to its network", actions=_ATTACH, resources=("*",)
    )


def _only_lambda() -> Refusal:
    return Refusal(
        why="a function's own code leaves the network alone",
        actions=("ec2:*",),
        resources=("*",),
        conditions=(g.arn_like("lambda:SourceFunctionArn", _FUNCTIONS),),
    )


def _enter(subnets: list[str], groups: list[str]) -> tuple[Grant, ...]:
    """What AWS's guide lists for a job in a VPC (docs/facts/iam.md#vpc)."""
    job = "BedrockModelCustomizationJobArn"
    return (
        Grant(
            why="look at the network of its jobs",
            actions=(
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ),
            resources=("*",),
        ),
        Grant(
            why="make interfaces for jobs, tagged with the job",
            actions=("ec2:CreateNetworkInterface",),
            resources=(_INTERFACES,),
            conditions=(
                g.equals("aws:RequestTag/BedrockManaged", "true"),
                _arn_equals(f"aws:RequestTag/{job}", g.JOBS),
            ),
        ),
        Grant(
            why="make them in these subnets",
            actions=("ec2:CreateNetworkInterface",),
            resources=(*subnets, *groups),
        ),
        Grant(
            why="hand over and delete the interfaces of jobs",
            actions=(
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ),
            resources=("*",),
            conditions=(
                _arn_equals("ec2:Subnet", *subnets),
                _arn_equals(f"ec2:ResourceTag/{job}", g.JOBS),
                g.equals("ec2:ResourceTag/BedrockManaged", "true"),
            ),
        ),
        Grant(
            why="tag them while making them",
            actions=("ec2:CreateTags",),
            resources=(_INTERFACES,),
            conditions=(
                g.equals("ec2:CreateAction", "CreateNetworkInterface"),
                Condition(
                    operator="ForAllValues:StringEquals",
                    key="aws:TagKeys",
                    values=("BedrockManaged", job),
                ),
            ),
        ),
    )


def _arn_equals(key: str, *values: str) -> Condition:
    return Condition(operator="ArnEquals", key=key, values=values)


def _places(settings: Settings) -> Mapping[str, Place]:
    def here(path: str, kind: str) -> Place:
        return Place(stack="network", path=path, type=kind)

    return {
        "network-key": here("NetworkKey", "AWS::KMS::Key"),
        "vpc": here("Vpc", "AWS::EC2::VPC"),
        **{
            f"subnet.{number}": here(f"Subnet{number}", "AWS::EC2::Subnet")
            for number in range(len(settings.zones))
        },
        "group.jobs": here("JobsGroup", "AWS::EC2::SecurityGroup"),
        "group.functions": here("FunctionsGroup", "AWS::EC2::SecurityGroup"),
        "group.endpoints": here("EndpointsGroup", "AWS::EC2::SecurityGroup"),
        "logs.flow-logs": here("FlowLogs", "AWS::Logs::LogGroup"),
        "role.flow-logs": here("FlowLogsRole", _ROLE),
        f"function.{CLOSER}": here(f"{CLOSER}/Function", "AWS::Lambda::Function"),
        f"logs.{CLOSER}": here(f"{CLOSER}/Logs", "AWS::Logs::LogGroup"),
        f"role.{CLOSER}": here(f"{CLOSER}/Role", _ROLE),
        "closed-group": here("DefaultGroup", "Custom::ClosedSecurityGroup"),
    }


def _own_network(contracts: Contracts, settings: Settings) -> Contracts:
    places = _places(settings)
    flow_logs = Role(
        name="role.flow-logs",
        place=places["role.flow-logs"],
        does="writes the record of the network's traffic",
        service="vpc-flow-logs.amazonaws.com",
        trust=(
            g.FROM_THIS_ACCOUNT,
            g.arn_like("aws:SourceArn", f"{_EC2}:vpc-flow-log/*"),
        ),
        grants=(
            Grant(
                why="write the flow logs",
                actions=("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
                resources=("{logs.flow-logs}",),
            ),
        ),
    )
    closer = Role(
        name=f"role.{CLOSER}",
        place=places[f"role.{CLOSER}"],
        does="takes the rules from the network's default security group",
        service="lambda.amazonaws.com",
        trust=(g.FROM_THIS_ACCOUNT,),
        grants=(
            Grant(
                why="find the rules; EC2's Describe actions know no resources",
                actions=("ec2:DescribeSecurityGroupRules",),
                resources=("*",),
            ),
            Grant(
                why="take them away",
                actions=("ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"),
                resources=(f"{_EC2}:security-group/{{vpc:name}}.DefaultSecurityGroup",),
            ),
            g.write_logs(CLOSER),
        ),
    )
    key = Guarded(
        name="network-key",
        place=places["network-key"],
        grants=(administered(), encrypt_logs(f"tuning-{settings.name}-network-*")),
    )
    function = Function(
        name=f"function.{CLOSER}",
        place=places[f"function.{CLOSER}"],
        role=f"role.{CLOSER}",
        handler="lambdas.close_default_group.handler",
        environment=Environment(environment=settings.name).to_env(),
        log_group=f"logs.{CLOSER}",
    )
    return replace(
        contracts,
        places={**contracts.places, **places},
        roles=(*contracts.roles, flow_logs, closer),
        guarded=(*contracts.guarded, key),
        functions=(*contracts.functions, function),
        custom_resources={
            "closed-group": {
                "ServiceToken": f"{{function.{CLOSER}}}",
                "ServiceTimeout": "300",
                "GroupId": "{vpc:name}.DefaultSecurityGroup",
            }
        },
    )
