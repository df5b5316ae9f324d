"""Other stacks in the same app: what they use of these, and what they must never do."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from bedrock_tuning.review.additions.addition import Addition, Templates
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.template import UNRESOLVED, Assembly, Resource
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.check import Evidence
from bedrock_tuning.review.checks.closed import no_credentials, sections, texts
from bedrock_tuning.review.families import without
from bedrock_tuning.review.iam.access import EffectivePermissions, IamRole
from bedrock_tuning.review.iam.containment import parts
from bedrock_tuning.review.iam.policy import Statement
from bedrock_tuning.review.iam.wildcards import meets
from bedrock_tuning.review.pages.labels import Labels
from bedrock_tuning.review.promises import NEVER

# They show, watch or name what they use; all others would change what is proved of it.
_MAY_NAME: Final = (
    "AWS::CloudWatch::AnomalyDetector",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Events::Rule",
    "AWS::KMS::Alias",
    "AWS::Lambda::Function",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::SNS::Subscription",
)
_POLICIES: Final = ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
# What is in them nobody here can read, or holds for more than this stack.
_NEVER: Final = (
    "AWS::CloudFormation::Macro",
    "AWS::CloudFormation::Stack",
    "AWS::CloudFormation::StackSet",
    "AWS::IAM::Group",
    "AWS::IAM::GroupPolicy",
    "AWS::IAM::User",
    "AWS::IAM::UserPolicy",
    "AWS::IAM::UserToGroupAddition",
    "AWS::Logs::ResourcePolicy",
)
# Of these services there is more of ours than templates have: jobs, models, executions, stacks.
_BESIDE: Final = ("bedrock", "cloudformation", "iam", "organizations", "ssm", "states", "sts")
_MANAGED: Final = ("AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole")
_LOOKED_UP: Final = re.compile(r"\{\{resolve:|Fn::FindInMap|Fn::Transform|Fn::ForEach")
_SHORTEST: Final = 6


def stacks(permissions: EffectivePermissions, bound: Bound) -> Iterator[Addition]:
    """Every stack that is none of these."""
    assembly = permissions.assembly
    known = bound.contracts.stacks
    others = [name for name in assembly.templates if name not in known]
    if not others:
        return
    labels, ours = Labels(assembly), _Ours(assembly, bound)
    for name in others:
        resources = [each for each in assembly.resources if each.stack == name]
        used, access, against = set[str](), set[str](), [*_broken(permissions, bound, name, ours)]
        for resource in resources:
            names = ours.named(resource)
            used |= {labels.arn(each) for each in names}
            against += _resource(resource, names, ours)
        for role in permissions.roles.values():
            if role.resource.stack == name:
                found, odd = _access(role, ours, labels)
                access |= found
                against += odd
        yield Addition(
            kind="stack",
            fields={"name": name, "uses": sorted(used), "access": sorted(access)},
            where=name,
            remove=_without(name),
            against=tuple(dict.fromkeys(against)),
        )


def _without(name: str) -> Any:
    def remove(templates: Templates) -> None:
        del templates[name]

    return remove


def _broken(
    permissions: EffectivePermissions, bound: Bound, name: str, ours: "_Ours"
) -> Iterator[str]:
    """The rules for every stack that it breaks, and the promises about everybody's permissions."""
    assembly = permissions.assembly
    evidence = Evidence(assembly=assembly, permissions=permissions, bound=bound)
    # Who is who among ours is found without it: a role of its own could look like one of them.
    others = [each for each in assembly.templates if each not in bound.contracts.stacks]
    roles = {
        arn: replace(role, policy=_about(role, ours), trust=[])
        if role.resource.stack == name
        else replace(role, policy=[])
        for arn, role in permissions.roles.items()
        if role.resource.stack == name or role.resource.stack not in others
    }
    beside = Evidence(
        assembly=without(assembly, others),
        permissions=replace(permissions, roles=roles, policies={}),
        bound=bound,
    )
    for check in (sections, no_credentials, *NEVER):
        for violation in check.run(beside if check in NEVER else evidence):
            if violation.where.partition("/")[0] == name:
                yield f"{check.id} {violation.where}: {violation.what}"


def _about(role: IamRole, ours: "_Ours") -> list[Statement]:
    """The statements of a role of another stack that could be about these."""
    return [
        statement
        for statement in role.policy
        if statement.not_actions
        or statement.not_resources
        or any(ours.met(action, place) for action, place in parts(statement))
    ]


class _Ours:
    """What these stacks have: by what it is called."""

    def __init__(self, assembly: Assembly, bound: Bound) -> None:
        stacks = bound.contracts.stacks
        own = [r for r in assembly.resources if r.stack in stacks and r.arn]
        self.arns = [each.arn.removesuffix(":*") for each in own]
        self._names = {each.name: each.arn.removesuffix(":*") for each in own}
        self._prefixes = (f"tuning-{bound.contracts.environment}-", "bedrock-tuning")

    def named(self, resource: Resource) -> set[str]:
        """The ARNs of all that a resource of another stack names, or the beginning of our names."""
        # What a policy allows is judged by its statements.
        skipped = ("Policies", "PolicyDocument") if resource.type in _POLICIES else ()
        given = resource.properties.items()
        return self.called({name: value for name, value in given if name not in skipped})

    def called(self, value: Any) -> set[str]:
        """The same for a value."""
        found = set()
        for text in texts(value):
            names = [name for name in self._names if len(name) >= _SHORTEST and name in text]
            # One name may begin another one.
            whole = [n for n in names if not any(n in other for other in names if n != other)]
            known = {self._names[name] for name in whole}
            found |= known or {prefix for prefix in self._prefixes if prefix in text}
        return found

    def met(self, action: str, place: str) -> bool:
        """Whether a statement's action and resource could be about something of ours."""
        service = action.partition(":")[0].lower()
        beside = any(meets(service, each) for each in _BESIDE)
        return beside or any(
            meets(service, arn.split(":")[2])
            and any(meets(place, each) for each in (arn, f"{arn}/*", f"{arn}:*"))
            for arn in self.arns
        )


def _resource(resource: Resource, names: set[str], ours: _Ours) -> Iterator[str]:
    if resource.type in _NEVER:
        yield f"{resource.path}: nobody here can say what {resource.type} gives to whom"
    if names and resource.type not in _MAY_NAME:
        yield f"{resource.path}: {resource.type} names {', '.join(sorted(names))}"
    # Only an own value may be unknown; what is looked up later could be anything.
    match = _LOOKED_UP.search(str(resource.raw))
    if match is not None:
        yield f"{resource.path}: {match[0]} is looked up when it is deployed"
    if resource.type == "AWS::Events::Rule" and ours.called(resource.properties.get("Targets")):
        yield f"{resource.path}: it calls {', '.join(sorted(names))}"
    if resource.type == "AWS::SNS::Subscription":
        endpoint = str(resource.properties.get("Endpoint"))
        if names and f":{identity.ACCOUNT}:" not in endpoint and UNRESOLVED not in endpoint:
            yield f"{resource.path}: {endpoint} is told: write it as a subscriber of its own"


def _access(role: IamRole, ours: _Ours, labels: Labels) -> tuple[set[str], list[str]]:
    """What a role of another stack may do to these, in words; and what nobody may permit."""
    allowed: set[str] = set()
    against: list[str] = []
    for arn in role.managed:
        name = arn.rpartition("/")[2]
        if name in _MANAGED:
            allowed.add(f"{role.path}: managed policy {name}")
        else:
            against.append(f"{role.path}: what {name} allows is not in these templates")
    for statement in role.policy:
        if statement.effect != "Allow":
            continue
        if statement.not_actions or statement.not_resources:
            against.append(f"{role.path}: {statement.label} allows all but what it names")
            continue
        allowed |= set(_statement(role, statement, ours, labels))
    if allowed and any(set(each.principals or {"*": ()}) != {"Service"} for each in role.trust):
        against.append(f"{role.path}: others than one AWS service may become it")
    return allowed, against


def _statement(role: IamRole, statement: Statement, ours: _Ours, labels: Labels) -> Iterator[str]:
    for action, place in parts(statement):
        # The stack's own: what it creates is none of these.
        if UNRESOLVED not in place and ours.met(action, place):
            yield f"{role.path}: {action} on {labels.arn(place)}"
