"""The role that Bedrock assumes for the jobs of one customization: its folders and nothing else."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bedrock_tuning import s3_layout
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.constructs import statements as st
from bedrock_tuning.constructs.attachment import Attachment
from bedrock_tuning.constructs.role import trusted_by


class BedrockServiceRole(Construct):
    """Written out, not granted: grant_read(role, "folder/*") would allow 55 actions, many on the
    whole bucket (docs/facts/iam.md#s3); these statements allow 5, or 6 in the documented profile.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        customization: str,
        training: s3.IBucket,
        validation: s3.IBucket,
        output: s3.IBucket,
        data_key: kms.IKey,
        settings: Settings,
        network: Attachment | None = None,
        model_key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        jobs = (
            f"arn:{stack.partition}:bedrock:{stack.region}:{stack.account}"
            ":model-customization-job/*"
        )
        folder = s3_layout.folder(customization)
        jobs_prefix = s3_layout.jobs_prefix(customization)
        manifests = s3_layout.manifests_prefix(customization)
        statements = [
            iam.PolicyStatement(
                sid="ReadDataset",
                actions=["s3:GetObject"],
                resources=[
                    training.arn_for_objects(f"{folder}*"),
                    validation.arn_for_objects(f"{folder}*"),
                    output.arn_for_objects(f"{manifests}*"),
                ],
                conditions=_own_account(stack),
            ),
            _list("ListDataset", stack, [training, validation], folder),
            _list("ListCheckedManifests", stack, [output], manifests),
            iam.PolicyStatement(
                sid="WriteOutput",
                actions=["s3:PutObject"],
                resources=[output.arn_for_objects(f"{jobs_prefix}*")],
                conditions=_own_account(stack),
            ),
            iam.PolicyStatement(
                sid="UseDataKeyThroughS3",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[data_key.key_arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"s3.{stack.region}.amazonaws.com",
                    }
                },
            ),
        ]
        if settings.service_role == "documented":
            # AWS's sample lets the role read and list the output, too (docs/facts/iam.md#s3).
            statements += [
                iam.PolicyStatement(
                    sid="ReadOutput",
                    actions=["s3:GetObject"],
                    resources=[output.arn_for_objects(f"{jobs_prefix}*")],
                    conditions=_own_account(stack),
                ),
                _list("ListOutput", stack, [output], jobs_prefix),
            ]
        if network:
            statements += _enter(stack, network, jobs)
        if model_key:
            statements.append(st.encrypt_model(stack, model_key))
        self.role = trusted_by(
            self,
            "Role",
            name=f"bedrock.{customization}",
            service="bedrock.amazonaws.com",
            description=f"Bedrock customization jobs of {customization}",
            settings=settings,
            conditions={
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {"aws:SourceArn": jobs},
            },
            statements=statements,
        )


def _own_account(stack: Stack) -> dict[str, dict[str, str]]:
    return {"StringEquals": {"aws:ResourceAccount": stack.account}}


def _list(sid: str, stack: Stack, buckets: list[s3.IBucket], prefix: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        actions=["s3:ListBucket"],
        resources=[bucket.bucket_arn for bucket in buckets],
        conditions={
            "StringEquals": {"aws:ResourceAccount": stack.account},
            "StringLike": {"s3:prefix": f"{prefix}*"},
        },
    )


def _enter(stack: Stack, network: Attachment, jobs: str) -> list[iam.PolicyStatement]:
    """What Bedrock needs to put a job's interfaces into the subnets (docs/facts/iam.md#vpc)."""
    ec2 = f"arn:{stack.partition}:ec2:{stack.region}:{stack.account}"
    interfaces = f"{ec2}:network-interface/*"
    subnets = [f"{ec2}:subnet/{subnet}" for subnet in network.job_subnets]
    groups = [f"{ec2}:security-group/{group}" for group in network.job_groups]
    managed, job = "BedrockManaged", "BedrockModelCustomizationJobArn"
    return [
        iam.PolicyStatement(
            sid="LookAtNetwork",
            actions=[
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            resources=["*"],
        ),
        iam.PolicyStatement(
            sid="MakeInterfacesOfJobs",
            actions=["ec2:CreateNetworkInterface"],
            resources=[interfaces],
            conditions={
                "StringEquals": {f"aws:RequestTag/{managed}": "true"},
                "ArnEquals": {f"aws:RequestTag/{job}": jobs},
            },
        ),
        iam.PolicyStatement(
            sid="MakeThemInTheseSubnets",
            actions=["ec2:CreateNetworkInterface"],
            resources=[*subnets, *groups],
        ),
        iam.PolicyStatement(
            sid="ManageInterfacesOfJobs",
            actions=[
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            resources=["*"],
            conditions={
                "ArnEquals": {"ec2:Subnet": subnets, f"ec2:ResourceTag/{job}": jobs},
                "StringEquals": {f"ec2:ResourceTag/{managed}": "true"},
            },
        ),
        iam.PolicyStatement(
            sid="TagNewInterfaces",
            actions=["ec2:CreateTags"],
            resources=[interfaces],
            conditions={
                "StringEquals": {"ec2:CreateAction": "CreateNetworkInterface"},
                "ForAllValues:StringEquals": {"aws:TagKeys": [managed, job]},
            },
        ),
    ]
