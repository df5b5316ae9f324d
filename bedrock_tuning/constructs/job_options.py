"""What the settings add to every job's request: its network, the key of its model."""

from collections.abc import Sequence

from aws_cdk import aws_kms as kms

from bedrock_tuning.constructs.attachment import Attachment


class JobOptions:
    """What the settings add to every job's request, as placeholders and what fills them."""

    def __init__(self, *, model_key: kms.IKey | None, network: Attachment | None) -> None:
        self.vpc: dict[str, list[str]] | None = None
        self.model_key: str | None = None
        self.substitutions: dict[str, str] = {}
        if network is not None:
            self.vpc = {
                "SubnetIds": self._fill("JobSubnet", network.job_subnets),
                "SecurityGroupIds": self._fill("JobGroup", network.job_groups),
            }
        if model_key is not None:
            (self.model_key,) = self._fill("ModelKey", [model_key.key_arn])

    def _fill(self, name: str, values: Sequence[str]) -> list[str]:
        names = [f"{name}{number or ''}" for number in range(len(values))]
        self.substitutions |= dict(zip(names, values, strict=True))
        return [f"${{{each}}}" for each in names]
