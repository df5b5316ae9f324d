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


def added_stacks(permissions: EffectivePermissions, bound: Bound) -> Iterator[Addition]:
    """Every stack that is none of these."""
    assembly = permissions.assembly
    own_stacks = bound.contracts.stacks
    other_stacks = [name for name in assembly.templates if name not in own_stacks]
    if not other_stacks:
        return
    labels, platform = Labels(assembly), _Platform(assembly, bound)
    for name in other_stacks:
        resources = [resource for resource in assembly.resources if resource.stack == name]
        uses, access, against = (
            set[str](),
            set[str](),
            [*_violations_of(permissions, bound, name, platform)],
        )
        for resource in resources:
            names = platform.arns_of(resource)
            uses |= {labels.arn(arn) for arn in names}
            against += _resource(resource, names, platform)
        for role in permissions.roles.values():
            if role.resource.stack == name:
                phrases, problems = _access(role, platform, labels)
                access |= phrases
                against += problems
        yield Addition(
            kind="stack",
            fields={"name": name, "uses": sorted(uses), "access": sorted(access)},
            where=name,
            remove=_remover(name),
            against=tuple(dict.fromkeys(against)),
        )


def _remover(name: str) -> Any:
    def remove(templates: Templates) -> None:
        del templates[name]

    return remove


def _violations_of(
    permissions: EffectivePermissions, bound: Bound, name: str, platform: "_Platform"
) -> Iterator[str]:
    """The rules for every stack that it breaks, and the promises about everybody's permissions."""
    assembly = permissions.assembly
    evidence = Evidence(assembly=assembly, permissions=permissions, bound=bound)
    # Who is who among ours is found without it: a role of its own could look like one of them.
    other_stacks = [stack for stack in assembly.templates if stack not in bound.contracts.stacks]
    roles = {
        arn: replace(role, policy=_statements_about(role, platform), trust=[])
        if role.resource.stack == name
        else replace(role, policy=[])
        for arn, role in permissions.roles.items()
        if role.resource.stack == name or role.resource.stack not in other_stacks
    }
    platform_evidence = Evidence(
        assembly=without(assembly, other_stacks),
        permissions=replace(permissions, roles=roles, policies={}),
        bound=bound,
    )
    for check in (sections, no_credentials, *NEVER):
        for violation in check.run(platform_evidence if check in NEVER else evidence):
            if violation.where.partition("/")[0] == name:
                yield f"{check.id} {violation.where}: {violation.what}"


def _statements_about(role: IamRole, platform: "_Platform") -> list[Statement]:
    """The statements of a role of another stack that could be about these."""
    return [
        statement
        for statement in role.policy
        if statement.not_actions
        or statement.not_resources
        or any(platform.concerns(action, place) for action, place in parts(statement))
    ]


class _Platform:
    """What these stacks have: by what it is called."""

    def __init__(self, assembly: Assembly, bound: Bound) -> None:
        stacks = bound.contracts.stacks
        resources = [
            resource for resource in assembly.resources if resource.stack in stacks and resource.arn
        ]
        self.arns = [resource.arn.removesuffix(":*") for resource in resources]
        self._names = {resource.name: resource.arn.removesuffix(":*") for resource in resources}
        self._prefixes = (f"tuning-{bound.contracts.environment}-", "bedrock-tuning")

    def arns_of(self, resource: Resource) -> set[str]:
        """The ARNs of all that a resource of another stack names, or the beginning of our names."""
        # What a policy allows is judged by its statements.
        skipped_names = ("Policies", "PolicyDocument") if resource.type in _POLICIES else ()
        properties = resource.properties.items()
        return self.arns_in(
            {name: value for name, value in properties if name not in skipped_names}
        )

    def arns_in(self, value: Any) -> set[str]:
        """The same for a value."""
        arns = set()
        for text in texts(value):
            names = [name for name in self._names if len(name) >= _SHORTEST and name in text]
            # One name may begin another one.
            longest_names = [
                name
                for name in names
                if not any(name in other_name for other_name in names if name != other_name)
            ]
            own_arns = {self._names[name] for name in longest_names}
            arns |= own_arns or {prefix for prefix in self._prefixes if prefix in text}
        return arns

    def concerns(self, action: str, place: str) -> bool:
        """Whether a statement's action and resource could be about something of ours."""
        service = action.partition(":")[0].lower()
        is_adjacent = any(meets(service, pattern) for pattern in _BESIDE)
        return is_adjacent or any(
            meets(service, arn.split(":")[2])
            and any(meets(place, arn_pattern) for arn_pattern in (arn, f"{arn}/*", f"{arn}:*"))
            for arn in self.arns
        )


def _resource(resource: Resource, names: set[str], platform: _Platform) -> Iterator[str]:
    if resource.type in _NEVER:
        yield f"{resource.path}: nobody here can say what {resource.type} gives to whom"
    if names and resource.type not in _MAY_NAME:
        yield f"{resource.path}: {resource.type} names {', '.join(sorted(names))}"
    # Only an own value may be unknown; what is looked up later could be anything.
    match = _LOOKED_UP.search(str(resource.raw))
    if match is not None:
        yield f"{resource.path}: {match[0]} is looked up when it is deployed"
    if resource.type == "AWS::Events::Rule" and platform.arns_in(
        resource.properties.get("Targets")
    ):
        yield f"{resource.path}: it calls {', '.join(sorted(names))}"
    if resource.type == "AWS::SNS::Subscription":
        endpoint = str(resource.properties.get("Endpoint"))
        if names and f":{identity.ACCOUNT}:" not in endpoint and UNRESOLVED not in endpoint:
            yield f"{resource.path}: {endpoint} is notified: write it as a subscriber of its own"


def _access(role: IamRole, platform: _Platform, labels: Labels) -> tuple[set[str], list[str]]:
    """What a role of another stack may do to these, in words; and what nobody may permit."""
    accesses: set[str] = set()
    against: list[str] = []
    for arn in role.managed:
        name = arn.rpartition("/")[2]
        if name in _MANAGED:
            accesses.add(f"{role.path}: managed policy {name}")
        else:
            against.append(f"{role.path}: what {name} allows is not in these templates")
    for statement in role.policy:
        if statement.effect != "Allow":
            continue
        if statement.not_actions or statement.not_resources:
            against.append(f"{role.path}: {statement.label} allows all but what it names")
            continue
        accesses |= set(_statement(role, statement, platform, labels))
    if accesses and any(
        set(statement.principals or {"*": ()}) != {"Service"} for statement in role.trust
    ):
        against.append(f"{role.path}: others than one AWS service may become it")
    return accesses, against


def _statement(
    role: IamRole, statement: Statement, platform: _Platform, labels: Labels
) -> Iterator[str]:
    for action, place in parts(statement):
        # The stack's own: what it creates is none of these.
        if UNRESOLVED not in place and platform.concerns(action, place):
            yield f"{role.path}: {action} on {labels.arn(place)}"
