"""Who needs which KMS key: for objects, topics and tables."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.emulator import keys
from local.emulator.keys import ALGORITHM, KEY_ID
from local.emulator.patching import around
from local.emulator.requests import Response, ServiceRequest, Upstream, handle

_READ_OPTIONS: Final = {"versionId", "partNumber", "x-id"}
_PUBLISH: Final = ("sns:Publish", "sns:PublishBatch")
_TABLE_OPERATIONS: Final = (
    "GetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "Scan",
    "BatchGetItem",
    "BatchWriteItem",
)
_KEY_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(_PUBLISH, ("kms:GenerateDataKey", "kms:Decrypt")),
    **{f"dynamodb:{operation}": ("kms:Decrypt",) for operation in _TABLE_OPERATIONS},
}
"""The actions on the key that each action of a caller needs beside its own."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """An action on a key that a service performs for its caller; None: there is no key."""

    action: str
    key: str | None
    context: Mapping[str, str]


def aws_managed_key_by_default() -> None:
    """Gap: a write with `aws:kms` and no key id is refused; AWS takes the account's `aws/s3` key.

    The CDK CLI publishes assets this way once the bootstrap bucket has its encryption.
    """
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import s3

    source = "Server-side encryption with aws:kms requires a key id in "

    @around(s3, "_resolve_sse_write_headers", source)
    def resolve(upstream: Any, headers: Mapping[str, str], bucket: str) -> Any:
        if headers.get(ALGORITHM) == "aws:kms" and not headers.get(KEY_ID):
            key = f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3"
            headers = {**headers, KEY_ID: key}
        return upstream(headers, bucket)


def objects_need_their_key() -> None:
    """Gap: reading and writing KMS-encrypted objects needs no permission on the key.

    A role without `kms:Decrypt`, or with one that is not allowed through S3, would work here and
    fail on AWS.
    """
    from ministack.services import s3

    def refuse(request: ServiceRequest, reason: str) -> Response:
        answer: Response = s3._error("AccessDenied", reason, 403, request.path)
        return answer

    _guard("s3", _of_objects, refuse)


def topics_and_tables_need_their_key() -> None:
    """Gap: publishing to an encrypted topic or using an encrypted table needs no key permission.

    On AWS the caller needs `kms:GenerateDataKey` and `kms:Decrypt` for the topic and `kms:Decrypt`
    for the table, each through the service; without them the call is refused.
    """
    for service in ("sns", "dynamodb"):
        _guard(service, _of_topics_and_tables, _key_access_denied)


def _guard(
    service: str,
    key_uses: Callable[[ServiceRequest], Iterable[KeyUse]],
    refuse: Callable[[ServiceRequest, str], Response],
) -> None:
    """Before the service answers, its caller must be allowed every use of a key."""

    async def guarded(request: ServiceRequest, upstream: Upstream) -> Response:
        for use in key_uses(request):
            reason = use.key and keys.refusal(
                access_key=request.access_key,
                action=use.action,
                key=use.key,
                region=request.region,
                service=service,
                context=use.context,
            )
            if reason:
                return refuse(request, reason)
        return await upstream()

    handle(service, guarded)


def _of_objects(request: ServiceRequest) -> Iterable[KeyUse]:
    bucket, _, key = request.path.lstrip("/").partition("/")
    if not key:
        return
    context = keys.bucket_context(bucket)
    query, headers = request.query, request.headers
    if request.method == "GET" and not set(query) - _READ_OPTIONS:
        version = query.get("versionId", [None])[0]
        yield KeyUse("kms:Decrypt", keys.of_object(bucket, key, version), context)
    plain_put = request.method == "PUT" and not set(query) - {"x-id"}
    if plain_put or (request.method == "POST" and "uploads" in query):
        yield KeyUse("kms:GenerateDataKey", keys.of_write(bucket, headers), context)
    if request.method == "PUT" and "x-amz-copy-source" in headers:
        source = headers["x-amz-copy-source"].lstrip("/").split("?")[0]
        source_bucket, _, source_key = source.partition("/")
        yield KeyUse("kms:Decrypt", keys.of_object(source_bucket, source_key), context)


def _of_topics_and_tables(request: ServiceRequest) -> Iterable[KeyUse]:
    from ministack import app
    from ministack.core import iam_actions
    from ministack.core.responses import get_account_id

    place = request.method, request.path, request.headers, request.body
    parameters = app._routing_params(*place, request.query)
    action = iam_actions.extract_iam_action(request.service, *place, parameters)
    if action not in _KEY_ACTIONS:
        return
    region, account = request.region, get_account_id()
    uses: list[tuple[str | None, dict[str, str]]] = []
    if request.service == "sns":
        arn = iam_actions.extract_resource_arn(
            "sns", "POST", "/", request.headers, request.body, parameters, region, account
        )
        uses.append((keys.of_topic(arn), {"aws:sns:topicArn": arn}))
    else:
        for arn in iam_actions.dynamodb_resource_arns(request.body, region, account):
            name = arn.split("table/")[1].split("/")[0]
            context = {"aws:dynamodb:tableName": name, "aws:dynamodb:subscriberId": account}
            uses.append((keys.of_table(name), context))
    for key, context in uses:
        for right in _KEY_ACTIONS[action]:
            yield KeyUse(right, key, context)


def _key_access_denied(request: ServiceRequest, reason: str) -> Response:
    from ministack.core.iam_actions import access_denied_response

    answer: Response = access_denied_response(
        request.service,
        "",
        "",
        str(uuid.uuid4()),
        error_code="KMSAccessDenied" if request.service == "sns" else "AccessDeniedException",
        message=f"KMS key access denied error: {reason}",
        headers=request.headers,
    )
    return answer
