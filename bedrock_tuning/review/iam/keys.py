"""Which key encrypts a resource, and whether somebody can use it on the way to that resource."""

from collections.abc import Mapping
from typing import Any, Final

from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.iam.access import Permissions, owner_arn
from bedrock_tuning.review.iam.conditions import Context

# What a caller needs of the key, by what it does to the resource (KMS developer guide).
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:GetObjectVersion": ("kms:Decrypt",),
    # Uploads in parts decrypt, too.
    "s3:PutObject": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    "dynamodb:GetItem": ("kms:Decrypt",),
    "dynamodb:PutItem": ("kms:Decrypt",),
    "dynamodb:UpdateItem": ("kms:Decrypt",),
    "dynamodb:DeleteItem": ("kms:Decrypt",),
    "dynamodb:Query": ("kms:Decrypt",),
    "dynamodb:Scan": ("kms:Decrypt",),
}


_DEFAULT_ENCRYPTION: Final = (
    "BucketEncryption",
    "ServerSideEncryptionConfiguration",
    0,
    "ServerSideEncryptionByDefault",
)
# By type: the property that names the key.
_KEY: Final[Mapping[str, tuple[str | int, ...]]] = {
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::S3::Bucket": (*_DEFAULT_ENCRYPTION, "KMSMasterKeyID"),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::SSM::Parameter": ("KeyId",),
}


def key_of(resource: Resource) -> str:
    """What a resource names as its KMS key: an ARN, an id, an alias; "" for none."""
    path = _KEY.get(resource.type)
    return str(get(resource.properties, *path) or "") if path else ""


def default_encryption(bucket: Resource) -> Any:
    """How a bucket encrypts objects whose upload does not say; None if it does not say either."""
    return get(bucket.properties, *_DEFAULT_ENCRYPTION)


def key_arn(assembly: Assembly, resource: Resource) -> str:
    """The ARN of a resource's key; "" when it has none or AWS's own."""
    named = key_of(resource)
    if "alias/aws/" in named:
        return ""
    key = assembly.by_name("AWS::KMS::Key", named)
    return key.arn if key else named


def cannot_use(
    permissions: Permissions, principal: str, action: str, resource: Resource, context: Context
) -> list[str]:
    """What a principal lacks of a resource's key to do an action on it."""
    arn = key_arn(permissions.assembly, resource)
    if not arn:
        return []
    through = f"{action.split(':')[0]}.{permissions.assembly.region}.amazonaws.com"
    asked: dict[str, Any] = {**context, "kms:ViaService": through}
    return [n for n in NEEDS.get(action, ()) if not permissions.decide(principal, n, arn, asked)]


def lacking(
    permissions: Permissions, principal: str, action: str, arn: str, context: Context
) -> list[str]:
    """What a principal lacks to do an action on a resource: the action itself, or its key."""
    missing = [] if permissions.decide(principal, action, arn, context) else [action]
    resource = permissions.assembly.by_arn(owner_arn(arn))
    if resource is not None:
        missing += cannot_use(permissions, principal, action, resource, context)
    return missing
