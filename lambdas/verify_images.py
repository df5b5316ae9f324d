"""Says right before a job starts whether the images are those that were checked.

Amazon Bedrock reads images where they lie, and a run may wait for days between its check and its
job. What each image was is pinned by the check (lambdas/_records/_pins.py); listings say what it is
now. Pictures by which a model is judged must not be trained on: that is seen here, too, before
anything is paid.
"""

import hashlib
import logging
import os
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import RunEnvironment
from bedrock_tuning.run.decisions import ImagesDecision
from bedrock_tuning.sources.listing import objects
from bedrock_tuning.wording import counted
from lambdas import _aws
from lambdas._data import _evaluation
from lambdas._records import _pins

logger = logging.getLogger(__name__)

# Bytes by key, of the images of each kind that are as they were.
Sizes = dict[s3_layout.Kind, dict[str, int]]
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
    pins_by_kind = _pins.read(env.output_bucket, run, customization.name)
    sizes: Sizes = {kind: {} for kind in s3_layout.KINDS}
    count = 0
    examples: list[str] = []
    for kind, pins in pins_by_kind.items():
        bucket = env.buckets.of(kind)
        for key, etag, size in _objects(bucket, customization.media_folders):
            if pins.get(key) == etag:
                sizes[kind][key] = size
                del pins[key]
        # What is left is gone, or has another ETag.
        count += len(pins)
        examples += [s3_layout.uri(bucket, key) for key in sorted(pins)[:_NAMED]]
    if not count:
        shared = _shared_pictures(env, customization, run, sizes)
        if not shared:
            return _decision("same", "every image is as it was checked")
        return _decision(
            "trained-on",
            f"{counted(len(shared), 'picture')} that the model is to be judged by would be trained "
            f"on, so no job was started: {', '.join(shared[:_NAMED])}. Remove them from one of the "
            "manifests and upload both again",
        )
    logger.warning("changed images", extra={"run": run, "images": count})
    rest = f" and {count - _NAMED:,} more" if count > _NAMED else ""
    return _decision(
        "outdated",
        f"{counted(count, 'image')} changed or vanished after the check, so no job was started: "
        f"{', '.join(examples[:_NAMED])}{rest}. Upload the training manifest again to check them",
    )


def _shared_pictures(
    env: RunEnvironment, customization: CustomizationSettings, run: str, sizes: Sizes
) -> list[str]:
    """The pictures of an evaluation that are in the training set as well, by their bytes.

    Equal objects have different ETags where they are encrypted with a key of KMS.
    """
    if not customization.evaluation.is_gate:
        return []
    by_size: dict[int, list[str]] = {}
    for key, size in sizes["training"].items():
        by_size.setdefault(size, []).append(key)

    @cache
    def digest(bucket: str, key: str) -> bytes:
        return hashlib.sha256(_aws.read(bucket, key)).digest()

    shared = []
    for record in _evaluation.records(env, customization, run):
        bucket, key = s3_layout.split_uri(record["image-ref"])
        candidates = by_size.get(sizes["validation"][key], [])
        if any(
            digest(bucket, key) == digest(env.training_bucket, candidate)
            for candidate in candidates
        ):
            shared.append(record["image-ref"])
    return shared


def _objects(bucket: str, folders: tuple[str, ...]) -> Iterator[tuple[str, str, int]]:
    """Key, ETag and size of every object below some folders."""
    for folder in folders:
        for entry in objects(_aws.s3(), bucket, folder):
            yield entry["Key"], entry["ETag"].strip('"'), entry["Size"]


def _decision(decision: ImagesDecision, reason: str) -> dict[str, Any]:
    return {"decision": decision, "reason": reason}
