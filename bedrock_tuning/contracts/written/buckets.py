"""The buckets: private, with versions, encrypted, logged; datasets' alone send events."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.config.settings_limits import BUCKETS
from bedrock_tuning.contracts.contract import Place

_PRIVATE: Final = {
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    },
    "VersioningConfiguration": {"Status": "Enabled"},
}
# Without a bucket key every object would be a call to KMS.
_OWN_KEY: Final = {
    "BucketKeyEnabled": True,
    "ServerSideEncryptionByDefault": {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": "{data-key}",
    },
}
# The S3 log delivery service cannot write to a bucket with a customer key.
_KEY_OF_S3: Final = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
_ENABLED: Final = {"Status": "Enabled"}


def buckets(settings: Settings, places: Mapping[str, Place]) -> dict[str, Place]:
    """By contract name, that of access logs first. places: where they stand."""
    expiring = {"ExpirationInDays": settings.log_retention_days}
    logs = {"Id": "ExpireLogs", **_cleanup(settings), **expiring}
    result = {"access-logs": _bucket(places["access-logs"], _KEY_OF_S3, [logs])}
    for name in BUCKETS:
        rules = [{"Id": "CleanUp", **_cleanup(settings)}]
        extra: dict[str, Any] = {
            "LoggingConfiguration": {
                "DestinationBucketName": "{access-logs:name}",
                "LogFilePrefix": f"{name}/",
            }
        }
        if name == "output":
            prefix, days = f"{s3_layout.WORK}/", settings.work_days
            rules.append(
                {"Id": "ExpireWork", **_ENABLED, "Prefix": prefix, "ExpirationInDays": days}
            )
        else:
            # What Bedrock or our functions write must never start a run. As a property: the CDK's
            # own switch adds a function that may change the notifications of every bucket.
            events = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
            extra["NotificationConfiguration"] = events
        result[name] = _bucket(places[name], _OWN_KEY, rules, **extra)
    return result


def _bucket(place: Place, key: dict[str, Any], rules: list[dict[str, Any]], **extra: Any) -> Place:
    encryption = {"ServerSideEncryptionConfiguration": [key]}
    properties = {**_PRIVATE, "BucketEncryption": encryption, **extra}
    return replace(place, properties={**properties, "LifecycleConfiguration": {"Rules": rules}})


def _cleanup(settings: Settings) -> dict[str, Any]:
    """Removes old versions and what was never uploaded whole."""
    return {
        **_ENABLED,
        "NoncurrentVersionExpiration": {"NoncurrentDays": settings.noncurrent_days},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
