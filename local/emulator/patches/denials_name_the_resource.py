"""Gap: refusals of S3, DynamoDB, Step Functions and Lambda do not say on which resource.

On AWS they do (S3 in quotes), so people are told, and what reads the message is tested with it.
"""

import contextvars
import functools
from typing import Any, Final

from local.emulator.patches._patching import expect_source

SERVICES: Final = ("s3", "dynamodb", "states", "lambda", "sns", "sqs")

_refused: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("refused")


def apply() -> None:
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator

    # Both are looked up for each request, so replacing them in their modules is enough.
    expect_source(
        app._dispatch_service_request,
        "from ministack.core.iam_evaluator import AuthError, enforce, pin_request_caller",
        "return access_denied_response(\n                    service, iam_action,",
    )
    upstream, enforce = iam_actions.access_denied_response, iam_evaluator.enforce
    expect_source(upstream, 'on_resource = f" on resource: {resource_arn}" if service == "iot"')

    @functools.wraps(enforce)
    def noting(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Any = None,
    ) -> Any:
        denied = enforce(access_key_id, iam_action, service, region, resource_arn, service_context)
        if denied is not None:
            _refused.set((iam_action, resource_arn))
        return denied

    @functools.wraps(upstream)
    def naming(
        service: str, action: str, principal_arn: str, request_id: str, **details: Any
    ) -> Any:
        asked, resource = _refused.get(("", ""))
        plain = not details.get("message") and not details.get("error_code")
        decided_there = details.get("explicit_deny") and details.get("resource_policy_arn")
        if service in SERVICES and plain and not decided_there and asked == action:
            named = f'"{resource}"' if service == "s3" else resource
            details["message"] = iam_actions.identity_denial_message(
                action, principal_arn, named, bool(details.get("explicit_deny"))
            )
        return upstream(service, action, principal_arn, request_id, **details)

    iam_evaluator.enforce = noting
    iam_actions.access_denied_response = naming
