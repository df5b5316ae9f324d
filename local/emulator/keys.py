"""Which KMS key encrypts something, and whether a caller may use that key through the service."""

from collections.abc import Mapping
from typing import Any, Final

from local.emulator import roles

ALGORITHM: Final = "x-amz-server-side-encryption"
KEY_ID: Final = "x-amz-server-side-encryption-aws-kms-key-id"


def key_arn(identifier: str | None) -> str | None:
    """The ARN of a key by id, alias or ARN; None for no key and for a key of AWS itself."""
    from ministack.core.responses import get_account_id, get_region

    if not identifier or "alias/aws/" in identifier:
        return None
    if identifier.startswith("arn:"):
        return identifier
    kind = identifier if identifier.startswith("alias/") else f"key/{identifier}"
    return f"arn:aws:kms:{get_region()}:{get_account_id()}:{kind}"


def of_object(bucket: str, key: str, version: str | None = None) -> str | None:
    """The key that an object was written with; None without one or without the object."""
    from ministack.services import s3

    query = {"versionId": [version]} if version else {}
    status, headers, _ = s3._head_object(bucket, key, {}, query)
    return _of_headers(headers) if status == 200 else None


def of_write(bucket: str, headers: Mapping[str, str]) -> str | None:
    """The key with which S3 would encrypt this write: the request's, else the bucket's."""
    from ministack.services import s3

    write_headers, error = s3._resolve_sse_write_headers(headers, bucket)
    return None if error is not None else _of_headers(write_headers)


def of_table(name: str) -> str | None:
    """The key of a DynamoDB table; None without one or without the table."""
    from ministack.services import dynamodb

    description = (dynamodb._tables.get(name) or {}).get("SSEDescription") or {}
    return key_arn(description.get("KMSMasterKeyArn"))


def of_topic(arn: str) -> str | None:
    """The key of an SNS topic; None without one or without the topic."""
    from ministack.services import sns

    attributes = (sns._topics.get(arn) or {}).get("attributes") or {}
    return key_arn(attributes.get("KmsMasterKeyId"))


def of_queue(arn: str) -> str | None:
    """The key of an SQS queue; None without one or without the queue."""
    from ministack.services import sqs

    attributes = (sqs._queue_by_arn(arn) or {}).get("attributes") or {}
    return key_arn(attributes.get("KmsMasterKeyId"))


def _of_headers(headers: Mapping[str, Any]) -> str | None:
    lower = {name.lower(): value for name, value in headers.items()}
    return key_arn(lower.get(KEY_ID)) if lower.get(ALGORITHM) == "aws:kms" else None


def refusal(
    *,
    access_key: str,
    action: str,
    key: str,
    region: str,
    service: str,
    context: Mapping[str, str],
) -> str | None:
    """AWS's sentence when the caller may not use the key through the service; None when it may.

    `kms:ViaService`, `kms:CallerAccount` and `context`, the encryption context, can be conditions
    of identity and key policies.
    """
    from ministack.core.responses import get_account_id

    conditions = {
        "kms:ViaService": f"{service}.{region}.amazonaws.com",
        "kms:CallerAccount": get_account_id(),
        **{f"kms:EncryptionContext:{name}": value for name, value in context.items()},
    }
    return roles.refusal(access_key, action=action, resource=key, region=region, context=conditions)


def bucket_context(bucket: str) -> dict[str, str]:
    """The encryption context of the bucket's objects: with bucket keys it names the bucket."""
    return {"aws:s3:arn": f"arn:aws:s3:::{bucket}"}
