"""Properties that the emulator's CloudFormation drops, and the patches that keep them.

When a `…_as_it_comes` assertion fails, upstream has closed the gap: delete the patch.
"""

import asyncio
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.emulator.patches import cloudformation as cloudformation_patches
from local.emulator.server import LocalAws
from tests.local.support import unique

BUCKET_PROPERTIES = {
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}}
        ]
    },
    "LifecycleConfiguration": {
        "Rules": [
            {"Id": "a", "Status": "Enabled", "Prefix": "work/", "ExpirationInDays": 7},
            {
                "Id": "b",
                "Status": "Enabled",
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            },
        ]
    },
    "Tags": [{"Key": "team", "Value": "pets"}],
    "LoggingConfiguration": {"DestinationBucketName": "logs", "LogFilePrefix": "a/"},
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
}
READERS = {
    "BucketEncryption": "get_bucket_encryption",
    "LifecycleConfiguration": "get_bucket_lifecycle_configuration",
    "Tags": "get_bucket_tagging",
    "LoggingConfiguration": "get_bucket_logging",
}


def deployed_bucket(aws: LocalAws) -> str:
    """A bucket made by CloudFormation with all properties."""
    name = unique("deployed")
    resource = {
        "Type": "AWS::S3::Bucket",
        "Properties": {"BucketName": name, **BUCKET_PROPERTIES},
    }
    deploy(aws, name, resource)
    return name


def deploy(aws: LocalAws, name: str, resource: dict[str, Any]) -> None:
    """Make a stack with one resource."""
    cloudformation = aws.client("cloudformation")
    template = json.dumps({"Resources": {"Only": resource}})
    cloudformation.create_stack(StackName=name, TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )


def read_back(aws: LocalAws, name: str, operation: str) -> Any:
    """The answer of a bucket's reader; None when there is no such configuration."""
    try:
        answer = getattr(aws.client("s3"), operation)(Bucket=name)
    except ClientError:
        return None
    del answer["ResponseMetadata"]
    return answer


def test_cloudformation_drops_properties_of_a_bucket_as_it_comes(plain: LocalAws) -> None:
    name = deployed_bucket(plain)
    encryption = read_back(plain, name, "get_bucket_encryption")
    rules = encryption["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    others = [reader for reader in READERS.values() if reader != "get_bucket_encryption"]
    assert not any(read_back(plain, name, reader) for reader in others)


def test_cloudformation_sets_every_property_of_a_bucket(aws: LocalAws) -> None:
    name = deployed_bucket(aws)
    found = {reader: read_back(aws, name, reader) for reader in READERS.values()}
    rules = found["get_bucket_encryption"]["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == "k"
    lifecycle = {rule["ID"]: rule for rule in found["get_bucket_lifecycle_configuration"]["Rules"]}
    assert lifecycle["a"]["Expiration"] == {"Days": 7}
    assert lifecycle["b"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    tags = {tag["Key"]: tag["Value"] for tag in found["get_bucket_tagging"]["TagSet"]}
    assert tags.pop("aws:cloudformation:stack-id").startswith("arn:aws:cloudformation:")
    # What CloudFormation adds stays with a bucket that outlives its stack.
    assert tags == {
        "team": "pets",
        "aws:cloudformation:stack-name": name,
        "aws:cloudformation:logical-id": "Only",
    }
    assert found["get_bucket_logging"]["LoggingEnabled"]["TargetBucket"] == "logs"
    owner = read_back(aws, name, "get_bucket_ownership_controls")
    assert owner["OwnershipControls"] == BUCKET_PROPERTIES["OwnershipControls"]


def deployed_table(aws: LocalAws) -> tuple[Any, Any]:
    """Encryption and recovery of a table made by CloudFormation with both."""
    name = unique("table")
    properties = {
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "k"},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    deploy(aws, name, {"Type": "AWS::DynamoDB::Table", "Properties": properties})
    client = aws.client("dynamodb")
    encryption = client.describe_table(TableName=name)["Table"].get("SSEDescription")
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return encryption, backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]


def test_cloudformation_drops_properties_of_a_table_as_it_comes(plain: LocalAws) -> None:
    assert deployed_table(plain) == (None, "DISABLED")


def test_cloudformation_sets_encryption_and_recovery_of_a_table(aws: LocalAws) -> None:
    encryption, recovery = deployed_table(aws)
    assert (encryption["Status"], encryption["KMSMasterKeyArn"]) == ("ENABLED", "k")
    assert recovery == "ENABLED"


def key_of_a_deployed_topic(aws: LocalAws) -> str | None:
    """The key of a topic made by CloudFormation with one."""
    name = unique("topic")
    properties = {"TopicName": name, "KmsMasterKeyId": "alias/a-key"}
    deploy(aws, name, {"Type": "AWS::SNS::Topic", "Properties": properties})
    client = aws.client("sns")
    (arn,) = [
        each["TopicArn"]
        for each in client.list_topics()["Topics"]
        if each["TopicArn"].endswith(f":{name}")
    ]
    key: str | None = client.get_topic_attributes(TopicArn=arn)["Attributes"].get("KmsMasterKeyId")
    return key


def test_cloudformation_drops_the_key_of_a_topic_as_it_comes(plain: LocalAws) -> None:
    assert key_of_a_deployed_topic(plain) is None


def test_cloudformation_sets_the_key_of_a_topic(aws: LocalAws) -> None:
    assert key_of_a_deployed_topic(aws) == "alias/a-key"


LOG_GROUP = {"Type": "AWS::Logs::LogGroup", "Properties": {}}


def groups_of(aws: LocalAws, stack: str) -> list[str]:
    deploy(aws, stack, LOG_GROUP)
    found = aws.client("cloudformation").list_stack_resources(StackName=stack)
    return [each["PhysicalResourceId"] for each in found["StackResourceSummaries"]]


def test_a_log_group_is_not_named_after_its_stack_as_it_comes(plain: LocalAws) -> None:
    stack = unique("logging")
    assert groups_of(plain, stack) == [f"/aws/cloudformation/{stack}/Only"]


def test_a_log_group_is_named_after_its_stack_and_keeps_its_name(aws: LocalAws) -> None:
    stack = unique("logging")
    (name,) = groups_of(aws, stack)
    assert name.startswith(f"{stack}-Only-")
    kept = {**LOG_GROUP, "Properties": {"RetentionInDays": 7}}
    cloudformation = aws.client("cloudformation")
    cloudformation.update_stack(
        StackName=stack, TemplateBody=json.dumps({"Resources": {"Only": kept}})
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    found = aws.client("logs").describe_log_groups(logGroupNamePrefix=f"{stack}-")["logGroups"]
    assert [(each["logGroupName"], each["retentionInDays"]) for each in found] == [(name, 7)]


def test_what_a_resource_depends_on_stays_when_it_could_not_be_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As it comes, a role goes although the custom resource that needs it stays."""
    from ministack.services.cloudformation import _stacks, stacks

    broken, deleted = ["Throughput"], []

    def delete(kind: str, physical: str, properties: Any, stack: str, logical_id: str) -> None:
        if logical_id in broken:
            raise RuntimeError("a job is running")
        deleted.append(logical_id)

    monkeypatch.setattr(stacks, "_delete_resource", delete)
    cloudformation_patches.failed_deletions()
    definitions = {
        "Role": {"Type": "AWS::IAM::Role"},
        "Settings": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Ref": "Role"}}},
        "Throughput": {"Type": "AWS::SNS::Topic", "DependsOn": ["Settings"]},
        "Alone": {"Type": "AWS::SNS::Topic"},
    }
    name = unique("kept")
    resources = {key: {"ResourceType": each["Type"]} for key, each in definitions.items()}
    _stacks[name] = {"_template": {"Resources": definitions}, "_resources": resources}
    try:
        asyncio.run(stacks._delete_stack_async(name, name))
        assert _stacks[name]["StackStatus"] == "DELETE_FAILED"
        assert deleted == ["Alone"]
        broken.clear()
        asyncio.run(stacks._delete_stack_async(name, name))
        assert _stacks[name]["StackStatus"] == "DELETE_COMPLETE"
        assert deleted == ["Alone", "Throughput", "Settings", "Role"]
    finally:
        del _stacks[name]
