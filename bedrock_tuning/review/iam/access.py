"""Everything that decides about access, drawn together from all stacks: roles, policies, endpoints.

A policy may stand in a role, beside it, on a resource or in a resource of its own; here each role
has all of its statements and each resource all of its policy's, wherever they were written.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.iam.conditions import Context
from bedrock_tuning.review.iam.policy import (
    POLICY_VERSION,
    Document,
    PolicyKind,
    Statement,
    as_list,
    parse_policy,
)
from bedrock_tuning.review.iam.simulator import EvalDecision, EvalRequest, Policies, decide


@dataclass(slots=True, kw_only=True)
class IamRole:
    """A role with all that is attached to it. managed: ARNs of policies outside of the templates.

    A policy of people counts as the role of somebody who has it and nothing else: arn is then made
    up, and nobody is trusted.

    boundary: its ARN, "" for none; it is no limit here, for it can only take away.
    """

    resource: Resource
    arn: str
    trust: list[Statement]
    policy: list[Statement]
    managed: list[str]
    boundary: str = ""

    @property
    def path(self) -> str:
        """Its construct path."""
        return self.resource.path

    @property
    def is_policy(self) -> bool:
        """Whether it is a policy of people."""
        return self.resource.type == _MANAGED


_MANAGED: Final = "AWS::IAM::ManagedPolicy"
# What an endpoint without a policy of its own has.
_EVERYTHING: Final = {
    "Version": POLICY_VERSION,
    "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
}


def principal_of(resource: Resource) -> str:
    """The ARN of who may do what a role, or a policy of people, says."""
    if resource.type != _MANAGED:
        return resource.arn
    return f"arn:{identity.PARTITION}:iam::{identity.ACCOUNT}:role/has/{resource.name}"


@dataclass(slots=True, kw_only=True)
class EndpointPolicy:
    """A VPC endpoint, with its policy: without one, it lets everything through."""

    resource: Resource
    service: str
    policy: list[Statement]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalPolicy:
    """What no template makes: the policy that it must have, and the account that owns it."""

    policy: Sequence[Statement]
    account: str


@dataclass(slots=True, kw_only=True)
class EffectivePermissions:
    """The whole picture. problems: (construct path, what is wrong with a policy's form).

    existing: what no template makes, by ARN.
    """

    assembly: Assembly
    existing: Mapping[str, ExternalPolicy] = field(default_factory=dict)
    account: str = identity.ACCOUNT
    roles: dict[str, IamRole] = field(default_factory=dict)
    policies: dict[str, list[Statement]] = field(default_factory=dict)
    owners: dict[str, list[Resource]] = field(default_factory=dict)
    endpoints: list[EndpointPolicy] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def decide(
        self,
        principal: str,
        action: str,
        resource: str,
        context: Context | None = None,
    ) -> EvalDecision:
        """Whether a principal may do an action on a resource, by all policies of the templates."""
        role = self.roles.get(principal)
        policies = Policies(
            identity=role.policy if role else (),
            resource=self.guarding(action, resource),
        )
        existing = self.existing.get(owner_arn(resource))
        where: Context = {"aws:ResourceAccount": existing.account} if existing else {}
        account = self.account if self.knows(resource) else ""
        request = EvalRequest(
            principal=principal,
            action=action,
            resource=resource,
            context={**_principal_context(principal), **(context or {}), **where},
            account=existing.account if existing else account,
        )
        return decide(request, policies)

    def guarding(self, action: str, resource: str) -> Sequence[Statement] | None:
        """The policy that guards a resource: a role's trust, or the resource's own."""
        if action.startswith("sts:AssumeRole"):
            role = self.roles.get(resource)
            return role.trust if role else None
        owner = owner_arn(resource)
        if owner in self.existing:
            return self.existing[owner].policy
        return self.policies.get(owner)

    def knows(self, resource: str) -> bool:
        """Whether it is in the templates, or one that exists already."""
        owner = owner_arn(resource)
        return owner in self.existing or self.assembly.by_arn(owner) is not None


def _principal_context(principal: str) -> dict[str, str]:
    """What every request of an IAM principal says about it; a service has neither."""
    if not principal.startswith("arn:"):
        return {}
    return {"aws:PrincipalArn": principal, "aws:PrincipalAccount": principal.split(":")[4]}


def owner_arn(resource: str) -> str:
    """The ARN of what carries the policy: an object's bucket, else the resource itself."""
    if ":s3:::" in resource:
        return resource.partition("/")[0]
    return resource


def build(
    assembly: Assembly, existing: Mapping[str, ExternalPolicy] | None = None
) -> EffectivePermissions:
    """Draws the picture; what is wrong with a policy's form is listed in it."""
    permissions = EffectivePermissions(assembly=assembly, existing=existing or {})
    builder = _Builder(permissions)
    for resource in assembly.of_type("AWS::IAM::Role"):
        builder.role(resource)
    for resource in assembly.resources:
        builder.attachment(resource)
    return permissions


# Where a resource keeps a policy of its own, by type.
_OWN_POLICY: Final = {
    "AWS::KMS::Key": ("KeyPolicy",),
    "AWS::DynamoDB::Table": ("ResourcePolicy", "PolicyDocument"),
    "AWS::DynamoDB::GlobalTable": ("ResourcePolicy", "PolicyDocument"),
}
# Resources that are a policy of others: property with the targets.
_POLICY_OF: Final = {
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::SNS::TopicInlinePolicy": "TopicArn",
    "AWS::SQS::QueuePolicy": "Queues",
    "AWS::SQS::QueueInlinePolicy": "Queue",
}


# Two syntheses that are compared have most policies in common.
@lru_cache(maxsize=4_096)
def _parse_policy(policy: str, where: str, kind: PolicyKind) -> Document:
    return parse_policy(json.loads(policy), where=where, kind=kind)


class _Builder:
    def __init__(self, permissions: EffectivePermissions) -> None:
        self._permissions = permissions
        self._assembly = permissions.assembly

    def _parse(
        self, resource: Resource, raw: Any, where: str, kind: PolicyKind = "identity"
    ) -> list[Statement]:
        document = _parse_policy(json.dumps(as_whole(raw)), where, kind)
        self._permissions.problems += [(resource.path, problem) for problem in document.problems]
        return [*document.statements]

    def role(self, resource: Resource) -> None:
        properties = resource.properties
        policy: list[Statement] = []
        for number, inline in enumerate(as_list(properties.get("Policies"))):
            if not isinstance(inline, dict):
                problem = f"Policies/{number} is not a policy"
                self._permissions.problems.append((resource.path, problem))
                continue
            where = f"Policies/{inline.get('PolicyName', number)}"
            policy += self._parse(resource, inline.get("PolicyDocument"), where)
        self._permissions.roles[resource.arn] = IamRole(
            resource=resource,
            arn=resource.arn,
            trust=self._parse(
                resource,
                properties.get("AssumeRolePolicyDocument"),
                "AssumeRolePolicyDocument",
                "trust",
            ),
            policy=policy,
            managed=[str(arn) for arn in as_list(properties.get("ManagedPolicyArns"))],
            boundary=str(properties.get("PermissionsBoundary", "")),
        )

    def attachment(self, resource: Resource) -> None:
        properties = resource.properties
        match resource.type:
            case "AWS::IAM::Policy" | "AWS::IAM::RolePolicy" | "AWS::IAM::ManagedPolicy":
                self._attach(resource, properties)
            case "AWS::Lambda::Permission":
                self._permission(resource, properties)
            case "AWS::EC2::VPCEndpoint":
                raw: Any = properties.get("PolicyDocument", _EVERYTHING)
                self._permissions.endpoints.append(
                    EndpointPolicy(
                        resource=resource,
                        service=str(properties.get("ServiceName", "")),
                        policy=self._parse(resource, raw, "PolicyDocument", "resource"),
                    )
                )
            case kind if kind in _OWN_POLICY:
                raw = properties
                for name in _OWN_POLICY[kind]:
                    raw = (raw or {}).get(name)
                if raw is not None:
                    self._guard(resource.arn, resource, raw, "/".join(_OWN_POLICY[kind]))
            case kind if kind in _POLICY_OF:
                for target in as_list(properties.get(_POLICY_OF[kind])):
                    self._guard(
                        self._target(kind, str(target)),
                        resource,
                        properties.get("PolicyDocument"),
                        "PolicyDocument",
                    )

    def _attach(self, resource: Resource, properties: Mapping[str, Any]) -> None:
        names = [*as_list(properties.get("Roles")), *as_list(properties.get("RoleName"))]
        statements = self._parse(resource, properties.get("PolicyDocument"), resource.path)
        for role in self._permissions.roles.values():
            by_arn = resource.type == _MANAGED and resource.arn in role.managed
            if role.resource.name in names or by_arn:
                role.policy += statements
                if by_arn:
                    role.managed.remove(resource.arn)
        if resource.type == _MANAGED:
            self._attach_to_people(resource, statements)
        for name in names:
            if self._assembly.by_name("AWS::IAM::Role", name) is None:
                self._permissions.problems.append(
                    (resource.path, f"attached to an unknown role {name}")
                )

    def _attach_to_people(self, resource: Resource, statements: list[Statement]) -> None:
        arn = principal_of(resource)
        self._permissions.roles[arn] = IamRole(
            resource=resource, arn=arn, trust=[], policy=statements, managed=[]
        )

    def _permission(self, resource: Resource, properties: Mapping[str, Any]) -> None:
        function = str(properties.get("FunctionName", ""))
        function_resource = self._assembly.by_name("AWS::Lambda::Function", function)
        arn = function_resource.arn if function_resource else function
        principal = str(properties.get("Principal", ""))
        kind = "Service" if principal.endswith(".amazonaws.com") else "AWS"
        conditions: dict[str, dict[str, str]] = {}
        if "SourceAccount" in properties:
            conditions["StringEquals"] = {"aws:SourceAccount": properties["SourceAccount"]}
        if "SourceArn" in properties:
            conditions["ArnLike"] = {"aws:SourceArn": properties["SourceArn"]}
        raw = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {kind: principal},
                "Action": properties.get("Action", ""),
                "Resource": arn,
                "Condition": conditions,
            },
        }
        self._guard(arn, resource, raw, "Permission")

    def _target(self, kind: str, target: str) -> str:
        if target.startswith("arn:"):
            return target
        if kind == "AWS::S3::BucketPolicy":
            return f"arn:{identity.PARTITION}:s3:::{target}"
        queue = self._assembly.by_name("AWS::SQS::Queue", target.rpartition("/")[2])
        return queue.arn if queue else target

    def _guard(self, arn: str, resource: Resource, raw: Any, where: str) -> None:
        self._permissions.policies.setdefault(arn, []).extend(
            self._parse(resource, raw, where, "resource")
        )
        self._permissions.owners.setdefault(arn, []).append(resource)
        if self._assembly.by_arn(arn) is None:
            self._permissions.problems.append((resource.path, f"its resource is unknown: {arn}"))
