"""Which key encrypts a resource."""

from collections.abc import Mapping
from typing import Any, Final

from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Assembly, Resource

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


def kms_key_of(resource: Resource) -> str:
    """What a resource names as its KMS key: an ARN, an id, an alias; "" for none."""
    path = _KEY.get(resource.type)
    return str(get(resource.properties, *path) or "") if path else ""


def default_encryption(bucket: Resource) -> Any:
    """How a bucket encrypts objects whose upload does not say; None if it does not say either."""
    return get(bucket.properties, *_DEFAULT_ENCRYPTION)


def key_arn(assembly: Assembly, resource: Resource) -> str:
    """The ARN of a resource's key; "" when it has none or AWS's own."""
    name = kms_key_of(resource)
    if "alias/aws/" in name:
        return ""
    key = assembly.by_name("AWS::KMS::Key", name)
    return key.arn if key else name
