"""Keys, and what is retained when its stack is deleted.

A first deployment that fails leaves none of it behind: the next attempt begins anew.
"""

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from constructs import Construct

from bedrock_tuning.constructs.permissions import Permissions

RETAINED: Final = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE


def retained_key(
    scope: Construct, construct_id: str, *, name: str, description: str, permissions: Permissions
) -> kms.IKey:
    """A key that rotates, or the one that exists already.

    name: its contract's, whose services may use it.
    """
    if name in permissions.contracts.given:
        return kms.Key.from_key_arn(scope, construct_id, permissions.fill(f"{{{name}}}", scope))
    key = kms.Key(
        scope,
        construct_id,
        description=description,
        enable_key_rotation=True,
        removal_policy=RETAINED,
    )
    permissions.register(name, arn=key.key_arn)
    for statement in permissions.resource_policy(name, scope):
        key.add_to_resource_policy(statement)
    return key
