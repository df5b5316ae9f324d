"""What check_manifest and check_images share: the subject of a check, the file of findings."""

from typing import IO

import msgspec

from bedrock_tuning import s3_layout
from bedrock_tuning.checking import DatasetScope
from bedrock_tuning.config.lambda_environment import CheckEnvironment
from bedrock_tuning.rules.finding import Finding
from lambdas import _aws, _customizations


def subject_of(name: str, kind: s3_layout.Kind, env: CheckEnvironment) -> DatasetScope:
    """What a customization's dataset of this kind is checked against."""
    customization = _customizations.get(name)
    return DatasetScope(
        model=customization.base_model,
        contract=customization.dataset,
        kind=kind,
        bucket=env.buckets.of(kind),
        folder=s3_layout.folder(name),
        # Buckets and functions are of one stack, and jobs are started by these functions.
        bucket_region=_aws.region(),
        overrides=customization.overrides,
    )


def write_finding(file: IO[bytes], finding: Finding) -> None:
    """One line of findings/*.jsonl."""
    file.write(msgspec.json.encode(finding) + b"\n")
