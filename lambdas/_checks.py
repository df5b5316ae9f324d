"""What check_manifest and check_images share: what a manifest is checked against."""

from bedrock_tuning import s3_layout
from bedrock_tuning.checking import DatasetScope
from bedrock_tuning.config.customization import Customization
from bedrock_tuning.config.lambda_environment import CheckEnvironment
from lambdas import _aws


def scope_of(
    customization: Customization, kind: s3_layout.Kind, env: CheckEnvironment
) -> DatasetScope:
    """What a customization's dataset of this kind is checked against."""
    return DatasetScope(
        model=customization.base_model,
        contract=customization.dataset,
        kind=kind,
        bucket=env.buckets.of(kind),
        folder=s3_layout.folder(customization.name),
        # Buckets and functions are of one stack, and jobs are started by these functions.
        bucket_region=_aws.region(),
        overrides=customization.overrides,
    )
