"""What a network adds to the contracts: its own parts, and the rights to put interfaces into it."""

from dataclasses import replace
from typing import Final

from bedrock_tuning.config.lambda_environment import LambdaEnvironment
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.construct_names import of_function
from bedrock_tuning.contracts.contract import (
    Condition,
    Contracts,
    FunctionSpec,
    Grant,
    Guarded,
    Role,
    Scope,
)
from bedrock_tuning.contracts.resources import administered, encrypt_logs
from bedrock_tuning.contracts.roles import function_role
from bedrock_tuning.contracts.written.functions import FUNCTION, functions
from bedrock_tuning.contracts.written.operations import key, log_group
from bedrock_tuning.contracts.written.vpc import here, vpc

_EC2: Final = "arn:{partition}:ec2:{region}:{account}"
_INTERFACES: Final = f"{_EC2}:network-interface/*"
_FUNCTIONS: Final = "arn:{partition}:lambda:{region}:{account}:function:*"
# Lambda itself uses them, with the function's role, on resources it does not know beforehand.
_ATTACH: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


def _close_default_group(_: Scope) -> tuple[Grant, ...]:
    return (
        # EC2's Describe actions know no resources.
        g.allow("describe rules", "ec2:DescribeSecurityGroupRules", on="*"),
        g.allow(
            "revoke rules",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupIngress",
            on=f"{_EC2}:security-group/{{vpc:DefaultSecurityGroup}}",
        ),
    )


CLOSE_DEFAULT_GROUP: Final = FunctionSpec(
    name="CloseDefaultGroup",
    module="close_default_group",
    does="takes the rules from the network's default security group",
    variables=LambdaEnvironment,
    grants=_close_default_group,
    timeout_minutes=2,
    stack="network",
)


def add_network(contracts: Contracts, scope: Scope) -> Contracts:
    """The contracts of an environment whose functions and jobs run in a network."""
    settings = scope.settings
    subnets, groups = list(settings.vpc_subnets), list(settings.vpc_security_groups)
    network = {"SubnetIds": subnets, "SecurityGroupIds": groups}
    if settings.own_network:
        subnets = [f"{{subnet.{number}:name}}" for number in range(len(settings.zones))]
        groups = ["{group.jobs:name}"]
        function_subnets = subnets[: settings.vpc_endpoint_zones]
        network = {"SubnetIds": function_subnets, "SecurityGroupIds": ["{group.functions:name}"]}
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

    values = {
        **{f"JobSubnet{number or ''}": text for number, text in enumerate(subnets)},
        **{f"JobGroup{number or ''}": text for number, text in enumerate(groups)},
    }
    result = replace(
        contracts.with_property(FUNCTION, "VpcConfig", network),
        roles=tuple(wider(role) for role in contracts.roles),
        placeholders={**contracts.placeholders, **values},
    )
    return _own_network(result, scope) if settings.own_network else result


def _attach() -> Grant:
    return g.allow("attach to network", *_ATTACH, on="*")


def _only_lambda() -> Grant:
    by_function = g.arn_like("lambda:SourceFunctionArn", _FUNCTIONS)
    return g.refuse("not by its own code", "ec2:*", on=["*"], when=by_function)


def _enter(subnets: list[str], groups: list[str]) -> tuple[Grant, ...]:
    """What AWS's guide lists for a job in a VPC (docs/facts/iam.md#vpc)."""
    job = "BedrockModelCustomizationJobArn"
    return (
        g.allow(
            "describe network",
            "ec2:DescribeDhcpOptions",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
            on="*",
        ),
        g.allow(
            "make interfaces of jobs",
            "ec2:CreateNetworkInterface",
            on=_INTERFACES,
            when=(
                g.equals("aws:RequestTag/BedrockManaged", "true"),
                _arn_equals(f"aws:RequestTag/{job}", g.JOB_ARNS),
            ),
        ),
        g.allow("make them in these subnets", "ec2:CreateNetworkInterface", on=(*subnets, *groups)),
        g.allow(
            "manage interfaces of jobs",
            "ec2:CreateNetworkInterfacePermission",
            "ec2:DeleteNetworkInterface",
            "ec2:DeleteNetworkInterfacePermission",
            on="*",
            when=(
                _arn_equals("ec2:Subnet", *subnets),
                _arn_equals(f"ec2:ResourceTag/{job}", g.JOB_ARNS),
                g.equals("ec2:ResourceTag/BedrockManaged", "true"),
            ),
        ),
        g.allow(
            "tag new interfaces",
            "ec2:CreateTags",
            on=_INTERFACES,
            when=(
                g.equals("ec2:CreateAction", "CreateNetworkInterface"),
                g.all_equal("aws:TagKeys", "BedrockManaged", job),
            ),
        ),
    )


def _arn_equals(key: str, *values: str) -> Condition:
    return Condition.of("ArnEquals", key, *values)


def _own_network(contracts: Contracts, scope: Scope) -> Contracts:
    places = {
        "network-key": key(
            here("NetworkKey", "AWS::KMS::Key"),
            f"Flow logs of bedrock-tuning ({scope.settings.name})",
        ),
        "logs.flow-logs": log_group(here("FlowLogs", "AWS::Logs::LogGroup"), scope.settings),
        "role.flow-logs": here("FlowLogsRole", "AWS::IAM::Role"),
        **vpc(scope.settings),
        **of_function(CLOSE_DEFAULT_GROUP),
        # A VPC comes with a group that lets its members talk; CloudFormation cannot close it.
        "closed-group": here(
            "DefaultGroup",
            "Custom::ClosedSecurityGroup",
            ServiceToken=f"{{function.{CLOSE_DEFAULT_GROUP.name}}}",
            ServiceTimeout="300",
            GroupId="{vpc:DefaultSecurityGroup}",
        ),
    }
    places |= functions([CLOSE_DEFAULT_GROUP], scope, places)
    flow_logs = Role(
        name="role.flow-logs",
        place=places["role.flow-logs"],
        does="Flow logs: written to their log group",
        service="vpc-flow-logs.amazonaws.com",
        trust=(g.FROM_THIS_ACCOUNT, g.arn_like("aws:SourceArn", f"{_EC2}:vpc-flow-log/*")),
        grants=(
            g.allow(
                "write flow logs",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
                on="{logs.flow-logs}",
            ),
        ),
    )
    guarded_key = Guarded(
        name="network-key",
        place=places["network-key"],
        grants=(administered(), encrypt_logs(f"tuning-{scope.settings.name}-network-*")),
    )
    return replace(
        contracts,
        places={**contracts.places, **places},
        roles=(*contracts.roles, flow_logs, function_role(CLOSE_DEFAULT_GROUP, scope, places)),
        guarded=(*contracts.guarded, guarded_key),
        functions=(*contracts.functions, CLOSE_DEFAULT_GROUP),
    )
