"""Says right before a job starts whether the images are those that were checked.

Amazon Bedrock reads images where they lie, and a run may wait for days between its check and its
job. What each image was is pinned by the check (lambdas/_records/_pins.py); listings say what it is
now.
"""

import logging
import os
from collections.abc import Iterator
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import RunEnvironment
from bedrock_tuning.run.decisions import ImagesDecision
from bedrock_tuning.wording import counted
from lambdas import _aws
from lambdas._records import _pins

logger = logging.getLogger(__name__)

# A message's worth: SNS takes 256 KiB, a person reads a few lines.
_NAMED: Final = 20


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"run", "settings", "check": what check_manifest returned}.

    Returns decision (an ImagesDecision) and a reason, which names the first images that changed or
    are gone. Raises UncheckedError if it is not known what they were.
    """
    env = RunEnvironment.from_env(os.environ)
    run, customization = event["run"], from_settings(event["settings"]).customization
    if not event["check"]["shards"]:
        return _decision("same", "the dataset has no images")
    changed = 0
    named: list[str] = []
    for kind, pins in _pins.read(env.output_bucket, run, customization.name).items():
        bucket = env.buckets.of(kind)
        for key, etag in _now(bucket, customization.media_folders):
            if pins.get(key) == etag:
                del pins[key]
        # What is left is gone, or has another ETag.
        changed += len(pins)
        named += [s3_layout.uri(bucket, key) for key in sorted(pins)[:_NAMED]]
    if not changed:
        return _decision("same", "every image is as it was checked")
    logger.warning("changed images", extra={"run": run, "images": changed})
    more = f" and {changed - _NAMED:,} more" if changed > _NAMED else ""
    return _decision(
        "outdated",
        f"{counted(changed, 'image')} changed or vanished after the check, so no job was started: "
        f"{', '.join(named[:_NAMED])}{more}. Upload the training manifest again to check them",
    )


def _now(bucket: str, folders: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Key and ETag of every object below some folders."""
    pages = _aws.s3().get_paginator("list_objects_v2")
    for folder in folders:
        for page in pages.paginate(Bucket=bucket, Prefix=folder):
            for each in page.get("Contents", ()):
                yield each["Key"], each["ETag"].strip('"')


def _decision(decision: ImagesDecision, reason: str) -> dict[str, Any]:
    return {"decision": decision, "reason": reason}
