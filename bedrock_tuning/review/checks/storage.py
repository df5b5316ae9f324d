"""Checks of what holds data: it is kept as long as the settings say, encrypted and private."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.review.assembly.identity import STATEFUL
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.reads import TrackedProperties
from bedrock_tuning.review.check import (
    Evidence,
    Violation,
    check,
    differing,
    found,
)

_BUCKET: Final = "AWS::S3::Bucket"
_BUCKET_FIX: Final = "Deploy it as bedrock_tuning/contracts/written/buckets.py says"
_OPERATIONS: Final = "bedrock_tuning/contracts/written/operations.py"
_HOLDING: Final = ("data", "network", "pipeline")


@check(
    "S602",
    "The runs table has recovery, its key, on-demand billing, the keys and indexes that functions "
    "and commands query, and, if the setting protected is on, deletion protection.",
    limit="the record of all runs and the lock against double jobs",
    fix="Deploy it as bedrock_tuning/contracts/written/runs_table.py says",
)
def runs_table(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::DynamoDB::Table")


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
    "S603",
    "Every bucket keeps the versions of its objects.",
    limit="an overwritten dataset must be recoverable, and a version names an upload",
    fix=_BUCKET_FIX,
)
def versioned(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, _BUCKET, only="VersioningConfiguration")


@check(
    "S604",
    "Objects are kept as long as the settings say, and incomplete uploads are removed.",
    fix="Set noncurrent_days, work_days or log_retention_days in cdk.json; "
    "bedrock_tuning/contracts/written/buckets.py writes the lifecycle",
)
def lifecycles(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, _BUCKET, only="LifecycleConfiguration")


@check(
    "S605",
    "Every log group has its key and the retention period that the settings say. The workflow's "
    "name begins with /aws/vendedlogs/, so that it uses none of the account's resource policy for "
    "logs.",
    limit="as many days as the settings say; without RetentionInDays, logs are kept indefinitely",
    fix=f"Set log_retention_days in cdk.json; {_OPERATIONS} writes the log group",
)
def log_retention(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::Logs::LogGroup")


@check(
    "S606",
    "Dead letters are encrypted, kept as long as SQS allows, and neither moved nor delayed.",
    fix="Deploy it as bedrock_tuning/contracts/construct_names.py says",
)
def queues(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::SQS::Queue")


@check(
    "S607",
    "Every key rotates, is enabled, and is a single-Region encryption key of KMS.",
    limit="a key that rotates and exists as long as its data",
    fix=f"Deploy it as {_OPERATIONS} says",
)
def keys(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::KMS::Key")


@check(
    "S608",
    "No bucket can be made public, and the bucket owner owns every object.",
    limit="no public access, no ACLs",
    fix=_BUCKET_FIX,
)
def closed(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, _BUCKET, only="PublicAccessBlockConfiguration")
    yield from differing(evidence, _BUCKET, only="OwnershipControls")


@check(
    "S609",
    "Buckets and topics are encrypted with the key intended for them.",
    limit="its own key, switched on",
    fix="Give the construct its key, and set encryption",
)
def encrypted(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, _BUCKET, only="BucketEncryption")
    yield from differing(evidence, "AWS::SNS::Topic")


@check(
    "S610",
    "Who reads and writes a bucket that holds data is logged, in the bucket for access logs.",
    limit="each in a folder of its own, which the log bucket's policy opens for it",
    fix=_BUCKET_FIX,
)
def access_logged(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, _BUCKET, only="LoggingConfiguration")


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
