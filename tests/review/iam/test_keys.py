"""Which key encrypts a resource, by where each type of resource names it."""

from typing import Any

import pytest

from bedrock_tuning.review.assembly.template import Assembly, resolve
from bedrock_tuning.review.iam.keys import default_encryption, key_arn, kms_key_of
from tests.review.iam.probes import NEEDS

ALIAS = "alias/ours"
# By type, its properties with a key.
NAMED: dict[str, dict[str, Any]] = {
    "DynamoDB::Table": {"SSESpecification": {"KMSMasterKeyId": ALIAS}},
    "Logs::LogGroup": {"KmsKeyId": ALIAS},
    "S3::Bucket": {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": {"KMSMasterKeyID": ALIAS}}
            ]
        }
    },
    "SNS::Topic": {"KmsMasterKeyId": ALIAS},
    "SQS::Queue": {"KmsMasterKeyId": ALIAS},
    "SSM::Parameter": {"KeyId": ALIAS},
}


def resolved(kind: str, properties: dict[str, Any]) -> Assembly:
    one = {"Type": f"AWS::{kind}", "Properties": properties}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}}}
    return resolve({"main": {"Resources": {"One": one, "Key": key}}})


@pytest.mark.parametrize("kind", NAMED)
def test_each_type_of_resource_names_its_key_in_a_place_of_its_own(kind: str) -> None:
    assembly = resolved(kind, NAMED[kind])
    (one,) = assembly.of_type(f"AWS::{kind}")
    assert (kms_key_of(one), key_arn(assembly, one)) == (ALIAS, ALIAS)
    (bare,) = resolved(kind, {}).of_type(f"AWS::{kind}")
    assert (kms_key_of(bare), key_arn(assembly, bare)) == ("", "")


def test_a_key_of_aws_is_none_of_ours_and_one_of_ours_is_told_by_its_arn() -> None:
    assembly = resolved("SNS::Topic", {"KmsMasterKeyId": "alias/aws/sns"})
    (topic,) = assembly.of_type("AWS::SNS::Topic")
    assert key_arn(assembly, topic) == ""
    (key,) = assembly.of_type("AWS::KMS::Key")
    assembly = resolved("SNS::Topic", {"KmsMasterKeyId": {"Ref": "Key"}})
    (topic,) = assembly.of_type("AWS::SNS::Topic")
    assert key_arn(assembly, topic) == key.arn
    assert key.arn.startswith("arn:aws:kms:")


def test_a_bucket_says_how_it_encrypts_or_nothing() -> None:
    (said,) = resolved("S3::Bucket", NAMED["S3::Bucket"]).of_type("AWS::S3::Bucket")
    assert default_encryption(said) == {"KMSMasterKeyID": ALIAS}
    (silent,) = resolved("S3::Bucket", {}).of_type("AWS::S3::Bucket")
    assert default_encryption(silent) is None


def test_who_reads_decrypts_and_who_uploads_in_parts_or_sends_does_both() -> None:
    both = {action for action, needs in NEEDS.items() if len(needs) > 1}
    assert both == {"s3:PutObject", "sns:Publish", "sqs:SendMessage"}
    assert {NEEDS[action] for action in both} == {("kms:GenerateDataKey", "kms:Decrypt")}
    assert {NEEDS[action] for action in NEEDS.keys() - both} == {("kms:Decrypt",)}
    tables = {action.partition(":")[2] for action in NEEDS if action.startswith("dynamodb:")}
    assert tables == {*("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan")}
    assert NEEDS.keys() - both >= {"s3:GetObject", "s3:GetObjectVersion", "sqs:ReceiveMessage"}
