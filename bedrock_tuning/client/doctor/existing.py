"""Buckets, keys and topics that exist already: how they are set up, read without changing them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from bedrock_tuning.client.aws import Aws
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.sources.listing import listed

_GONE: Final = (
    "404",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchEntity",
    "NotFound",
    "NotFoundException",
    "ServerSideEncryptionConfigurationNotFoundError",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingResource:
    """One of them. policy: its text, "" for none. problems: what is wrong beside the policy.

    readable: whether it is there at all.
    """

    policy: str = ""
    problems: list[str] = field(default_factory=list)
    readable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingRole:
    """A role: the texts of its trust policy and of all its policies. boundary: its ARN, or ""."""

    trust: str
    policies: list[str]
    boundary: str = ""


def read_role(aws: Aws, arn: str) -> ExistingRole | None:
    """A role as IAM has it; None if there is none at this path with this name."""
    name = arn.rpartition("/")[2]
    answer = _answer_of(lambda: aws.iam.get_role(RoleName=name))
    if answer is None or answer["Role"]["Arn"] != arn:
        return None
    role = answer["Role"]
    return ExistingRole(
        trust=json.dumps(role["AssumeRolePolicyDocument"]),
        policies=[json.dumps(policy) for policy in _policies(aws, name)],
        boundary=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
    )


def _policies(aws: Aws, name: str) -> Iterator[Any]:
    iam = aws.iam
    for inline in listed(iam, "list_role_policies", "PolicyNames", RoleName=name):
        yield iam.get_role_policy(RoleName=name, PolicyName=inline)["PolicyDocument"]
    for attachment in listed(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name):
        arn = attachment["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        answer = iam.get_policy_version(PolicyArn=arn, VersionId=version)
        yield answer["PolicyVersion"]["Document"]


def read(aws: Aws, name: str, arn: str, settings: Settings) -> ExistingResource:
    """How something is set up. name: as settings and contracts call it."""
    if name == "topic":
        return _topic(aws, arn, settings)
    if name.endswith("-key"):
        return _key(aws, arn)
    return _bucket(aws, arn.rpartition(":")[2], settings, dataset=name != "output")


def _answer_of(call: Callable[[], Any]) -> Any:
    """The answer; None for what is not there."""
    from botocore.exceptions import ClientError

    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
        return None


def _bucket(aws: Aws, bucket: str, settings: Settings, *, dataset: bool) -> ExistingResource:
    head = _answer_of(lambda: aws.s3.head_bucket(Bucket=bucket))
    if head is None:
        return ExistingResource(problems=["it does not exist"], readable=False)
    policy = _answer_of(lambda: aws.s3.get_bucket_policy(Bucket=bucket))
    return ExistingResource(
        policy="" if policy is None else policy["Policy"],
        problems=list(_of_bucket(aws, bucket, head, settings, dataset=dataset)),
    )


def _of_bucket(
    aws: Aws, bucket: str, head: Any, settings: Settings, *, dataset: bool
) -> Iterator[str]:
    region = head.get("BucketRegion", settings.region)
    if region != settings.region:
        yield f"it is in {region}: jobs read and write buckets of {settings.region} only"
    if aws.s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        yield "its versions are not kept: switch versioning on, which tells uploads apart"
    encryption = _answer_of(lambda: aws.s3.get_bucket_encryption(Bucket=bucket))
    rules = [] if encryption is None else encryption["ServerSideEncryptionConfiguration"]["Rules"]
    keys = {r.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") for r in rules}
    if not any(settings.data_key.endswith(str(key).rpartition("/")[2]) for key in keys if key):
        yield f"it is not encrypted with data_key: set {settings.data_key} as its default key"
    if dataset:
        notifications = aws.s3.get_bucket_notification_configuration(Bucket=bucket)
        if "EventBridgeConfiguration" not in notifications:
            yield "it sends no events: switch EventBridge on, which starts runs"


def _key(aws: Aws, arn: str) -> ExistingResource:
    answer = _answer_of(lambda: aws.kms.describe_key(KeyId=arn))
    if answer is None:
        return ExistingResource(problems=["it does not exist"], readable=False)
    state = answer["KeyMetadata"]["KeyState"]
    policy = aws.kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
    return ExistingResource(
        policy=policy, problems=[] if state == "Enabled" else [f"it is {state}: enable it"]
    )


def _topic(aws: Aws, arn: str, settings: Settings) -> ExistingResource:
    answer = _answer_of(lambda: aws.sns.get_topic_attributes(TopicArn=arn))
    if answer is None:
        return ExistingResource(problems=["it does not exist"], readable=False)
    attributes = answer["Attributes"]
    key = str(attributes.get("KmsMasterKeyId", ""))
    problems = []
    if not key or not settings.operations_key.endswith(key.rpartition("/")[2]):
        problems = [f"it is not encrypted with operations_key: set {settings.operations_key}"]
    return ExistingResource(policy=json.dumps(json.loads(attributes["Policy"])), problems=problems)
