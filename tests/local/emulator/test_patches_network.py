"""Networks made by CloudFormation, and policies that name roles.

When a `…_as_it_comes` assertion fails, upstream has closed the gap: delete the patch.
"""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bedrock_tuning.config.names import LOCAL_ACCOUNT
from local.emulator.layout import REGION
from local.emulator.server import LocalAws
from tests.local.support import acting_as, allow, bucket, refused, role, unique

NETWORK: dict[str, Any] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
    "Group": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"GroupDescription": "jobs", "VpcId": {"Ref": "Vpc"}},
    },
}
RULE: dict[str, Any] = {
    "Type": "AWS::EC2::SecurityGroupIngress",
    "Properties": {
        "GroupId": {"Ref": "Group"},
        "IpProtocol": "-1",
        "SourceSecurityGroupId": {"Ref": "Group"},
    },
}
FLOW_LOG: dict[str, Any] = {
    "Type": "AWS::EC2::FlowLog",
    "Properties": {
        "ResourceId": {"Ref": "Vpc"},
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogGroupName": "traffic",
    },
}


def deploy(aws: LocalAws, **resources: Any) -> dict[str, str]:
    """Physical names of the resources of a new stack, and its own under "stack"."""
    name, cloudformation = unique("network"), aws.client("cloudformation")
    template = json.dumps({"Resources": {**NETWORK, **resources}})
    cloudformation.create_stack(StackName=name, TemplateBody=template)
    waiting = {"Delay": 1, "MaxAttempts": 30}
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=waiting)
    made = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return {"stack": name, **{r["LogicalResourceId"]: r["PhysicalResourceId"] for r in made}}


@pytest.mark.parametrize("resource", [RULE, FLOW_LOG], ids=["rule", "flow log"])
def test_cloudformation_refuses_parts_of_a_network_as_it_comes(
    plain: LocalAws, resource: Any
) -> None:
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        deploy(plain, Refused=resource)


def test_a_group_can_let_itself_in_and_loses_the_rule_with_the_stack(aws: LocalAws) -> None:
    made = deploy(aws, Rule=RULE)
    ec2 = aws.client("ec2")
    (group,) = ec2.describe_security_groups(GroupIds=[made["Group"]])["SecurityGroups"]
    (incoming,) = group["IpPermissions"]
    assert [pair["GroupId"] for pair in incoming["UserIdGroupPairs"]] == [made["Group"]]
    filters = [{"Name": "group-id", "Values": [made["Group"]]}]
    rules = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    assert made["Rule"] in {rule["SecurityGroupRuleId"] for rule in rules}


def test_a_network_can_have_a_flow_log(aws: LocalAws) -> None:
    made = deploy(aws, Traffic=FLOW_LOG)
    logs = {each["FlowLogId"]: each for each in aws.client("ec2").describe_flow_logs()["FlowLogs"]}
    assert logs[made["Traffic"]]["ResourceId"] == made["Vpc"]
    assert logs[made["Traffic"]]["LogDestination"] == "traffic"


def closed_bucket(aws: LocalAws, admitted: str) -> str:
    """A bucket that refuses everybody but this role."""
    name = bucket(aws)
    refusal = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{name}",
        "Condition": {
            "ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{LOCAL_ACCOUNT}:role/{admitted}"}
        },
    }
    policy = {"Version": "2012-10-17", "Statement": [refusal]}
    aws.client("s3").put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    return name


def list_as(aws: LocalAws, name: str, admitted: str) -> None:
    """Lists the bucket as a role."""
    arn = role(aws, "account", [allow("s3:ListBucket", "*")], name=name)
    aws.client("s3", **acting_as(aws, arn)).list_objects_v2(Bucket=closed_bucket(aws, admitted))


def test_a_role_named_by_a_policy_is_refused_as_it_comes(plain: LocalAws) -> None:
    name = unique("reader")
    with refused("AccessDenied"):
        list_as(plain, name, name)


def test_a_role_named_by_a_policy_is_let_in_and_no_other(aws: LocalAws) -> None:
    name = unique("reader")
    list_as(aws, name, name)
    with refused("AccessDenied"):
        list_as(aws, unique("stranger"), name)


def parameters_as(aws: LocalAws, *, path: str) -> None:
    """Reads the parameters below /a/path as a role that may do so below another or the same."""
    allowed = f"arn:aws:ssm:{REGION}:{LOCAL_ACCOUNT}:parameter{path}"
    arn = role(aws, "account", [allow("ssm:GetParametersByPath", allowed)], name=unique("reader"))
    aws.client("ssm", **acting_as(aws, arn)).get_parameters_by_path(Path="/a/path")


def test_parameters_below_a_path_are_refused_to_who_may_read_that_path(plain: LocalAws) -> None:
    with refused("AccessDeniedException"):
        parameters_as(plain, path="/a/path")


def test_parameters_below_a_path_are_read_by_who_may_read_that_path(aws: LocalAws) -> None:
    parameters_as(aws, path="/a/path")
    with refused("AccessDeniedException"):
        parameters_as(aws, path="/a/path/*")
