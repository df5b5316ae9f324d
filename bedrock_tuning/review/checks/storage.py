"""Checks of what stays when its stack is deleted, of protection, and of secrets."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.review.assembly.identity import STATEFUL
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.reads import TrackedProperties
from bedrock_tuning.review.check import (
    Evidence,
    Violation,
    check,
    found,
)

_HOLDING: Final = ("data", "network", "pipeline")


@check(
    "S601",
    "Buckets with their policies, keys and the runs table are retained on deletion and on "
    "replacement, except after a first deployment that fails.",
    limit="a mistake in a template must not delete data; a failed deployment must leave nothing",
    fix="Set removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE",
)
def retained(evidence: Evidence) -> Iterator[Violation]:
    for resource in evidence.assembly.of_type(*STATEFUL, "AWS::S3::BucketPolicy"):
        for name, policy in (
            ("DeletionPolicy", "RetainExceptOnCreate"),
            ("UpdateReplacePolicy", "Retain"),
        ):
            if resource.raw.get(name) != policy:
                yield found(resource, f"{name} is {resource.raw.get(name, 'not set')}")


# Retained or not, they give no access and cost nothing: refusals, messages and logs.
_MAY_STAY: Final = (
    *STATEFUL,
    "AWS::Logs::LogGroup",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::Queue",
)


@check(
    "S614",
    "Only data is retained: all else is deleted with its stack.",
    limit="what is retained may be used, and may be billed",
    fix="Remove its removal policy",
)
def goes_with_its_stack(evidence: Evidence) -> Iterator[Violation]:
    for resource in evidence.assembly.resources:
        policies = ("Retain", "RetainExceptOnCreate") if resource.type in _MAY_STAY else ()
        for name in ("DeletionPolicy", "UpdateReplacePolicy"):
            policy = resource.raw.get(name, "Delete")
            if policy not in ("Delete", *policies):
                yield found(resource, f"{name} of {resource.type} is {policy}")


@check(
    "S611",
    "If the setting protected is on, stacks have termination protection, except those whose "
    "deletion ends billing. If it is off, none has.",
    limit="protected: on for what holds data, off for what ends billing; otherwise off",
    fix="Pass termination_protection as app.py does",
)
def protected(evidence: Evidence) -> Iterator[Violation]:
    for stack, is_protected in evidence.assembly.protected.items():
        # Deleting the others is how Provisioned Throughput is ended, and they hold nothing.
        part = stack.removeprefix(f"tuning-{evidence.bound.contracts.environment}-")
        should_be_protected = evidence.bound.contracts.chosen.protected and part in _HOLDING
        if is_protected != should_be_protected:
            yield found(stack, f"termination protection is {'on' if is_protected else 'off'}")


# By the object that they stand in, "" for the resource itself. People read them, bills are sorted
# by them, or they tell apart the parts of one resource: to AWS, any text does.
_LABELS: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("AlarmDescription", "Description", "DisplayName", "GroupDescription"),
    "Rules": ("Id",),
    "SecurityGroupEgress": ("Description",),
    "SecurityGroupIngress": ("Description",),
    "Tags": ("Key", "Value"),
    "Targets": ("Id",),
}
_SECRET_NAMES: Final = ("SECRET", "PASSWORD", "TOKEN", "API_KEY")
_SECRET_STARTS: Final = ("AKIA", "ASIA", "-----BEGIN")


@check(
    "S612",
    "No variable, label or tag in a template is, or looks like, a secret.",
    limit="many people can read templates, and old ones are kept",
    fix="Read secrets at run time, from a secret store",
)
def no_secrets(evidence: Evidence) -> Iterator[Violation]:
    for resource in evidence.assembly.resources:
        variables = get(resource.properties, "Environment", "Variables") or {}
        for name, value in (*variables.items(), *_labels(resource.properties)):
            secret = any(word in name.upper() for word in _SECRET_NAMES)
            if secret or not isinstance(value, str) or value.startswith(_SECRET_STARTS):
                yield found(resource, f"{name} looks like a secret, or is not text")


def _labels(value: TrackedProperties, parent: str = "") -> Iterator[tuple[str, Any]]:
    """Every label and tag of a resource, wherever it stands; a tag by its key."""
    for name in _LABELS.get(parent, ()):
        if name in value:
            yield (str(value.get("Key")) if name == "Value" else name), value.get(name)
    for name, inner in value.objects():
        yield from _labels(inner, name)
