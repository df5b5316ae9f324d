"""Buckets, keys and the runs table: what is retained when its stack is deleted.

A first deployment that fails leaves none of it behind: the next attempt begins anew.
"""

from typing import Any, Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.constructs.permissions import Permissions

_TLS: Final = ("aws:SecureTransport", "s3:TlsVersion")
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


def _bucket(
    scope: Construct, construct_id: str, *rules: s3.LifecycleRule, **properties: Any
) -> s3.Bucket:
    """A private bucket with versions. It is retained, and so is what refuses access to it."""
    bucket = s3.Bucket(
        scope,
        construct_id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        # These make the refusals of plain HTTP and old TLS in the contracts.
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=True,
        removal_policy=RETAINED,
        lifecycle_rules=list(rules),
        **properties,
    )
    if bucket.policy is None:
        raise TypeError(f"{bucket.node.path} has no policy")
    bucket.policy.apply_removal_policy(RETAINED)
    return bucket


def _cleaned(rule: str, settings: Settings, *, days: int | None = None) -> s3.LifecycleRule:
    """Removes old versions and what was never uploaded whole. days: when all objects expire."""
    return s3.LifecycleRule(
        id=rule,
        expiration=None if days is None else Duration.days(days),
        noncurrent_version_expiration=Duration.days(settings.noncurrent_days),
        abort_incomplete_multipart_upload_after=Duration.days(7),
    )


def log_bucket(scope: Construct, construct_id: str, *, settings: Settings) -> s3.Bucket:
    """The bucket of access logs."""
    return _bucket(
        scope,
        construct_id,
        _cleaned("ExpireLogs", settings, days=settings.log_retention_days),
        # The S3 log delivery service cannot write to a bucket with a customer key.
        encryption=s3.BucketEncryption.S3_MANAGED,
    )


def data_bucket(
    scope: Construct,
    construct_id: str,
    *rules: s3.LifecycleRule,
    key: kms.IKey,
    access_logs: s3.IBucket,
    permissions: Permissions,
) -> s3.Bucket:
    """A bucket of datasets or results, whose contract has its name in lower case."""
    name = construct_id.lower()
    bucket = _bucket(
        scope,
        construct_id,
        _cleaned("CleanUp", permissions.settings),
        *rules,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        server_access_logs_bucket=access_logs,
        server_access_logs_prefix=f"{name}/",
    )
    permissions.register(name, arn=bucket.bucket_arn, name=bucket.bucket_name)
    _refuse_others(bucket, name, permissions)
    return bucket


def _refuse_others(bucket: s3.Bucket, name: str, permissions: Permissions) -> None:
    """Refuses what the contract says; but for TLS, which the CDK's own properties demand."""
    refusals = [
        refusal
        for refusal in permissions.contracts.resource(name).refusals
        if not any(condition.key in _TLS for condition in refusal.conditions)
    ]
    for statement in permissions.statements(refusals, bucket, principal=iam.AnyPrincipal()):
        bucket.add_to_resource_policy(statement)


def send_events(bucket: s3.Bucket) -> None:
    """Tells EventBridge of new objects."""
    # event_bridge_enabled=True would add a custom resource with a function of its own that may
    # change the notifications of every bucket; the property alone does not.
    resource = bucket.node.default_child
    if not isinstance(resource, s3.CfnBucket):
        raise TypeError(f"{bucket.node.path} has no CfnBucket")
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
            event_bridge_enabled=True
        )
    )


def runs_table(
    scope: Construct,
    construct_id: str,
    *,
    key: kms.IKey,
    permissions: Permissions,
) -> dynamodb.Table:
    """The table of runs, with an index by customization and one of those that have not ended."""
    table = dynamodb.Table(
        scope,
        construct_id,
        partition_key=_text("id"),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        deletion_protection=permissions.settings.protected,
        removal_policy=RETAINED,
    )
    table.add_global_secondary_index(
        index_name="by-customization", partition_key=_text("customization"), sort_key=_text("run")
    )
    table.add_global_secondary_index(
        index_name="open", partition_key=_text("open"), sort_key=_text("run")
    )
    permissions.register("runs", arn=table.table_arn, name=table.table_name)
    return table


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
