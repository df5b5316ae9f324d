"""What check_manifest and check_images share: the subject of a check, the file of findings."""

from typing import IO

import msgspec

from lambdas import _aws, _customizations
from tuning import layout
from tuning.environment import CheckEnvironment
from tuning.report import Finding
from tuning.validate import Subject


def subject_of(name: str, kind: layout.Kind, env: CheckEnvironment) -> Subject:
    """What a customization's dataset of this kind is checked against."""
    customization = _customizations.get(name)
    return Subject(
        model=customization.base_model,
        contract=customization.dataset,
        kind=kind,
        bucket=env.buckets.of(kind),
        folder=layout.folder(name),
        # Buckets and functions are of one stack, and jobs are started by these functions.
        bucket_region=_aws.region(),
        overrides=customization.overrides,
    )


def write_finding(file: IO[bytes], finding: Finding) -> None:
    """One line of findings/*.jsonl."""
    file.write(msgspec.json.encode(finding) + b"\n")
