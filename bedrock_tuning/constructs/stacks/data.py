"""The stateful unit: the data key and the buckets, retained whatever happens to the stack."""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bedrock_tuning import s3_layout
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.constructs.output import export
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.stack import TuningStack
from bedrock_tuning.constructs.storage import (
    data_bucket,
    log_bucket,
    retained_key,
    send_events,
)


class DataStack(TuningStack):
    """Training, validation and output bucket, their access logs, and the key they share."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        permissions: Permissions,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        key = retained_key(
            self,
            "DataKey",
            name="data-key",
            description=f"Datasets and results of bedrock-tuning ({settings.name})",
            permissions=permissions,
        )
        if settings.model_key:
            model_key = retained_key(
                self,
                "ModelKey",
                name="model-key",
                description=(
                    "Custom models of bedrock-tuning; without it they can never be used again"
                ),
                permissions=permissions,
            )
            # Who calls a model needs kms:Decrypt on it, through Bedrock.
            export(self, "ModelKey", model_key.key_arn)
        common: dict[str, Any] = {
            "key": key,
            "access_logs": log_bucket(self, "AccessLogs", settings=settings),
            "settings": settings,
            "permissions": permissions,
        }
        work = s3.LifecycleRule(
            id="ExpireWork",
            prefix=f"{s3_layout.WORK}/",
            expiration=Duration.days(settings.work_days),
        )
        self.training = data_bucket(self, "Training", **common)
        self.validation = data_bucket(self, "Validation", **common)
        self.output = data_bucket(self, "Output", work, **common)
        # What Bedrock or our functions write must never start a run: only datasets send events.
        send_events(self.training)
        send_events(self.validation)
        for name in ("Training", "Validation", "Output"):
            bucket: s3.Bucket = getattr(self, name.lower())
            export(self, f"{name}Bucket", bucket.bucket_name)
