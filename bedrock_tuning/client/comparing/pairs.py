"""Pictures with captions that a model is judged by: from a folder, or from a validation set."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.embedding import EmbeddingInput, of_file
from bedrock_tuning.errors import UserError

# What prepare keeps out of training, in this order.
_KEPT_OUT: Final = ("test", "validation")


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturePair:
    """name: of the picture, as its manifest has it. image: its bytes, when they are wanted."""

    name: str
    caption: str
    image: EmbeddingInput


def from_folder(place: Path) -> list[PicturePair]:
    """The pairs of a manifest with its pictures beside it, or of what `tuning prepare` wrote.

    Raises UserError where there is none, or where a picture is missing.
    """
    manifest = place
    if place.is_dir():
        names = [*(place / kind / s3_layout.MANIFEST_FILE for kind in _KEPT_OUT)]
        names.append(place / s3_layout.MANIFEST_FILE)
        first_file = next((file for file in names if file.is_file()), None)
        if first_file is None:
            raise UserError(
                f"no {s3_layout.MANIFEST_FILE} with pictures that were not trained on",
                where=", ".join(map(str, names)),
                fix="pass a manifest, or the folder that `tuning prepare` wrote",
            )
        manifest = first_file
    pairs = []
    for line, record in _records(manifest.read_text("utf-8-sig"), str(manifest)):
        key = _key(record["image-ref"], f"{manifest}:{line}")[1]
        file = _file_beside(manifest.parent, key)
        if file is None:
            raise UserError(
                f"the picture {record['image-ref']} is not beside the manifest",
                where=f"{manifest}:{line}",
                fix="copy the pictures there, or omit --data to use those in S3",
            )
        pairs.append(
            PicturePair(name=record["image-ref"], caption=record["caption"], image=of_file(file))
        )
    return pairs


def of_run(deployment: DeploymentClient, customization: str, run: str) -> list[PicturePair]:
    """The validation pairs that a run checked; raises UserError for a run without any."""
    text, where = checked_manifest(deployment, customization, run, "validation")
    if text is None:
        raise UserError(
            f"run {run} had no validation set",
            where=where,
            fix="pass --data FOLDER with pictures that were not trained on",
        )
    pairs = []
    for line, record in _records(text, where):
        place, name = _key(record["image-ref"], f"{where}:{line}")
        image = EmbeddingInput(identity=f"s3 {place} {name}", load=_object(deployment, place, name))
        pairs.append(PicturePair(name=record["image-ref"], caption=record["caption"], image=image))
    return pairs


def trained_on(deployment: DeploymentClient, customization: str, run: str) -> set[str]:
    """The references of a run's training manifest; empty where it is no longer kept."""
    text, where = checked_manifest(deployment, customization, run, "training")
    return {str(record["image-ref"]) for _, record in _records(text or "", where)}


def checked_manifest(
    deployment: DeploymentClient, customization: str, run: str, kind: s3_layout.Kind
) -> tuple[str | None, str]:
    """The manifest that a run checked, None if there is none, and its URI."""
    s3, bucket = deployment.aws.s3, deployment.buckets.of(kind)
    key = s3_layout.checked_manifest_key(customization, run, kind)
    try:
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode("utf-8-sig")
    except s3.exceptions.NoSuchKey:
        text = None
    return text, s3_layout.uri(bucket, key)


def _object(deployment: DeploymentClient, bucket: str, key: str) -> Callable[[], bytes]:
    return lambda: deployment.aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def _records(text: str, where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The pairs of a manifest with their lines; raises UserError for a line that is none."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            is_pair = isinstance(record["image-ref"], str) and isinstance(record["caption"], str)
        except (ValueError, KeyError, TypeError):
            is_pair = False
        if not is_pair:
            raise UserError(
                'not a pair of "image-ref" and "caption"',
                where=f"{where}:{number}",
                fix="`tuning validate` checks a manifest",
            )
        yield number, record


def _key(reference: str, where: str) -> tuple[str, str]:
    try:
        return s3_layout.split_uri(reference)
    except ValueError as error:
        raise UserError(str(error), where=where) from None


def _file_beside(folder: Path, key: str) -> Path | None:
    """The longest part of a key that is a file below a folder."""
    parts = key.split("/")
    if ".." in parts:
        return None
    files = (folder.joinpath(*parts[start:]) for start in range(len(parts)))
    return next((file for file in files if file.is_file()), None)
