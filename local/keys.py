"""Which KMS key an S3 object has, and whether a caller may use it through S3."""

from collections.abc import Mapping
from typing import Any, Final

from local import roles

ALGORITHM: Final = "x-amz-server-side-encryption"
KEY_ID: Final = "x-amz-server-side-encryption-aws-kms-key-id"


def stored_key(bucket: str, key: str, version: str | None = None) -> str | None:
    """The KMS key that an object was written with; None without one or without the object."""
    from ministack.services import s3

    query = {"versionId": [version]} if version else {}
    status, headers, _ = s3._head_object(bucket, key, {}, query)
    return key_of(headers) if status == 200 else None


def key_for_write(bucket: str, headers: Mapping[str, str]) -> str | None:
    """The KMS key with which S3 would encrypt this write: the request's, else the bucket's."""
    from ministack.services import s3

    resolved, refused = s3._resolve_sse_write_headers(headers, bucket)
    return None if refused is not None else key_of(resolved)


def key_of(headers: Mapping[str, Any]) -> str | None:
    """The key's ARN in an answer's headers; None for other encryption and for AWS's own key."""
    from ministack.core.responses import get_account_id, get_region

    lower = {name.lower(): value for name, value in headers.items()}
    key = str(lower.get(KEY_ID) or "")
    if lower.get(ALGORITHM) != "aws:kms" or not key or key.endswith("alias/aws/s3"):
        return None
    if key.startswith("arn:"):
        return key
    kind = key if key.startswith("alias/") else f"key/{key}"
    return f"arn:aws:kms:{get_region()}:{get_account_id()}:{kind}"


def refusal(*, access_key: str, action: str, key_arn: str, bucket: str, region: str) -> str | None:
    """AWS's sentence when the caller may not `action` with the key through S3; None when it may.

    `kms:ViaService`, `kms:CallerAccount` and the encryption context can be conditions of identity
    and key policies. Buckets are assumed to use bucket keys, so the context names the bucket.
    """
    from ministack.core import iam_evaluator as iam
    from ministack.core.responses import get_account_id

    denied = iam.enforce(
        access_key,
        action,
        "kms",
        region,
        resource_arn=key_arn,
        service_context={
            "kms:ViaService": f"s3.{region}.amazonaws.com",
            "kms:CallerAccount": get_account_id(),
            "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}",
        },
    )
    if denied is None:
        return None
    principal = getattr(denied, "principal_arn", "") or access_key
    return roles.denial(principal, action, key_arn, denied)
