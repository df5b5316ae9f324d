"""The stateful unit: the data key and the buckets, retained whatever happens to the stack."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnWaitConditionHandle, Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bedrock_tuning import s3_layout
from bedrock_tuning.config.settings_limits import BUCKETS
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
        permissions: Permissions,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        settings = permissions.settings
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
        existing = permissions.contracts.given
        kinds = [kind for kind in BUCKETS if kind not in existing]
        if kinds:
            self._buckets(kinds, key=key, permissions=permissions)
        elif not self.node.try_find_child("ModelKey"):
            # CloudFormation takes no stack without resources, and this one's outputs say where the
            # data is.
            CfnWaitConditionHandle(self, "NothingToHold")
        for kind in BUCKETS:
            export(self, f"{kind.title()}Bucket", permissions.fill(f"{{{kind}:name}}", self))

    def _buckets(self, kinds: Sequence[str], *, key: kms.IKey, permissions: Permissions) -> None:
        logs = log_bucket(self, "AccessLogs", settings=permissions.settings)
        work = s3.LifecycleRule(
            id="ExpireWork",
            prefix=f"{s3_layout.WORK}/",
            expiration=Duration.days(permissions.settings.work_days),
        )
        for kind in kinds:
            bucket = data_bucket(
                self,
                kind.title(),
                *([work] if kind == "output" else ()),
                key=key,
                access_logs=logs,
                permissions=permissions,
            )
            # What Bedrock or our functions write must never start a run: only datasets send events.
            if kind != "output":
                send_events(bucket)
