"""Resources of which contracts say every property, and policies of resources."""

import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, Final, cast

from aws_cdk import CfnResource, RemovalPolicy, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.contracts.alarms import ALARM
from bedrock_tuning.contracts.contract import MACHINE
from bedrock_tuning.contracts.written.customization import BUDGET, SERVING

# A first deployment that fails leaves none of it behind: the next attempt begins anew.
RETAINED: Final = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
_REMOVAL: Final = {
    "AWS::DynamoDB::Table": RETAINED,
    "AWS::KMS::Key": RETAINED,
    "AWS::Logs::LogGroup": RemovalPolicy.DESTROY,
    "AWS::S3::Bucket": RETAINED,
    MACHINE: RemovalPolicy.DESTROY,
    "Custom::RunGuard": RemovalPolicy.DESTROY,
    SERVING: RemovalPolicy.DESTROY,
}
# What Ref gives, where it is not the name.
_REFERENCE: Final = {"AWS::SNS::Topic": "arn", "AWS::SQS::Queue": "url", MACHINE: "arn"}
# Of a policy: its property for what it is of, and the attribute that this takes.
_POLICIES: Final = {
    "AWS::S3::Bucket": ("bucket", ":name"),
    "AWS::SNS::Topic": ("topics", ""),
    "AWS::SQS::Queue": ("queues", ":url"),
}
# Whose names are not of CloudFormation.
_AS_THEY_ARE: Final = ("PolicyDocument", "Variables")
_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def written(
    scope: Construct, name: str, permissions: Permissions, *, inside: bool = False, **more: Any
) -> CfnResource:
    """A resource as its contract says; what that refers to must be registered before.

    scope: what it stands in. inside: in a construct of its own, whose path its logical id is made
    of, as a construct of the CDK once made it. more: what contracts do not say of it, as the CDK's
    class takes it.
    """
    place = permissions.contracts.places[name]
    properties = place.filled(partial(permissions.fill, scope=scope))
    construct_id = place.path.rpartition("/")[2]
    if inside:
        scope, construct_id = Construct(scope, construct_id), "Resource"
    # The class of budgets would tag them, which changes them where they are deployed.
    if place.type.startswith("Custom::") or place.type == BUDGET:
        resource = CfnResource(scope, construct_id, type=place.type, properties=properties)
    else:
        arguments = {
            _WORDS.sub("_", key).lower(): _cdk_names(key, properties[key]) for key in properties
        }
        resource = _class(place.type)(scope, construct_id, **arguments, **more)
    if place.type in _REMOVAL:
        resource.apply_removal_policy(_REMOVAL[place.type])
    # Nothing names an alarm, and there are two for each customization.
    if place.type != ALARM:
        arn, queue = (Token.as_string(resource.get_att(part)) for part in ("Arn", "QueueName"))
        names = {"arn": arn, "name": queue, _REFERENCE.get(place.type, "name"): resource.ref}
        permissions.register(name, **names)
    return resource


def _class(kind: str) -> Callable[..., CfnResource]:
    """The CDK's own of a resource type: it tags resources, and scanners know it."""
    _, service, name = kind.split("::")
    cdk_class: Callable[..., CfnResource] = getattr(
        import_module(f"aws_cdk.aws_{service.lower()}"), f"Cfn{name}"
    )
    return cdk_class


def kms_key(scope: Construct, name: str, permissions: Permissions) -> None:
    """A key with its policy, unless it exists already."""
    if name not in permissions.contracts.given:
        grants = permissions.statements(permissions.contracts.resource(name).grants, scope)
        document = iam.PolicyDocument(statements=grants)
        written(scope, name, permissions, inside=True, key_policy=document)


def policy(scope: Construct, name: str, permissions: Permissions) -> CfnResource:
    """All that a resource's contract refuses and grants; `scope` has the resource's construct."""
    contract = permissions.contracts.resource(name)
    parent = cast(Construct, scope.node.find_child(contract.place.path.rpartition("/")[2]))
    target, attribute = _POLICIES[contract.place.type]
    statements = permissions.statements((*contract.refusals, *contract.grants), scope)
    reference = permissions.fill(f"{{{name}{attribute}}}", scope)
    return _class(f"{contract.place.type}Policy")(
        Construct(parent, "Policy"),
        "Resource",
        policy_document=iam.PolicyDocument(statements=statements),
        **{target: reference if target == "bucket" else [reference]},
    )


def _cdk_names(name: str, value: Any) -> Any:
    """A value with names as the CDK writes them, which begin small."""
    if isinstance(value, list):
        return [_cdk_names(name, item) for item in value]
    if isinstance(value, dict) and name not in _AS_THEY_ARE:
        return {_small(key): _cdk_names(key, item) for key, item in value.items()}
    return value


def _small(name: str) -> str:
    """For example kmsMasterKeyId for KMSMasterKeyID."""
    first, *others = _WORDS.split(name)
    return first.lower() + "".join(map(str.capitalize, others))


def allow_call(scope: Construct, construct_id: str, name: str, permissions: Permissions) -> None:
    """Lets a service call a function, as the function's contract says. name: the contract's."""
    (grant,) = permissions.contracts.resource(name).grants
    ((source,),) = (condition.values for condition in grant.conditions)
    lambda_.CfnPermission(
        scope,
        construct_id,
        action=grant.actions[0],
        function_name=permissions.fill(grant.resources[0], scope),
        principal=grant.services[0],
        source_arn=permissions.fill(source, scope),
    )


def add_alarms(scope: Construct, stack: str, permissions: Permissions) -> None:
    """All of a stack, by its part of the app."""
    contracts = permissions.contracts
    for name, place in contracts.places.items():
        if place.type == ALARM and place.stack == stack:
            written(scope, name, permissions, inside=stack not in contracts.settings)
