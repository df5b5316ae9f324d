"""Gap: reading and writing KMS-encrypted objects asks for no permission on the key.

A role without `kms:Decrypt`, or with one that is not allowed through S3, would work here and
fail on AWS.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from local.emulator import keys
from local.emulator.patches._patching import expect, expect_source

Response = tuple[int, dict[str, str], Any]
Query = Mapping[str, list[str]]
Handler = Callable[[str, str, dict[str, str], bytes, Query], Awaitable[Response]]

_READ_OPTIONS: Final = {"versionId", "partNumber", "x-id"}


def apply() -> None:
    from ministack import app
    from ministack.core.router import extract_access_key_id, extract_region
    from ministack.services import s3

    expect("s3" in app.SERVICE_HANDLERS, "a handler for s3")
    expect_source(app._dispatch_service_request, "handler = SERVICE_HANDLERS.get(service)")
    upstream: Handler = app.SERVICE_HANDLERS["s3"]

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Query
    ) -> Response:
        bucket, _, key = path.lstrip("/").partition("/")
        for action, key_arn in _needed(method, bucket, key, headers, query):
            why = keys.refusal_through_s3(
                access_key=extract_access_key_id(headers, query),
                action=action,
                key=key_arn,
                bucket=bucket,
                region=extract_region(headers, query),
            )
            if why is not None:
                refused: Response = s3._error("AccessDenied", why, 403, path)
                return refused
        return await upstream(method, path, headers, body, query)

    app.SERVICE_HANDLERS["s3"] = handle


def _needed(
    method: str, bucket: str, key: str, headers: Mapping[str, str], query: Query
) -> list[tuple[str, str]]:
    """The KMS actions, each with its key, that S3 does for the caller of this request."""
    if not key:
        return []
    pairs: list[tuple[str, str | None]] = []
    if method == "GET" and not set(query) - _READ_OPTIONS:
        version = query.get("versionId", [None])[0]
        pairs.append(("kms:Decrypt", keys.of_object(bucket, key, version)))
    if (method == "PUT" and not set(query) - {"x-id"}) or (method == "POST" and "uploads" in query):
        pairs.append(("kms:GenerateDataKey", keys.of_write(bucket, headers)))
    if method == "PUT" and "x-amz-copy-source" in headers:
        source = headers["x-amz-copy-source"].lstrip("/").split("?")[0]
        source_bucket, _, source_key = source.partition("/")
        pairs.append(("kms:Decrypt", keys.of_object(source_bucket, source_key)))
    return [(action, arn) for action, arn in pairs if arn is not None]
