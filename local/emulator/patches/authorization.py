"""Conditions that IAM decides otherwise than AWS, and refusals that say too little."""

import contextvars
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from local.emulator.patching import around, expect, expect_source

_SERVICES: Final = ("s3", "dynamodb", "states", "lambda", "sns", "sqs", "servicequotas", "events")
"""Services whose refusals name the resource on AWS."""

_refused: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("refused")


def loopback_counts_as_tls() -> None:
    """Gap: plain HTTP on loopback is not `aws:SecureTransport`: TLS-only bucket policies deny all.

    The CDK bootstrap bucket and every bucket of ours deny requests without TLS. Traffic that never
    leaves the machine has nothing to encrypt, so loopback meets the condition; the condition itself
    stays enforced.
    """
    from ministack import app
    from ministack.core import iam_evaluator

    shared = app.pin_request_origin is iam_evaluator.pin_request_origin
    expect(shared, "app to use iam_evaluator.pin_request_origin")

    @around(iam_evaluator, "pin_request_origin", "_request_origin.set((source_ip, secure_trans")
    def pin_request_origin(upstream: Any, source_ip: str, secure_transport: bool) -> None:
        upstream(source_ip, secure_transport or source_ip in ("127.0.0.1", "::1"))

    app.pin_request_origin = pin_request_origin


def services_are_known_by_their_names() -> None:
    """Gap: the first request to an unknown service holds up every other for seconds.

    MiniStack then reads the models of all of botocore's services for the names that they sign with,
    and `pricing` is unknown to it. Nearly every name is that of a service or of its endpoints; for
    one that is not, the models are still read.
    """
    from ministack.core import router

    @cache
    def names() -> frozenset[str]:
        import botocore.session

        session = botocore.session.get_session()
        endpoints = session.get_component("data_loader").load_data("endpoints")["partitions"]
        service_names = (
            *session.get_available_services(),
            *(n for partition in endpoints for n in partition["services"]),
        )
        return frozenset(service_names)

    @around(router, "_is_aws_service_name", "session.get_service_model(service).metadata")
    def is_service(upstream: Any, name: str) -> bool:
        return name in names() or bool(upstream(name))


def principal_arn_is_the_role() -> None:
    """Gap: for a role's session `aws:PrincipalArn` is the session's ARN; on AWS it is the role's.

    A policy that names roles by this key would match none of their sessions (IAM user guide, on
    global condition keys).
    """
    from ministack.core import iam_evaluator
    from ministack.services import iam

    source = 'if k == "aws:principalarn":\n        return ctx.principal_arn'

    @around(iam_evaluator, "_resolve_condition_key", source)
    def resolve(upstream: Any, key: str, context: Any) -> Any:
        value = upstream(key, context)
        if key.lower() != "aws:principalarn" or ":assumed-role/" not in str(value):
            return value
        account, name = value.split(":")[4], value.split("/")[1]
        role = iam._roles.get_scoped(account, None, name)
        return role["Arn"] if role else f"arn:aws:iam::{account}:role/{name}"


def parameters_below_a_path_are_the_path() -> None:
    """Gap: GetParametersByPath is allowed on * only; on AWS on the path that is asked for.

    (Systems Manager user guide, "How Parameter Store authorizes parameter retrieval".)
    """
    from ministack.core import iam_actions

    source = 'name = _param(body, query_params, "Name")'

    @around(iam_actions, "extract_resource_arn", source)
    def extract(
        upstream: Any,
        service: str,
        method: str,
        path: str,
        headers: Any,
        body: bytes,
        query_params: Any,
        region: str,
        account_id: str,
    ) -> Any:
        target = next((v for k, v in headers.items() if k.lower() == "x-amz-target"), "")
        if service == "ssm" and str(target).endswith(".GetParametersByPath"):
            parameter_path = str(json.loads(body).get("Path", "/")).strip("/")
            return f"arn:aws:ssm:{region}:{account_id}:parameter/{parameter_path}"
        return upstream(service, method, path, headers, body, query_params, region, account_id)


def writes_say_whether_they_replace() -> None:
    """Gap: `s3:if-none-match` is unknown, so a policy cannot demand that nothing is written over.

    (Amazon S3 user guide, "Enforce conditional writes on Amazon S3 buckets".)
    """
    from ministack.core import iam_actions

    @around(iam_actions, "_s3_object_context", 'if iam_action == "s3:PutObject":')
    def context_of(
        upstream: Any, action: str, query: Any, path: str, headers: Mapping[str, str]
    ) -> Any:
        context = upstream(action, query, path, headers)
        condition = headers.get("if-none-match")
        return {**context, "s3:if-none-match": condition} if condition else context


def items_have_leading_keys() -> None:
    """Gap: `dynamodb:LeadingKeys` is unknown; on AWS it has the partition keys that are asked for.

    A policy that lets a role at some items only would let it at none, or at all.
    """
    from ministack.core import iam_actions

    source = 'context["dynamodb:Select"] = select'

    @around(iam_actions, "dynamodb_service_context", source)
    def context_of(upstream: Any, body: bytes) -> Any:
        context = upstream(body)
        keys = list(_leading_keys(json.loads(body or b"{}")))
        return {**context, "dynamodb:leadingkeys": keys} if keys else context


def _leading_keys(request: Mapping[str, Any]) -> Iterator[str]:
    """The partition keys of all items that a request names."""
    for table, items in request.get("RequestItems", {}).items():
        for entry in items.get("Keys", ()) if isinstance(items, dict) else items:
            write = entry.get("PutRequest", {}).get("Item") or entry.get("DeleteRequest", {})
            yield from _leading_keys({"TableName": table, "Key": write.get("Key", write) or entry})
    for entry in request.get("TransactItems", ()):
        for inner in entry.values():
            yield from _leading_keys(inner)
    name = _partition_key(str(request.get("TableName", "")), request.get("IndexName"))
    for item in (request.get("Key", {}), request.get("Item", {})):
        yield from (str(value) for value in item.get(name, {}).values())
    aliases, values = (
        request.get(f"ExpressionAttribute{kind}", {}) for kind in ("Names", "Values")
    )
    for name_token, value_token in re.findall(
        r"([#\w]+)\s*=\s*(:\w+)", request.get("KeyConditionExpression", "")
    ):
        if aliases.get(name_token, name_token) == name:
            yield from (str(value) for value in values.get(value_token, {}).values())


def _partition_key(table: str, index: str | None) -> str:
    from ministack.services import dynamodb

    table_record = dynamodb._tables.get(table.rpartition("/")[2]) or {}
    for index_record in table_record.get("GlobalSecondaryIndexes", ()):
        if index is not None and index_record["IndexName"] == index:
            return next(
                str(key["AttributeName"])
                for key in index_record["KeySchema"]
                if key["KeyType"] == "HASH"
            )
    return str(table_record.get("pk_name", ""))


def sent_events_have_their_source() -> None:
    """Gap: `events:source` and `events:detail-type` are unknown, so nothing is refused by them.

    Both have several values, those of all entries (EventBridge user guide, "Using IAM policy
    conditions").
    """
    from ministack.core import iam_actions

    source = 'context["aws:TagKeys"] = [name for name, _ in tags] + keys'

    @around(iam_actions, "request_tag_context", source)
    def context_of(upstream: Any, service: str, action: str, body: bytes, params: Any) -> Any:
        context = upstream(service, action, body, params)
        if action != "events:PutEvents":
            return context
        entries = json.loads(body).get("Entries", ())
        for key, field in (("events:source", "Source"), ("events:detail-type", "DetailType")):
            context[key] = [str(entry.get(field, "")) for entry in entries]
        return context


def denials_name_the_resource() -> None:
    """Gap: refusals of S3, DynamoDB, Step Functions and Lambda do not name the resource.

    On AWS they do (S3 in quotes), so people read it, and what parses the message is tested with it.
    """
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator

    # Both are looked up for each request, so replacing them in their modules is enough.
    expect_source(
        app._dispatch_service_request,
        "from ministack.core.iam_evaluator import AuthError, enforce, pin_request_caller",
        "return access_denied_response(\n                    service, iam_action,",
    )

    @around(iam_evaluator, "enforce")
    def enforce(
        upstream: Any,
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Any = None,
    ) -> Any:
        denial = upstream(access_key_id, iam_action, service, region, resource_arn, service_context)
        if denial is not None:
            _refused.set((iam_action, resource_arn))
        return denial

    source = 'on_resource = f" on resource: {resource_arn}" if service == "iot"'

    @around(iam_actions, "access_denied_response", source)
    def access_denied_response(
        upstream: Any, service: str, action: str, principal: str, request_id: str, **details: Any
    ) -> Any:
        refused_action, resource = _refused.get(("", ""))
        plain = not details.get("message") and not details.get("error_code")
        decided_there = details.get("explicit_deny") and details.get("resource_policy_arn")
        if service in _SERVICES and plain and not decided_there and refused_action == action:
            place = f'"{resource}"' if service == "s3" else resource
            details["message"] = iam_actions.identity_denial_message(
                action, principal, place, bool(details.get("explicit_deny"))
            )
        return upstream(service, action, principal, request_id, **details)


def roles_are_simulated_with_their_context() -> None:
    """Gap: SimulatePrincipalPolicy does not find roles with a path, and ignores context entries.

    So nothing that has a condition is allowed. A boundary counts as well, as on AWS (API reference
    of IAM, SimulatePrincipalPolicy). One resource at a time, like upstream.
    """
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import iam

    expect(
        iam._IAM_HANDLERS["SimulatePrincipalPolicy"] is iam._simulate_principal_policy,
        "a table of IAM's operations",
    )

    @around(iam, "_simulate_principal_policy", 'resource.split("/", 1)[1]')
    def simulate(upstream: Any, parameters: Any) -> Any:
        arn, account = iam._p(parameters, "PolicySourceArn"), get_account_id()
        if ":role/" not in arn:
            return upstream(parameters)
        name = arn.rpartition("/")[2]
        actions, resource = iam._extract_simulate_params(parameters)
        context: dict[str, str] = {}
        number = 1
        while key := iam._p(parameters, f"ContextEntries.member.{number}.ContextKeyName"):
            values = f"ContextEntries.member.{number}.ContextKeyValues.member.1"
            context[key.lower()] = iam._p(parameters, values)
            number += 1
        results = "".join(
            f"<member><EvalActionName>{action}</EvalActionName>"
            f"<EvalResourceName>{resource}</EvalResourceName>"
            f"<EvalDecision>{decide(action, resource, name, account, context)}</EvalDecision>"
            "</member>"
            for action in actions
        )
        return iam._xml(
            200,
            "SimulatePrincipalPolicyResponse",
            f"<SimulatePrincipalPolicyResult><EvaluationResults>{results}</EvaluationResults>"
            "<IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>",
            ns="iam",
        )

    def decide(action: str, resource: str, role: str, account: str, context: dict[str, str]) -> str:
        request = iam_evaluator.EvalContext(
            principal_arn=f"arn:aws:sts::{account}:assumed-role/{role}/simulated",
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=get_region(),
            service_context=context,
        )
        policies = iam_evaluator._gather_role_policies(role, account)
        limits = iam_evaluator._permissions_boundary(iam._roles, role, account)
        decision = iam_evaluator.evaluate(request, policies, *limits).decision
        return {"Allow": "allowed", "Deny": "explicitDeny"}.get(decision, "implicitDeny")

    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = iam._simulate_principal_policy
