"""Statements of one's own in policies: a Deny that stops nothing of these stacks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from bedrock_tuning.contracts import Grant, Guarded, Role
from bedrock_tuning.review.additions.addition import Addition, Remove, Templates, at
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.checks.policies import promised
from bedrock_tuning.review.iam.containment import beyond, parts
from bedrock_tuning.review.iam.policy import Statement, listed, parse
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
    labels, granted, known = Labels(assembly), _granted(bound), _promised(bound)
    stacks = bound.contracts.stacks
    for resource in assembly.resources:
        if resource.stack not in stacks:
            continue
        for path in _paths(resource):
            resolved = listed(get(resource.properties, *path))
            written = listed(get(resource.raw, "Properties", *path))
            # A statement that is there only sometimes is not one that anybody can permit.
            for each, raw in zip(resolved, written, strict=False):
                found = _statement(resource, each) if len(resolved) == len(written) else None
                remove = _without(resource, path, raw)
                if found is not None and found.effect == "Deny":
                    if not any(beyond([found], known)):
                        continue
                    yield _deny(found, resource, remove, bound, labels, granted)


def _paths(resource: Resource) -> Iterator[Path]:
    if resource.type in _OF_RESOURCES:
        yield _OF_RESOURCES[resource.type]
    for number, _ in enumerate(listed(resource.properties.get("Policies"))):
        yield ("Policies", number, *_ONE)


def _statement(resource: Resource, raw: Any) -> Statement | None:
    kind = "identity" if resource.type in _IDENTITY else "resource"
    document = {"Version": "2012-10-17", "Statement": [raw]}
    read = parse(document, where=resource.path, kind=kind)  # type: ignore[arg-type]
    if read.problems or len(read.statements) != 1:
        return None
    (found,) = read.statements
    # A key's policy speaks of its own key.
    own = resource.type == "AWS::KMS::Key"
    places = tuple(resource.arn if own and r == "*" else r for r in found.resources)
    return replace(found, resources=places)


def _granted(bound: Bound) -> list[Grant]:
    """All that the contracts give to anybody."""
    everybody: list[Role | Guarded] = [*bound.contracts.principals, *bound.contracts.guarded]
    # That the account's own policies decide about a key is no need of anybody.
    needs = (grant for each in everybody for grant in each.grants if not grant.everybody_here)
    return [bound.grant(grant) for grant in needs]


def _promised(bound: Bound) -> list[Statement]:
    """Every Deny of the contracts."""
    everybody: list[Role | Guarded] = [*bound.contracts.principals, *bound.contracts.guarded]
    return [each for contract in everybody for each in promised(bound, contract, "Deny")]


def _deny(
    found: Statement,
    resource: Resource,
    remove: Remove,
    bound: Bound,
    labels: Labels,
    granted: list[Grant],
) -> Addition:
    return Addition(
        kind="deny",
        fields={
            "at": at(resource.path, bound),
            "actions": list(found.actions),
            "on": [labels.arn(each) for each in found.resources],
            "if": labels.text(conditions_in_words(found.conditions)),
        },
        where=resource.path,
        remove=remove,
        against=tuple(_stopped(found, granted)),
    )


def _stopped(found: Statement, granted: list[Grant]) -> Iterator[str]:
    """What a Deny could take from those who need it; whom it names, and when, does not count."""
    if found.not_actions or found.not_resources or found.not_principals is not None:
        yield "it denies all but what it names, now and later"
        return
    for action, place in parts(found):
        if any(meets(each.lower(), action.lower()) for each in _ADMINISTRATION):
            yield f"nobody could administer these stacks without {action}"
            return
        for grant in granted:
            if any(meets(each.lower(), action.lower()) for each in grant.actions) and any(
                meets(each, place) for each in grant.resources
            ):
                yield f"it would also stop what is needed to {grant.why}: {action}"
                return


def _without(resource: Resource, path: Path, raw: Any) -> Remove:
    """Takes a statement out, and what is then an empty policy beside a role."""

    def remove(templates: Templates) -> None:
        every = templates[resource.stack]["Resources"]
        there: Any = every[resource.logical_id]["Properties"]
        for step in path[:-1]:
            there = there[step]
        there[path[-1]] = [each for each in listed(there[path[-1]]) if each != raw]
        if resource.type == "AWS::IAM::Policy" and not there[path[-1]]:
            del every[resource.logical_id]

    return remove
