"""The stateful unit: the data key and the buckets, retained whatever happens to the stack."""

from typing import Any

from aws_cdk import CfnWaitConditionHandle
from constructs import Construct

from bedrock_tuning.config.settings_limits import BUCKETS
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.stack import TuningStack, export
from bedrock_tuning.constructs.written import RETAINED, kms_key, policy, written


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
        kms_key(self, "data-key", permissions)
        if permissions.settings.model_key:
            kms_key(self, "model-key", permissions)
            # Who calls a model needs kms:Decrypt on it, through Bedrock.
            export(self, "ModelKey", permissions.fill("{model-key}", self))
        names = [name for name in ("access-logs", *BUCKETS) if name in permissions.contracts.places]
        for name in names:
            written(self, name, permissions, inside=True)
        # What refuses access to a bucket stays with it.
        for name in names:
            policy(self, name, permissions).apply_removal_policy(RETAINED)
        if not names and not self.node.try_find_child("ModelKey"):
            # CloudFormation takes no stack without resources, and this one's outputs say where the
            # data is.
            CfnWaitConditionHandle(self, "NothingToHold")
        for kind in BUCKETS:
            export(self, f"{kind.title()}Bucket", permissions.fill(f"{{{kind}:name}}", self))
