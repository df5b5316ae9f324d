"""The rights that a service role needs for a job inside a VPC (docs/facts/iam.md#vpc)."""

from collections.abc import Mapping
from typing import Any, Final

from local.bedrock.data.records import BedrockResource
from local.emulator import roles

DESCRIBE: Final = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)
MANAGE: Final = (
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
)


def check_rights(session: roles.Session, job: BedrockResource) -> None:
    """Check every right with the tags that Bedrock would use; raise RoleError for a missing one.

    Nothing is created in the VPC, and whether its subnets reach S3 is not checked.
    """
    vpc = job.members.get("vpcConfig")
    if vpc is None:
        return
    region, account = job.arn.split(":")[3:5]
    ec2 = f"arn:aws:ec2:{region}:{account}"
    interface = f"{ec2}:network-interface/eni-simulated"
    tags = {"BedrockManaged": "true", "BedrockModelCustomizationJobArn": job.arn}
    request_tags = {f"aws:RequestTag/{name}": value for name, value in tags.items()}
    resource_tags = {f"ec2:ResourceTag/{name}": value for name, value in tags.items()}
    for action in DESCRIBE:
        _require(session, job, action, "*")
    create = "ec2:CreateNetworkInterface"
    _require(session, job, create, interface, {**request_tags, "aws:TagKeys": list(tags)})
    for group in vpc["securityGroupIds"]:
        _require(session, job, create, f"{ec2}:security-group/{group}")
    for subnet in vpc["subnetIds"]:
        place = f"{ec2}:subnet/{subnet}"
        _require(session, job, create, place)
        for action in MANAGE:
            _require(session, job, action, interface, {**resource_tags, "ec2:Subnet": place})
    creation = {"ec2:CreateAction": "CreateNetworkInterface", "aws:TagKeys": list(tags)}
    _require(session, job, "ec2:CreateTags", interface, {**request_tags, **creation})


def _require(
    session: roles.Session,
    job: BedrockResource,
    action: str,
    resource: str,
    context: Mapping[str, Any] | None = None,
) -> None:
    roles.authorize(
        session, action=action, resource=resource, region=job.arn.split(":")[3], context=context
    )
