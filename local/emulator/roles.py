"""Lets services inside the emulator act as IAM roles, under the role's trust and permissions."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from threading import Lock
from typing import Any, Final

from local.emulator.layout import HOST

# Nobody outside of this process can compute a session's credentials from the name of its role.
_SALT: Final = secrets.token_hex(16)


class RoleError(Exception):
    """A role cannot be assumed or may not do something; the message is AWS's."""


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials of a role, valid on this server."""

    role_arn: str
    principal_arn: str
    access_key: str
    secret_key: str
    token: str

    @property
    def account(self) -> str:
        return self.role_arn.split(":")[4]


def assume(
    *, role_arn: str, service: str, source_arn: str, session_name: str, region: str
) -> Session:
    """Credentials of `role_arn` for an AWS service that acts for `source_arn`.

    Raises RoleError when the role does not exist or its trust policy does not let `service`
    assume it with `aws:SourceArn` and `aws:SourceAccount` of that resource.
    """
    context = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_arn.split(":")[4]}
    if not _trusts(service, role_arn=role_arn, region=region, context=context):
        raise RoleError(
            f"{service} is unable to assume the role {role_arn} for {source_arn}: "
            "its trust policy does not allow it"
        )
    return session_of(role_arn, session_name, seed=service)


def become(
    session: Session, *, role_arn: str, external_id: str, session_name: str, region: str
) -> Session:
    """Credentials of `role_arn` for a role that assumes it as sts:AssumeRole would.

    Raises RoleError unless the session's own policies and the trust policy of the role allow it;
    Step Functions does not say which of the two refuses.
    """
    denial = refusal(session.access_key, action="sts:AssumeRole", resource=role_arn, region=region)
    context = {"sts:externalid": external_id}
    if denial or not _trusts(session.role_arn, role_arn=role_arn, region=region, context=context):
        raise RoleError(
            f"The role {session.role_arn} is not authorized to assume the task state's role, "
            f"{role_arn}."
        )
    return session_of(role_arn, session_name, seed=session.role_arn)


def session_of(role_arn: str, session_name: str, *, seed: str) -> Session:
    """Credentials of `role_arn`; the same for the same seed, until this process ends."""
    from ministack.services import sts

    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    seed = hashlib.sha256(f"{seed} {role_arn} {session_name}".encode()).hexdigest()
    session = Session(
        role_arn=role_arn,
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}",
        access_key=f"ASIA{seed[:16].upper()}",
        secret_key=hashlib.sha256(f"{_SALT} secret {seed}".encode()).hexdigest(),
        token=hashlib.sha256(f"{_SALT} token {seed}".encode()).hexdigest(),
    )
    sts.register_session(
        session.access_key,
        {
            "Arn": session.principal_arn,
            "UserId": f"{name}:{session_name}",
            "SecretAccessKey": session.secret_key,
            "SessionToken": session.token,
        },
    )
    return session


def age(role_arn: str) -> float:
    """How many seconds ago a role was made; raises RoleError for one that does not exist."""
    from ministack.services.iam import _roles

    role = _roles.get_scoped(role_arn.split(":")[4], None, role_arn.rsplit("/", 1)[-1])
    if role is None:
        raise RoleError(f"The role {role_arn} does not exist")
    creation = datetime.fromisoformat(str(role["CreateDate"]))
    return (datetime.now(UTC) - creation).total_seconds()


def _trusts(principal: str, *, role_arn: str, region: str, context: Mapping[str, str]) -> bool:
    """Whether a role's trust policy lets a service or a role of its account assume it."""
    from ministack.core import iam_evaluator as iam
    from ministack.services.iam import _roles

    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    role = _roles.get_scoped(account, None, name)
    if role is None:
        raise RoleError(f"The role {role_arn} does not exist")
    document = role["AssumeRolePolicyDocument"]
    policy = json.loads(document) if isinstance(document, str) else document
    is_service = not principal.startswith("arn:")
    root = f"arn:aws:iam::{account}:root"
    request = iam.EvalContext(
        principal_arn=principal,
        principal_type="AWSService" if is_service else "AssumedRole",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=region,
        secure_transport=True,
        service_context=dict(context),
    )
    applicable = [
        statement
        for statement in _as_list(policy.get("Statement", ()))
        if statement.get("Principal") == "*"
        or (is_service and iam._service_principal_matches(statement.get("Principal"), principal))
        or (not is_service and (statement.get("Principal") or {}).get("AWS") in (root, principal))
    ]
    # A trust policy names no resource: it is about the role that carries it.
    statements = [{**statement, "Resource": "*"} for statement in applicable]
    policy_document = iam.parse_policy_document({"Statement": statements})
    decision: str = iam.evaluate(request, [policy_document]).decision
    return decision == "Allow"


def refusal(
    access_key: str,
    *,
    action: str,
    resource: str,
    region: str,
    context: Mapping[str, Any] | None = None,
) -> str | None:
    """AWS's sentence when the holder of the key may not do `action` on `resource`; None if it may.

    Identity, resource (bucket, key, topic …), boundary policies and conditions all count.
    """
    from ministack.core import iam_evaluator as iam
    from ministack.core.iam_actions import identity_denial_message

    iam.pin_request_origin(HOST, True)
    denial = iam.enforce(
        access_key,
        action,
        action.split(":", 1)[0],
        region,
        resource_arn=resource,
        service_context=dict(context or {}),
    )
    if denial is None:
        return None
    principal = getattr(denial, "principal_arn", "") or access_key
    explicit = getattr(denial, "decision", "") == "Deny"
    sentence: str = identity_denial_message(action, principal, resource, explicit)
    if getattr(denial, "resource_policy_arn", ""):
        return sentence.replace("an identity-based policy", "a resource-based policy")
    return sentence


def service_may(service: str, *, action: str, resource: str) -> bool:
    """Whether a resource's own policy allows an AWS service that names no source of its call."""
    from ministack.core import iam_evaluator as iam

    policy, account = iam._resource_policy(action.split(":", 1)[0], resource) or ("", "")
    request = iam.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=resource.split(":")[3],
        secure_transport=True,
    )
    decision: str = iam.evaluate_resource_policy(policy, request, service=service).decision
    return decision == "Allow"


def authorize(
    session: Session,
    *,
    action: str,
    resource: str,
    region: str,
    context: Mapping[str, Any] | None = None,
) -> None:
    """Raise RoleError with AWS's sentence unless the session may do `action` on `resource`."""
    reason = refusal(
        session.access_key, action=action, resource=resource, region=region, context=context
    )
    if reason is not None:
        raise RoleError(reason)


def _as_list(value: Any) -> Iterable[Any]:
    return [value] if isinstance(value, dict) else value


# Clients are safe to share between threads; making them is not.
_making = Lock()


@cache
def _models() -> Any:
    """What botocore knows of services: a session of its own would read it again each time."""
    import botocore.session

    return botocore.session.get_session()


@lru_cache(maxsize=256)
def client(session: Session, service: str, region: str) -> Any:
    """A botocore client of this server that signs as the session; one attempt, path-style S3."""
    from botocore.config import Config

    config = Config(
        retries={"total_max_attempts": 1},
        read_timeout=900,
        max_pool_connections=32,
        s3={"addressing_style": "path"},
        inject_host_prefix=False,
    )
    with _making:
        return _models().create_client(
            service,
            region_name=region,
            endpoint_url=f"http://{HOST}:{os.environ['GATEWAY_PORT']}",
            aws_access_key_id=session.access_key,
            aws_secret_access_key=session.secret_key,
            aws_session_token=session.token,
            config=config,
        )
