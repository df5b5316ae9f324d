"""A customization's manifests: which version is there now, and what it is checked against."""

from bedrock_tuning import s3_layout
from bedrock_tuning.checking import DatasetScope
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.lambda_environment import DatasetEnvironment
from bedrock_tuning.sources import s3
from lambdas import _aws


def current_versions(
    buckets: s3_layout.Buckets, customization: str
) -> dict[s3_layout.Kind, str | None]:
    """Both manifests' newest version ids; None for one that is not there.

    By listing: for a missing key S3 answers a HEAD with 403 where the right to list is limited to a
    prefix. Versions are listed by key, then newest first, so the first entry decides.
    """
    key = s3_layout.manifest_key(customization)
    versions: dict[s3_layout.Kind, str | None] = {}
    for kind in s3_layout.KINDS:
        page = _aws.s3().list_object_versions(Bucket=buckets.of(kind), Prefix=key, MaxKeys=1)
        newest = (v for v in page.get("Versions", ()) if v["Key"] == key and v["IsLatest"])
        versions[kind] = next((v["VersionId"] for v in newest), None)
    return versions


def scope_of(
    customization: CustomizationSettings, kind: s3_layout.Kind, env: DatasetEnvironment
) -> DatasetScope:
    """What a customization's dataset of this kind is checked against."""
    return DatasetScope(
        model=customization.base_model,
        contract=customization.dataset,
        kind=kind,
        bucket=env.buckets.of(kind),
        folders=customization.media_folders,
        # Buckets and functions are of one stack, and jobs are started by these functions.
        bucket_region=_aws.region(),
        overrides=customization.overrides,
    )


def images(scope: DatasetScope) -> s3.S3Images:
    """Where its images are read."""
    client = s3.store(scope.bucket, region=_aws.region(), credentials=_aws.credentials)
    return s3.S3Images(scope.bucket, client=client, boto=_aws.s3())
