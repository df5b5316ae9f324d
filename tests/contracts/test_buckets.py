"""Buckets are private, keep what the settings say, and only uploads of datasets are told."""

from collections.abc import Mapping
from typing import Any

import pytest

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import contracts

CHOSEN = Settings(
    name="dev", region="us-east-1", noncurrent_days=31, work_days=15, log_retention_days=91
)
BUCKETS: Mapping[str, Mapping[str, Any]] = {
    name: place.properties
    for name, place in contracts(CHOSEN, {}).places.items()
    if place.type == "AWS::S3::Bucket"
}
DATASETS = ("training", "validation")


@pytest.mark.parametrize("name", BUCKETS)
def test_nothing_is_public_and_every_version_is_kept(name: str) -> None:
    assert set(BUCKETS[name]["PublicAccessBlockConfiguration"].values()) == {True}
    assert BUCKETS[name]["OwnershipControls"] == {
        "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
    }
    assert BUCKETS[name]["VersioningConfiguration"] == {"Status": "Enabled"}


def test_objects_expire_only_where_the_settings_say_so() -> None:
    expiring = {
        (name, rule.get("Prefix", "")): rule["ExpirationInDays"]
        for name, each in BUCKETS.items()
        for rule in each["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    }
    assert expiring == {("access-logs", ""): 91, ("output", "work/"): 15}


@pytest.mark.parametrize("name", BUCKETS)
def test_old_versions_and_uploads_that_were_never_whole_are_removed(name: str) -> None:
    rules = BUCKETS[name]["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    (all_of_it,) = [rule for rule in rules if "Prefix" not in rule]
    assert all_of_it["NoncurrentVersionExpiration"] == {"NoncurrentDays": 31}
    assert all_of_it["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_data_is_encrypted_with_its_key_and_logged_in_a_folder_of_its_own() -> None:
    for name in (*DATASETS, "output"):
        (rule,) = BUCKETS[name]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["BucketKeyEnabled"] is True
        assert rule["ServerSideEncryptionByDefault"] == {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": "{data-key}",
        }
        assert BUCKETS[name]["LoggingConfiguration"] == {
            "DestinationBucketName": "{access-logs:name}",
            "LogFilePrefix": f"{name}/",
        }
    # S3 cannot deliver logs to a bucket with a customer's key, nor log what it delivers.
    (own,) = BUCKETS["access-logs"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert own == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert "LoggingConfiguration" not in BUCKETS["access-logs"]


def test_only_buckets_of_datasets_send_events_and_to_eventbridge_alone() -> None:
    sent = {
        name: each["NotificationConfiguration"]
        for name, each in BUCKETS.items()
        if "NotificationConfiguration" in each
    }
    told = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert sent == dict.fromkeys(DATASETS, told)
