"""Policy statements that several functions need, written once and as narrow as their conditions."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from bedrock_tuning.run.job import TAG_PREFIX


def via(stack: Stack, service: str) -> dict[str, dict[str, str]]:
    """A key may be used only by this service on the caller's behalf."""
    return {"StringEquals": {"kms:ViaService": f"{service}.{stack.region}.amazonaws.com"}}


def own_account(stack: Stack) -> dict[str, dict[str, str]]:
    """Only resources of this account: a bucket of the same name elsewhere is not ours."""
    return {"StringEquals": {"aws:ResourceAccount": stack.account}}


def objects(
    sid: str,
    stack: Stack,
    *,
    actions: Sequence[str],
    buckets: Sequence[s3.IBucket],
    patterns: Sequence[str],
) -> iam.PolicyStatement:
    """Actions on the objects under these patterns in each of these buckets."""
    return iam.PolicyStatement(
        sid=sid,
        actions=list(actions),
        resources=[b.arn_for_objects(pattern) for b in buckets for pattern in patterns],
        conditions=own_account(stack),
    )


def listing(
    sid: str,
    stack: Stack,
    *,
    buckets: Sequence[s3.IBucket],
    prefixes: Sequence[str],
    versions: bool = False,
) -> iam.PolicyStatement:
    """Listing keys, or their versions, under these prefixes only."""
    return iam.PolicyStatement(
        sid=sid,
        actions=["s3:ListBucketVersions" if versions else "s3:ListBucket"],
        resources=[bucket.bucket_arn for bucket in buckets],
        conditions={**own_account(stack), "StringLike": {"s3:prefix": list(prefixes)}},
    )


def key_for(
    sid: str, stack: Stack, key: kms.IKey, *, service: str, actions: Sequence[str]
) -> iam.PolicyStatement:
    """Use of a key through one service."""
    return iam.PolicyStatement(
        sid=sid, actions=list(actions), resources=[key.key_arn], conditions=via(stack, service)
    )


READ_KEY = ("kms:Decrypt",)
WRITE_KEY = ("kms:Decrypt", "kms:GenerateDataKey")


def runs(
    stack: Stack, table: dynamodb.ITable, key: kms.IKey, *, actions: Sequence[str]
) -> list[iam.PolicyStatement]:
    """Single-item operations on the runs table and the use of its key."""
    return [
        iam.PolicyStatement(
            sid="UseRuns",
            actions=[f"dynamodb:{action}" for action in actions],
            resources=[table.table_arn],
        ),
        key_for(
            "UseRunsKey", stack, key, service="dynamodb", actions=("kms:Decrypt", "kms:DescribeKey")
        ),
    ]


def publish(stack: Stack, topic: sns.ITopic, key: kms.IKey) -> list[iam.PolicyStatement]:
    """Sending to the encrypted topic: the topic alone would not do, its key is needed too."""
    return [
        iam.PolicyStatement(sid="Notify", actions=["sns:Publish"], resources=[topic.topic_arn]),
        key_for(
            "EncryptMessages",
            stack,
            key,
            service="sns",
            actions=("kms:Decrypt", "kms:GenerateDataKey"),
        ),
    ]


def bedrock_arn(stack: Stack, resource: str, *, account: bool = True) -> str:
    """An ARN of Bedrock in this region; foundation models belong to no account."""
    owner = stack.account if account else ""
    return f"arn:{stack.partition}:bedrock:{stack.region}:{owner}:{resource}"


def parameters_arn(stack: Stack, prefix: str) -> str:
    """The SSM parameters below a prefix that starts with a slash."""
    return f"arn:{stack.partition}:ssm:{stack.region}:{stack.account}:parameter{prefix}/*"


def ours(environment: str) -> dict[str, dict[str, str]]:
    """Only resources that this environment has tagged."""
    return {"StringEquals": {f"aws:ResourceTag/{TAG_PREFIX}:environment": environment}}


def tag_new(sid: str, environment: str, *, resources: Sequence[str]) -> iam.PolicyStatement:
    """Tagging as this environment's own, but never what another environment has tagged.

    Without the second condition a role could adopt another environment's endpoint by tagging it,
    and then delete it. IfExists: what is being created has no tags yet.
    """
    tag = f"{TAG_PREFIX}:environment"
    return iam.PolicyStatement(
        sid=sid,
        actions=["bedrock:TagResource"],
        resources=list(resources),
        conditions={
            "StringEquals": {f"aws:RequestTag/{tag}": environment},
            "StringEqualsIfExists": {f"aws:ResourceTag/{tag}": environment},
        },
    )


def encrypt_logs(stack: Stack, log_groups: str) -> iam.PolicyStatement:
    """For a key's policy: CloudWatch Logs cannot create an encrypted log group without it."""
    return iam.PolicyStatement(
        sid="LogsEncrypt",
        principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
        actions=[
            "kms:Encrypt*",
            "kms:Decrypt*",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:Describe*",
        ],
        resources=["*"],
        conditions={
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": (
                    f"arn:{stack.partition}:logs:{stack.region}:{stack.account}"
                    f":log-group:{log_groups}"
                )
            }
        },
    )


def observe_endpoints(stack: Stack) -> list[iam.PolicyStatement]:
    """Finding the endpoints that exist: Bedrock's List actions know no resources."""
    return [
        iam.PolicyStatement(
            sid="FindEndpoints",
            actions=[
                "bedrock:ListProvisionedModelThroughputs",
                "bedrock:ListCustomModelDeployments",
            ],
            resources=["*"],
        ),
        iam.PolicyStatement(
            sid="LookAtEndpoints",
            actions=[
                "bedrock:GetProvisionedModelThroughput",
                "bedrock:GetCustomModelDeployment",
                "bedrock:ListTagsForResource",
            ],
            resources=[
                bedrock_arn(stack, "provisioned-model/*"),
                bedrock_arn(stack, "custom-model-deployment/*"),
            ],
        ),
    ]


def delete_endpoints(stack: Stack, environment: str) -> iam.PolicyStatement:
    """Ending billing of what this environment has tagged as its own."""
    return iam.PolicyStatement(
        sid="EndBilling",
        actions=[
            "bedrock:DeleteProvisionedModelThroughput",
            "bedrock:DeleteCustomModelDeployment",
        ],
        resources=[
            bedrock_arn(stack, "provisioned-model/*"),
            bedrock_arn(stack, "custom-model-deployment/*"),
        ],
        conditions=ours(environment),
    )


def network_interfaces(stack: Stack) -> list[iam.PolicyStatement]:
    """What Lambda needs of a function's role to put it into a network, and only Lambda itself.

    The actions of AWSLambdaVPCAccessExecutionRole without its logs. Lambda checks them on all
    resources; the refusal keeps them, and whatever else is EC2's, from the function's own code
    (Lambda developer guide, on required permissions of functions in a VPC).
    """
    actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ]
    functions = f"arn:{stack.partition}:lambda:{stack.region}:{stack.account}:function:*"
    return [
        iam.PolicyStatement(sid="AttachToNetwork", actions=actions, resources=["*"]),
        iam.PolicyStatement(
            sid="NotByItsOwnCode",
            effect=iam.Effect.DENY,
            actions=["ec2:*"],
            resources=["*"],
            conditions={"ArnLike": {"lambda:SourceFunctionArn": functions}},
        ),
    ]


def encrypt_model(stack: Stack, key: kms.IKey) -> iam.PolicyStatement:
    """Encrypting a custom model: Bedrock makes grants for itself on behalf of the role.

    AWS's pages call it the role that customizes and do not say whether it is the caller's or the
    service role (docs/facts/iam.md#model-key), so both have it; each only through Bedrock.
    """
    return key_for(
        "EncryptModels",
        stack,
        key,
        service="bedrock",
        actions=("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"),
    )


def use_model(stack: Stack, key: kms.IKey | None, *, nova: bool) -> list[iam.PolicyStatement]:
    """Buying throughput for a model that is encrypted with a key of ours, and calling it.

    nova: Nova's user guide also asks for data keys, the others' pages do not.
    """
    actions = WRITE_KEY if nova else READ_KEY
    return [key_for("DecryptModels", stack, key, service="bedrock", actions=actions)] if key else []


def serve_nova() -> iam.PolicyStatement:
    """For a model key's policy: Provisioned Throughput of a Nova model is optimized by Bedrock
    itself, under the model's own key (Nova user guide, "PermissionsNovaProvisionedThroughput").
    """
    return iam.PolicyStatement(
        sid="ServeNova",
        principals=[iam.ServicePrincipal("bedrock.amazonaws.com")],
        actions=list(WRITE_KEY),
        resources=["*"],
        conditions={
            "ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "aws:bedrock:custom-model"}
        },
    )
