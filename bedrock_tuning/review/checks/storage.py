"""Checks of what holds data: it is kept as long as the settings say, encrypted and private."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.contracts.contract import VENDED_LOGS, workflow_name
from bedrock_tuning.review.assembly.identity import STATEFUL
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.reads import TrackedProperties
from bedrock_tuning.review.check import Evidence, Violation, check, fixed, found, mismatches
from bedrock_tuning.review.iam.keys import key_arn, key_of

# By contract name: the key that must encrypt it; log groups are found by type.
_KEY_OF: Final = {
    "training": "data-key",
    "validation": "data-key",
    "output": "data-key",
    "runs": "operations-key",
    "topic": "operations-key",
    "chat-topic": "operations-key",
    "dead-letters": "operations-key",
}
_QUEUE_DAYS: Final = 14
_ABORT_DAYS: Final = 7
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


versioned = fixed(
    "S603",
    "Every bucket keeps the versions of its objects.",
    "AWS::S3::Bucket",
    {"VersioningConfiguration.Status": "Enabled"},
    limit="an overwritten dataset must be recoverable, and a version names an upload",
    fix="Set versioned=True",
)


@check(
    "S604",
    "Objects are kept as long as the settings say, and incomplete uploads are removed.",
    fix="Set noncurrent_days, work_days or log_retention_days in cdk.json; constructs/storage.py "
    "and constructs/stacks/data.py write the lifecycle",
)
def lifecycles(evidence: Evidence) -> Iterator[Violation]:
    settings = evidence.bound.contracts.chosen
    limit = (
        f"settings: log_retention_days {settings.log_retention_days}, noncurrent_days "
        f"{settings.noncurrent_days}, work_days {settings.work_days}; incomplete uploads at most "
        f"{_ABORT_DAYS} days"
    )
    names = {resource.arn: name for name, resource in evidence.contracted.items()}
    expirations = {
        "access-logs": {"": settings.log_retention_days},
        "output": {f"{s3_layout.WORK}/": settings.work_days},
    }
    for bucket in evidence.assembly.of_type("AWS::S3::Bucket"):
        expected = expirations.get(names.get(bucket.arn, ""), {})
        actual: dict[str, Any] = {}
        noncurrent: dict[str, Any] = {}
        abort: dict[str, Any] = {}
        problems = []
        for rule in get(bucket.properties, "LifecycleConfiguration", "Rules") or []:
            if rule.get("Status") != "Enabled":
                problems.append(f"the rule {rule.get('Id')} is {rule.get('Status')}")
                continue
            prefix = str(rule.get("Prefix", ""))
            if "ExpirationInDays" in rule:
                actual[prefix] = rule["ExpirationInDays"]
            if not prefix or "NoncurrentVersionExpiration" in rule:
                noncurrent_days = get(rule, "NoncurrentVersionExpiration", "NoncurrentDays")
                noncurrent[prefix] = noncurrent_days
            if not prefix or "AbortIncompleteMultipartUpload" in rule:
                abort_days = get(rule, "AbortIncompleteMultipartUpload", "DaysAfterInitiation")
                abort[prefix] = abort_days
            problems += [
                f"the rule {rule.get('Id')} has {key}" for key in rule if key not in _LIFECYCLE
            ]
        if actual != expected:
            problems.append(f"objects expire by {actual or 'no rule'}, not by {expected or 'any'}")
        # A rule for a folder leaves the others as they are.
        if "" not in noncurrent or {*noncurrent.values()} != {settings.noncurrent_days}:
            problems.append(f"old versions are deleted by {noncurrent or 'no rule'}")
        if "" not in abort or not {*abort.values()} <= set(range(1, _ABORT_DAYS + 1)):
            problems.append(f"incomplete uploads are deleted by {abort or 'no rule'}")
        for problem in problems:
            yield found(bucket, problem, limit)


_LIFECYCLE: Final = (
    "Id",
    "Status",
    "Prefix",
    "ExpirationInDays",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
)


@check(
    "S605",
    "Every log group has the retention period that the settings say. The workflow's name begins "
    "with /aws/vendedlogs/, so that it uses none of the account's resource policy for logs.",
    limit="as many days as the settings say; without RetentionInDays, logs are kept indefinitely",
    fix="Set log_retention_days in cdk.json, and the retention on the log group",
)
def log_retention(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    days, workflow = contracts.chosen.log_retention_days, contracts.places["logs.workflow"]
    vended_name = f"{VENDED_LOGS}{workflow_name(contracts.environment)}"
    for group in evidence.assembly.of_type("AWS::Logs::LogGroup"):
        name = vended_name if group.path == evidence.bound.path(workflow) else None
        yield from mismatches(group, {"RetentionInDays": days, "LogGroupName": name})


queues = fixed(
    "S606",
    "Dead letters are kept as long as SQS allows, and are neither moved nor delayed.",
    "AWS::SQS::Queue",
    {
        "MessageRetentionPeriod": _QUEUE_DAYS * 86_400,
        "RedrivePolicy": None,
        "DelaySeconds": None,
        "FifoQueue": None,
    },
    limit=f"{_QUEUE_DAYS} days, nothing else",
    fix="Set retention_period=Duration.days(14)",
)

keys = fixed(
    "S607",
    "Every key is enabled, rotates, and is a single-Region encryption key.",
    "AWS::KMS::Key",
    {
        "EnableKeyRotation": True,
        "Enabled": (None, True),
        "KeyUsage": (None, "ENCRYPT_DECRYPT"),
        "MultiRegion": (None, False),
        "Origin": (None, "AWS_KMS"),
        "PendingWindowInDays": (None, 30),
        "BypassPolicyLockoutSafetyCheck": (None, False),
    },
    limit="a key that rotates and exists as long as its data",
    fix="Leave CDK's defaults, with enable_key_rotation=True",
)

closed = fixed(
    "S608",
    "No bucket can be made public, and the bucket owner owns every object.",
    "AWS::S3::Bucket",
    {
        "PublicAccessBlockConfiguration.BlockPublicAcls": True,
        "PublicAccessBlockConfiguration.BlockPublicPolicy": True,
        "PublicAccessBlockConfiguration.IgnorePublicAcls": True,
        "PublicAccessBlockConfiguration.RestrictPublicBuckets": True,
        "OwnershipControls.Rules.0.ObjectOwnership": "BucketOwnerEnforced",
        "AccessControl": None,
        "WebsiteConfiguration": None,
        "CorsConfiguration": None,
        "ReplicationConfiguration": None,
    },
    limit="no public access, no ACLs, no website, no copies elsewhere",
    fix="Block all public access, BUCKET_OWNER_ENFORCED, nothing else",
)


@check(
    "S609",
    "Everything that holds data is encrypted with the key intended for it.",
    limit="its own key, switched on",
    fix="Give the construct its key, and set encryption",
)
def encrypted(evidence: Evidence) -> Iterator[Violation]:
    key_by_arn = {
        evidence.contracted[name].arn: evidence.bound.fill(f"{{{key}}}")
        for name, key in _KEY_OF.items()
        if name in evidence.contracted
    }
    for group in evidence.assembly.of_type("AWS::Logs::LogGroup"):
        key = "network-key" if group.stack.endswith("-network") else "operations-key"
        key_by_arn[group.arn] = evidence.bound.fill(f"{{{key}}}")
    for arn, key in key_by_arn.items():
        resource = evidence.assembly.by_arn(arn)
        if resource is not None:
            if key_arn(evidence.assembly, resource) != key:
                what = f"it is encrypted with {key_of(resource) or 'no key of this app'}"
                yield found(resource, what, key)
            yield from mismatches(resource, _SWITCHED_ON.get(resource.type, {}))
    for bucket in evidence.assembly.of_type("AWS::S3::Bucket"):
        # Where S3 itself writes, only its own key works.
        yield from mismatches(bucket, {f"{_BY_DEFAULT}.SSEAlgorithm": ("aws:kms", "AES256")})


_RULES: Final = "BucketEncryption.ServerSideEncryptionConfiguration"
_BY_DEFAULT: Final = f"{_RULES}.0.ServerSideEncryptionByDefault"
_SWITCHED_ON: Final[Mapping[str, Mapping[str, Any]]] = {
    "AWS::S3::Bucket": {
        f"{_BY_DEFAULT}.SSEAlgorithm": "aws:kms",
        # Without a bucket key every object would be a call to KMS.
        f"{_RULES}.0.BucketKeyEnabled": True,
        f"{_RULES}.1": None,
    },
    "AWS::DynamoDB::Table": {
        "SSESpecification.SSEEnabled": True,
        "SSESpecification.SSEType": "KMS",
    },
}


@check(
    "S610",
    "Who reads and writes a bucket that holds data is logged.",
    limit="the bucket for access logs",
    fix="Set server_access_logs_bucket",
)
def access_logged(evidence: Evidence) -> Iterator[Violation]:
    logs = evidence.contracted.get("access-logs")
    names = {resource.arn: name for name, resource in evidence.contracted.items()}
    for bucket in evidence.assembly.of_type("AWS::S3::Bucket"):
        if logs is not None and bucket.arn == logs.arn:
            # Its own accesses would go to a bucket that no contract knows.
            yield from mismatches(bucket, {"LoggingConfiguration": None})
            continue
        # Each in a folder of its own, which the log bucket's policy opens for it.
        expected = {
            "DestinationBucketName": logs.name if logs else "a bucket for access logs",
            "LogFilePrefix": f"{names.get(bucket.arn)}/",
        }
        yield from mismatches(
            bucket, {f"LoggingConfiguration.{key}": value for key, value in expected.items()}
        )


@check(
    "S611",
    "If the setting protected is on, stacks have termination protection, except those whose "
    "deletion ends billing, and the runs table has deletion protection. If it is off, none has.",
    limit="protected: on for what holds data, off for what ends billing; otherwise off",
    fix="Pass termination_protection as app.py does, deletion_protection as its pipeline stack",
)
def protected(evidence: Evidence) -> Iterator[Violation]:
    for stack, is_protected in evidence.assembly.protected.items():
        # Deleting the others is how Provisioned Throughput is ended, and they hold nothing.
        part = stack.removeprefix(f"tuning-{evidence.bound.contracts.environment}-")
        should_be_protected = evidence.bound.contracts.chosen.protected and part in _HOLDING
        if is_protected != should_be_protected:
            yield found(stack, f"termination protection is {'on' if is_protected else 'off'}")
    for table in evidence.assembly.of_type("AWS::DynamoDB::Table"):
        should_be_protected = evidence.bound.contracts.chosen.protected
        yield from mismatches(
            table, {"DeletionProtectionEnabled": should_be_protected or (False, None)}
        )


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
