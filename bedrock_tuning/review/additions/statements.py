"""Statements of one's own in policies: a Deny that stops nothing of these stacks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from bedrock_tuning.contracts import Grant, Guarded, Role
from bedrock_tuning.review.additions.addition import Addition, Remove, Templates, generic_path
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.checks.policies import promised
from bedrock_tuning.review.iam.containment import beyond, parts
from bedrock_tuning.review.iam.policy import Statement, as_list, parse_policy
from bedrock_tuning.review.iam.wildcards import meets
from bedrock_tuning.review.iam.wording import conditions_in_words
from bedrock_tuning.review.pages.labels import Labels

Path = tuple[str | int, ...]
_ONE: Final[Path] = ("PolicyDocument", "Statement")
_KEY: Final[Path] = ("KeyPolicy", "Statement")
_OF_RESOURCES: Final[dict[str, Path]] = {
    "AWS::IAM::ManagedPolicy": _ONE,
    "AWS::IAM::Policy": _ONE,
    "AWS::KMS::Key": _KEY,
    "AWS::S3::BucketPolicy": _ONE,
    "AWS::SNS::TopicPolicy": _ONE,
    "AWS::SQS::QueuePolicy": _ONE,
}
_IDENTITY: Final = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
# Who changes and deletes these stacks needs them: a Deny of one would lock everybody out.
_ADMINISTRATION: Final = (
    *("*:*Policy*", "*:*Attributes", "*:*Permission*", "*:TagResource", "*:UntagResource"),
    *("s3:PutBucket*", "s3:PutEncryption*", "s3:PutLifecycle*", "s3:GetBucket*", "s3:DeleteBucket"),
    *("kms:Create*", "kms:Describe*", "kms:Enable*", "kms:Put*", "kms:Update*", "kms:CancelKey*"),
)


def statements(assembly: Assembly, bound: Bound) -> Iterator[Addition]:
    """Every Deny of these stacks' policies."""
    labels, grants, denials = Labels(assembly), _all_grants(bound), _all_denials(bound)
    stacks = bound.contracts.stacks
    for resource in assembly.resources:
        if resource.stack not in stacks:
            continue
        for path in _paths(resource):
            resolved_values = as_list(get(resource.properties, *path))
            raw_values = as_list(get(resource.raw, "Properties", *path))
            # A statement that is there only sometimes is not one that anybody can permit.
            for value, raw in zip(resolved_values, raw_values, strict=False):
                statement = (
                    _statement(resource, value) if len(resolved_values) == len(raw_values) else None
                )
                remove = _remover(resource, path, raw)
                if statement is not None and statement.effect == "Deny":
                    if not any(beyond([statement], denials)):
                        continue
                    yield _deny_addition(statement, resource, remove, bound, labels, grants)


def _paths(resource: Resource) -> Iterator[Path]:
    if resource.type in _OF_RESOURCES:
        yield _OF_RESOURCES[resource.type]
    for number, _ in enumerate(as_list(resource.properties.get("Policies"))):
        yield ("Policies", number, *_ONE)


def _statement(resource: Resource, raw: Any) -> Statement | None:
    kind = "identity" if resource.type in _IDENTITY else "resource"
    document = {"Version": "2012-10-17", "Statement": [raw]}
    policy = parse_policy(document, where=resource.path, kind=kind)  # type: ignore[arg-type]
    if policy.problems or len(policy.statements) != 1:
        return None
    (statement,) = policy.statements
    # A key's policy speaks of its own key.
    is_key = resource.type == "AWS::KMS::Key"
    places = tuple(
        resource.arn if is_key and pattern == "*" else pattern for pattern in statement.resources
    )
    return replace(statement, resources=places)


def _all_grants(bound: Bound) -> list[Grant]:
    """All that the contracts give to anybody."""
    contracts: list[Role | Guarded] = [*bound.contracts.principals, *bound.contracts.guarded]
    # That the account's own policies decide about a key is no need of anybody.
    grants = (
        grant for contract in contracts for grant in contract.grants if not grant.everybody_here
    )
    return [bound.grant(grant) for grant in grants]


def _all_denials(bound: Bound) -> list[Statement]:
    """Every Deny of the contracts."""
    contracts: list[Role | Guarded] = [*bound.contracts.principals, *bound.contracts.guarded]
    return [statement for contract in contracts for statement in promised(bound, contract, "Deny")]


def _deny_addition(
    statement: Statement,
    resource: Resource,
    remove: Remove,
    bound: Bound,
    labels: Labels,
    grants: list[Grant],
) -> Addition:
    return Addition(
        kind="deny",
        fields={
            "at": generic_path(resource.path, bound),
            "actions": list(statement.actions),
            "on": [labels.arn(place) for place in statement.resources],
            "if": labels.text(conditions_in_words(statement.conditions)),
        },
        where=resource.path,
        remove=remove,
        against=tuple(_harms(statement, grants)),
    )


def _harms(statement: Statement, grants: list[Grant]) -> Iterator[str]:
    """What a Deny could take from those who need it; whom it names, and when, does not count."""
    if statement.not_actions or statement.not_resources or statement.not_principals is not None:
        yield "it denies all but what it names, now and later"
        return
    for action, place in parts(statement):
        if any(meets(pattern.lower(), action.lower()) for pattern in _ADMINISTRATION):
            yield f"nobody could administer these stacks without {action}"
            return
        for grant in grants:
            if any(meets(pattern.lower(), action.lower()) for pattern in grant.actions) and any(
                meets(pattern, place) for pattern in grant.resources
            ):
                yield f"it would also stop what is needed to {grant.why}: {action}"
                return


def _remover(resource: Resource, path: Path, raw: Any) -> Remove:
    """Takes a statement out, and what is then an empty policy beside a role."""

    def remove(templates: Templates) -> None:
        resources = templates[resource.stack]["Resources"]
        node: Any = resources[resource.logical_id]["Properties"]
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = [statement for statement in as_list(node[path[-1]]) if statement != raw]
        if resource.type == "AWS::IAM::Policy" and not node[path[-1]]:
            del resources[resource.logical_id]

    return remove
