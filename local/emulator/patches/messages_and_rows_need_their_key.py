"""Gap: publishing to an encrypted topic and using an encrypted table ask for no right on the key.

On AWS the caller needs `kms:GenerateDataKey` and `kms:Decrypt` for the topic and `kms:Decrypt`
for the table, each through the service; without them the call is refused.
"""

import functools
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from local.emulator import keys
from local.emulator.patches._patching import expect, expect_source

Response = tuple[int, dict[str, str], Any]
Query = Mapping[str, list[str]]
Handler = Callable[[str, str, dict[str, str], bytes, Query], Awaitable[Response]]

NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sns:PublishBatch": ("kms:GenerateDataKey", "kms:Decrypt"),
    **{
        f"dynamodb:{operation}": ("kms:Decrypt",)
        for operation in (
            "GetItem",
            "PutItem",
            "UpdateItem",
            "DeleteItem",
            "Query",
            "Scan",
            "BatchGetItem",
            "BatchWriteItem",
        )
    },
}
"""The rights on the key that each action of a caller needs beside its own."""


def apply() -> None:
    from ministack import app

    expect_source(app._dispatch_service_request, "handler = SERVICE_HANDLERS.get(service)")
    for service in ("sns", "dynamodb"):
        expect(service in app.SERVICE_HANDLERS, f"a handler for {service}")
        app.SERVICE_HANDLERS[service] = _guarded(service, app.SERVICE_HANDLERS[service])


def _guarded(service: str, upstream: Handler) -> Handler:
    from ministack import app
    from ministack.core import iam_actions
    from ministack.core.responses import get_account_id
    from ministack.core.router import extract_access_key_id, extract_region

    @functools.wraps(upstream)
    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Query
    ) -> Response:
        merged = app._routing_params(method, path, headers, body, query)
        action = iam_actions.extract_iam_action(service, method, path, headers, body, merged)
        region = extract_region(headers, query)
        for key, context in _keys(action, headers, body, merged, region, get_account_id()):
            for right in NEEDED[str(action)]:
                why = keys.refusal(
                    access_key=extract_access_key_id(headers, query),
                    action=right,
                    key=key,
                    region=region,
                    service=service,
                    context=context,
                )
                if why is not None:
                    return _refused(service, str(action), why, headers)
        return await upstream(method, path, headers, body, query)

    return handle


def _keys(
    action: str | None,
    headers: dict[str, str],
    body: bytes,
    merged: Query,
    region: str,
    account: str,
) -> list[tuple[str, dict[str, str]]]:
    """The keys that the request needs, each with its encryption context."""
    from ministack.core import iam_actions

    if action is None or action not in NEEDED:
        return []
    found: list[tuple[str | None, dict[str, str]]] = []
    if action.startswith("sns:"):
        arn = iam_actions.extract_resource_arn(
            "sns", "POST", "/", headers, body, merged, region, account
        )
        found.append((keys.of_topic(arn), {"aws:sns:topicArn": arn}))
    else:
        for arn in iam_actions.dynamodb_resource_arns(body, region, account):
            name = arn.split("table/")[1].split("/")[0]
            context = {"aws:dynamodb:tableName": name, "aws:dynamodb:subscriberId": account}
            found.append((keys.of_table(name), context))
    return [(key, context) for key, context in found if key is not None]


def _refused(service: str, action: str, why: str, headers: dict[str, str]) -> Response:
    from ministack.core.iam_actions import access_denied_response

    code = "KMSAccessDenied" if service == "sns" else "AccessDeniedException"
    response: Response = access_denied_response(
        service,
        action,
        "",
        str(uuid.uuid4()),
        error_code=code,
        message=f"KMS key access denied error: {why}",
        headers=headers,
    )
    return response
