"""A role of one AWS service: who may assume it, under which conditions, and all it may do."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import Names
from aws_cdk import aws_iam as iam
from constructs import Construct

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts.bucket_access import role_name

_ROLE_NAME_LENGTH: Final = 64


def trusted_by(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    service: str,
    description: str,
    settings: Settings,
    conditions: Mapping[str, Any],
    statements: Sequence[iam.PolicyStatement],
) -> iam.Role:
    """A role with its whole policy inside, so that it never exists without it.

    name: what its contract calls it (bedrock_tuning.contracts), without "role.".
    conditions: on the trust; every service trust has one, against the confused deputy.
    """
    return iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal(service, conditions=dict(conditions)),
        description=description,
        role_name=_name(scope, construct_id, settings, name),
        permissions_boundary=(
            iam.ManagedPolicy.from_managed_policy_arn(
                scope, f"{construct_id}Boundary", settings.permissions_boundary
            )
            if settings.permissions_boundary
            else None
        ),
        inline_policies={"Policy": iam.PolicyDocument(statements=list(statements))},
    )


def _name(scope: Construct, construct_id: str, settings: Settings, name: str) -> str | None:
    if settings.deny_others:
        # The buckets' policies name the roles, which come into being after them.
        return role_name(settings, name)
    # Only accounts that demand a prefix get physical names: they forbid some replacements.
    prefix = settings.role_name_prefix
    if not prefix:
        return None
    room = _ROLE_NAME_LENGTH - len(prefix)
    unique = Names.unique_resource_name(scope, max_length=room - len(construct_id))
    return f"{prefix}{unique}{construct_id}"
