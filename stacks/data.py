"""The stateful unit: the data key and the buckets, retained whatever happens to the stack."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bedrock_tuning import contracts, s3_layout
from bedrock_tuning.config.customization import Customization
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.constructs import statements as st
from bedrock_tuning.constructs.output import export
from bedrock_tuning.contracts import bucket_access
from bedrock_tuning.contracts.options import serves_nova


class DataStack(Stack):
    """Training, validation and output bucket, their access logs, and the key they share.

    model_key: of custom models, None unless the settings want one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        customizations: Mapping[str, Customization],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.key = kms.Key(
            self,
            "DataKey",
            description=f"Datasets and results of bedrock-tuning ({settings.name})",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.model_key = self._model_key(customizations) if settings.model_key else None
        self.access_logs = s3.Bucket(
            self,
            "AccessLogs",
            # The S3 log delivery service cannot write to a bucket with a customer key.
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="ExpireLogs",
                    expiration=Duration.days(settings.log_retention_days),
                    noncurrent_version_expiration=Duration.days(settings.noncurrent_days),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                )
            ],
        )
        self.training = self._bucket("Training", settings)
        self.validation = self._bucket("Validation", settings)
        self.output = self._bucket(
            "Output",
            settings,
            s3.LifecycleRule(
                id="ExpireWork",
                prefix=f"{s3_layout.WORK}/",
                expiration=Duration.days(settings.work_days),
            ),
        )
        # What Bedrock or our functions write must never start a run: only datasets send events.
        for bucket in (self.training, self.validation):
            _send_events(bucket)
        if settings.deny_others:
            for bucket in (self.training, self.validation, self.output):
                self._deny_others(bucket, settings, customizations)
        for name, bucket in (
            ("TrainingBucket", self.training),
            ("ValidationBucket", self.validation),
            ("OutputBucket", self.output),
        ):
            export(self, name, bucket.bucket_name)

    def _model_key(self, customizations: Mapping[str, Customization]) -> kms.Key:
        key = kms.Key(
            self,
            "ModelKey",
            description="Custom models of bedrock-tuning; without it they can never be used again",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        if serves_nova(customizations):
            key.add_to_resource_policy(st.serve_nova())
        # Who calls a model needs kms:Decrypt on it, through Bedrock.
        export(self, "ModelKey", key.key_arn)
        return key

    def _deny_others(
        self, bucket: s3.Bucket, settings: Settings, customizations: Mapping[str, Customization]
    ) -> None:
        roles = contracts.contracts(settings, customizations).roles
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyNamedRoles",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=list(bucket_access.DATA_ACTIONS),
                resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
                conditions={
                    "ArnNotLike": {
                        "aws:PrincipalArn": [
                            f"arn:{self.partition}:iam::{self.account}:role/{name}"
                            for name in bucket_access.admitted(settings, roles)
                        ]
                    }
                },
            )
        )

    def _bucket(self, construct_id: str, settings: Settings, *rules: s3.LifecycleRule) -> s3.Bucket:
        return s3.Bucket(
            self,
            construct_id,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            server_access_logs_bucket=self.access_logs,
            server_access_logs_prefix=f"{construct_id.lower()}/",
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="CleanUp",
                    noncurrent_version_expiration=Duration.days(settings.noncurrent_days),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                ),
                *rules,
            ],
        )


def _send_events(bucket: s3.Bucket) -> None:
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
