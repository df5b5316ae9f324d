"""What CloudFormation makes of a resource's Ref and GetAtt, with made-up but stable names.

Generated names look like CloudFormation's (stack, logical id, random end), so that no name is the
beginning of another one and a pattern that fits two resources by accident is noticed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

_SCHEMAS: Final = Path(__file__).with_name("schemas.json")
ACCOUNT: Final = "111122223333"
PARTITION: Final = "aws"
URL_SUFFIX: Final = "amazonaws.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """A resource type: the property that names it, its ARN, what Ref gives ("name" or "arn").

    Places in the ARN: {p}artition, {r}egion, {a}ccount, {n}ame.
    """

    named_by: str = ""
    arn: str = ""
    ref: str = "name"
    attributes: tuple[str, ...] = ()


_EC2: Final = "arn:{p}:ec2:{r}:{a}:"

NAMED_TYPES: Final[Mapping[str, Naming]] = {
    "AWS::CloudWatch::Alarm": Naming(
        named_by="AlarmName", arn="arn:{p}:cloudwatch:{r}:{a}:alarm:{n}"
    ),
    "AWS::Chatbot::SlackChannelConfiguration": Naming(
        named_by="ConfigurationName",
        arn="arn:{p}:chatbot::{a}:chat-configuration/slack-channel/{n}",
        ref="arn",
    ),
    "AWS::CloudWatch::Dashboard": Naming(
        named_by="DashboardName", arn="arn:{p}:cloudwatch::{a}:dashboard/{n}"
    ),
    "AWS::DynamoDB::GlobalTable": Naming(
        named_by="TableName", arn="arn:{p}:dynamodb:{r}:{a}:table/{n}"
    ),
    "AWS::DynamoDB::Table": Naming(named_by="TableName", arn="arn:{p}:dynamodb:{r}:{a}:table/{n}"),
    "AWS::EC2::FlowLog": Naming(arn=_EC2 + "vpc-flow-log/{n}"),
    "AWS::EC2::RouteTable": Naming(arn=_EC2 + "route-table/{n}", attributes=("RouteTableId",)),
    "AWS::EC2::SecurityGroup": Naming(
        arn=_EC2 + "security-group/{n}", attributes=("GroupId", "VpcId")
    ),
    "AWS::EC2::SecurityGroupIngress": Naming(),
    "AWS::EC2::SecurityGroupEgress": Naming(),
    "AWS::EC2::Subnet": Naming(
        arn=_EC2 + "subnet/{n}", attributes=("SubnetId", "AvailabilityZone", "VpcId")
    ),
    "AWS::EC2::SubnetRouteTableAssociation": Naming(),
    "AWS::EC2::VPC": Naming(
        arn=_EC2 + "vpc/{n}", attributes=("VpcId", "CidrBlock", "DefaultSecurityGroup")
    ),
    "AWS::EC2::VPCEndpoint": Naming(arn=_EC2 + "vpc-endpoint/{n}"),
    "AWS::Events::Rule": Naming(named_by="Name", arn="arn:{p}:events:{r}:{a}:rule/{n}"),
    "AWS::IAM::ManagedPolicy": Naming(
        named_by="ManagedPolicyName", arn="arn:{p}:iam::{a}:policy/{n}", ref="arn"
    ),
    "AWS::IAM::Policy": Naming(named_by="PolicyName"),
    "AWS::IAM::Role": Naming(
        named_by="RoleName", arn="arn:{p}:iam::{a}:role/{n}", attributes=("RoleId",)
    ),
    "AWS::KMS::Alias": Naming(named_by="AliasName", arn="arn:{p}:kms:{r}:{a}:{n}"),
    "AWS::KMS::Key": Naming(arn="arn:{p}:kms:{r}:{a}:key/{n}", attributes=("KeyId",)),
    "AWS::Lambda::Function": Naming(
        named_by="FunctionName", arn="arn:{p}:lambda:{r}:{a}:function:{n}"
    ),
    "AWS::Lambda::LayerVersion": Naming(arn="arn:{p}:lambda:{r}:{a}:layer:{n}:1", ref="arn"),
    "AWS::Lambda::Permission": Naming(),
    "AWS::Lambda::Url": Naming(attributes=("FunctionUrl",)),
    "AWS::Logs::LogGroup": Naming(
        named_by="LogGroupName", arn="arn:{p}:logs:{r}:{a}:log-group:{n}:*"
    ),
    "AWS::S3::Bucket": Naming(named_by="BucketName", arn="arn:{p}:s3:::{n}"),
    "AWS::S3::BucketPolicy": Naming(),
    "AWS::SNS::Subscription": Naming(ref="arn", arn="arn:{p}:sns:{r}:{a}:subscription:{n}"),
    "AWS::SNS::Topic": Naming(named_by="TopicName", arn="arn:{p}:sns:{r}:{a}:{n}", ref="arn"),
    "AWS::SNS::TopicPolicy": Naming(),
    "AWS::SQS::Queue": Naming(
        named_by="QueueName", arn="arn:{p}:sqs:{r}:{a}:{n}", ref="url", attributes=("QueueName",)
    ),
    "AWS::SQS::QueuePolicy": Naming(),
    "AWS::SSM::Parameter": Naming(named_by="Name", arn="arn:{p}:ssm:{r}:{a}:parameter{n}"),
    "AWS::Scheduler::Schedule": Naming(
        named_by="Name", arn="arn:{p}:scheduler:{r}:{a}:schedule/default/{n}"
    ),
    "AWS::StepFunctions::StateMachine": Naming(
        named_by="StateMachineName",
        arn="arn:{p}:states:{r}:{a}:stateMachine:{n}",
        ref="arn",
        attributes=("Name",),
    ),
}
# What holds data, or the key to it.
STATEFUL: Final = ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::DynamoDB::Table")
# Attributes that are another spelling of the ARN.
_ARN_ATTRIBUTES: Final = ("Arn", "TopicArn", "PolicyArn", "LayerVersionArn")
# Those that are another spelling of the name.
_NAME_ATTRIBUTES: Final = (
    "QueueName",
    "KeyId",
    "Name",
    "GroupId",
    "SubnetId",
    "RouteTableId",
    "RoleId",
)
_LONGEST_NAME: Final = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIns:
    """What stands for the account, and what the random ends of generated names are made from."""

    account: str = ACCOUNT
    salt: str = ""


STAND_INS: Final = StandIns()


def generated_name(
    stack: str, logical_id: str, kind: str, *, stand_ins: StandIns = STAND_INS
) -> str:
    """A stable stand-in for the name that CloudFormation would generate."""
    source = f"{stand_ins.salt}{stack}/{logical_id}"
    random = hashlib.sha256(source.encode()).hexdigest()[:12]
    name = f"{stack}-{logical_id}"[: _LONGEST_NAME - 13] + f"-{random}"
    if kind == "AWS::KMS::Key":
        return f"{random[:8]}-0000-4000-8000-{random}"
    return name.lower() if kind == "AWS::S3::Bucket" else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """How a resource is called. path: of IAM roles and policies, "/team/"."""

    kind: str
    name: str
    region: str
    path: str = ""
    account: str = ACCOUNT

    @property
    def arn(self) -> str:
        """Its ARN; "" for types that have none."""
        form = NAMED_TYPES[self.kind].arn if self.kind in NAMED_TYPES else ""
        full_name = f"{self.path.strip('/')}/{self.name}" if self.path.strip("/") else self.name
        return form.format(p=PARTITION, r=self.region, a=self.account, n=full_name)

    @property
    def ref(self) -> str:
        """What Ref gives."""
        match NAMED_TYPES.get(self.kind, Naming()).ref:
            case "arn":
                return self.arn
            case "url":
                return f"https://sqs.{self.region}.{URL_SUFFIX}/{self.account}/{self.name}"
        return self.name

    def attribute(self, name: str) -> str | None:
        """What GetAtt gives; None when this review does not know the attribute."""
        if name in _ARN_ATTRIBUTES and self.arn:
            return self.arn
        if name not in NAMED_TYPES.get(self.kind, Naming()).attributes:
            return None
        if name in _NAME_ATTRIBUTES or (name == "VpcId" and self.kind == "AWS::EC2::VPC"):
            return self.name
        return f"{self.name}.{name}"


@cache
def _schemas() -> Mapping[str, Mapping[str, Any]]:
    """What AWS's own schemas say of each type (tests/review/assembly/make_schemas.py)."""
    schemas: Mapping[str, Mapping[str, Any]] = json.loads(_SCHEMAS.read_text("utf-8"))
    return schemas


def create_only(kind: str) -> list[str]:
    """The properties of a type of which a change makes CloudFormation replace the resource."""
    return list(_schemas().get(kind, {}).get("create_only", ()))


def takes_tags(kind: str) -> bool:
    """Whether resources of a type have tags."""
    return bool(_schemas().get(kind, {}).get("taggable"))
