"""Reads a job's datasets as its service role and finds what Bedrock would fail the job for."""

import contextlib
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from bedrock_tuning.catalogue import BaseModel, DatasetContract, Range
from bedrock_tuning.checking.manifest import ManifestCheck
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.rules.finding import Finding, Heard
from bedrock_tuning.rules.rule import Severity
from bedrock_tuning.s3_layout import split_uri
from local.bedrock.data.objects import AccessError, RoleObjects

SIGNATURES: Final = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff"}
_LONGEST_SIGNATURE: Final = max(len(signature) for signature in SIGNATURES.values())
_FIELDS: Final = ("image-ref", "caption")
# Titan's largest image (the catalogue's limits are checked elsewhere).
_IMAGE_BYTES_MAX: Final = 25_000_000
# Rules about where the media are: the role's policies decide that here.
_LOCATION: Final = "R21"
ACCESS_FILE: Final = ".write_access_check_file.tmp"
"""Bedrock writes it below the output URI before it trains (docs/facts/iam.md#s3)."""


class JobError(Exception):
    """Why the job fails: `sentence` is AWS's, `detail` what was found here."""

    def __init__(self, sentence: str, detail: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail


def write(objects: RoleObjects, uri: str, name: str, body: bytes) -> None:
    """Write a file below the output URI; raises JobError with Bedrock's sentence."""
    bucket, prefix = split_uri(uri)
    key = f"{prefix.rstrip('/')}/{name}".lstrip("/")
    try:
        objects.write(bucket, key, body)
    except AccessError as error:
        raise JobError(
            "Amazon S3 perms missing (PutObject): Could not validate PutObject permissions to "
            f"access S3 bucket: {bucket} at key {key}",
            str(error),
        ) from error


def check_dataset(
    objects: RoleObjects, uri: str, *, model: BaseModel, contract: DatasetContract, kind: str
) -> int:
    """Read a manifest and everything it names; how many records it has.

    `kind` is "training" or "validation".

    Raises JobError with the sentence that Bedrock's troubleshooting guide has for it.
    """
    bucket, key = split_uri(uri)
    try:
        objects.list(bucket, key.rpartition("/")[0] + "/" if "/" in key else "")
        manifest = objects.read(bucket, key)
    except AccessError as error:
        raise _unreadable_error(bucket, key, str(error)) from error
    if contract.format != "image-caption":
        _check_contract(manifest, bucket=bucket, key=key, model=model, contract=contract)
    records = list(_records(manifest, key=key, contract=contract))
    _check_count(len(records), model=model, contract=contract, kind=kind)
    images: set[str] = set()
    if contract.format == "image-caption":
        for number, record in records:
            reference = str(record["image-ref"])
            if reference not in images:
                _check_image(objects, reference, manifest=key, line=number)
                images.add(reference)
    elif contract.media is not None and contract.media.same_bucket_as_manifest:
        for number, record in records:
            for reference in _media(record):
                _check_media(objects, reference, bucket=bucket, manifest=key, line=number)
    return len(records)


def sample_pictures(
    objects: RoleObjects, uri: str, *, most: int
) -> Iterator[tuple[bytes, list[str]]]:
    """Pictures of a checked manifest with their captions: at most so many records, evenly spread.

    Pictures that cannot be read any more are left out.
    """
    lines = objects.read(*split_uri(uri)).splitlines()
    captions = defaultdict[str, list[str]](list)
    for place in range(min(most, len(lines))):
        record = json.loads(lines[place * len(lines) // min(most, len(lines))])
        captions[record["image-ref"]].append(record["caption"])
    for reference, texts in captions.items():
        with contextlib.suppress(AccessError):
            yield objects.head(*split_uri(reference), _IMAGE_BYTES_MAX), texts


def _check_contract(
    manifest: bytes, *, bucket: str, key: str, model: BaseModel, contract: DatasetContract
) -> None:
    """What the contract demands of texts and conversations, wherever their media are."""
    findings: list[Finding] = []
    scope = DatasetScope(model=model, contract=contract, kind="training", bucket=bucket, folders=())
    check = ManifestCheck(scope, Heard(findings.append, per_rule=1))
    check.feed(manifest)
    check.finish()
    for finding in findings:
        if finding.severity == Severity.ERROR and not finding.rule.startswith(_LOCATION):
            raise _malformed_error(key, f"line {finding.line}: {finding.message}")


def _records(
    manifest: bytes, *, key: str, contract: DatasetContract
) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = manifest.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except ValueError as error:
            raise _malformed_error(key, f"line {number}: {error}") from error
        if not isinstance(record, dict):
            raise _malformed_error(key, f"line {number} is not a JSON object")
        if contract.caption is not None:
            missing = [name for name in _FIELDS if name not in record]
            if missing:
                raise _malformed_error(key, f"line {number} has no {' and no '.join(missing)}")
            _check_caption(record["caption"], key=key, line=number, contract=contract)
        yield number, record


def _check_caption(caption: Any, *, key: str, line: int, contract: DatasetContract) -> None:
    if not isinstance(caption, str):
        raise _malformed_error(key, f"line {line}: the caption is not text")
    if contract.caption is not None and len(caption) > contract.caption.chars_max:
        raise JobError(
            f"Input size exceeded in file {key} for record starting with {caption[:40]}",
            f"line {line}: {len(caption)} characters, at most {contract.caption.chars_max}",
        )


def _check_count(count: int, *, model: BaseModel, contract: DatasetContract, kind: str) -> None:
    limits = contract.training_records
    if kind == "validation":
        limits = contract.validation_records or Range()
    if count == 0 or (limits.min is not None and count < limits.min):
        raise JobError(
            f"The number of records in the {kind} dataset is below the minimum",
            f"{count} records, {model.name} needs at least {limits.min or 1}",
        )
    if limits.max is not None and count > limits.max:
        raise JobError(
            f"The number of records in the {kind} dataset exceeds the maximum",
            f"{count} records, {model.name} takes at most {limits.max}",
        )


def _check_image(objects: RoleObjects, reference: str, *, manifest: str, line: int) -> None:
    bucket, key = _locate(reference, manifest, line)
    start = _head(objects, bucket, key, manifest, line)
    if not any(start.startswith(signature) for signature in SIGNATURES.values()):
        raise JobError(
            f"Unable to parse Amazon S3 file: {key}. Images must be in PNG or JPEG format.",
            f"line {line} of {manifest}",
        )


def _locate(reference: str, manifest: str, line: int) -> tuple[str, str]:
    try:
        return split_uri(reference)
    except ValueError as error:
        raise _malformed_error(manifest, f"line {line}: {error}") from error


def _head(objects: RoleObjects, bucket: str, key: str, manifest: str, line: int) -> bytes:
    """An object's first bytes."""
    try:
        return objects.head(bucket, key, _LONGEST_SIGNATURE)
    except AccessError as error:
        raise _unreadable_error(bucket, key, f"line {line} of {manifest}: {error}") from error


def _media(value: Any) -> Iterator[str]:
    """Every reference to S3 in a record, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("s3Location"), dict):
            yield str(value["s3Location"].get("uri"))
        yield from (uri for item in value.values() for uri in _media(item))
    elif isinstance(value, list):
        yield from (uri for item in value for uri in _media(item))


def _check_media(
    objects: RoleObjects, reference: str, *, bucket: str, manifest: str, line: int
) -> None:
    """The role reads media in the dataset's own bucket alone (docs/facts/jobs.md#media)."""
    place, key = _locate(reference, manifest, line)
    if place != bucket:
        raise JobError(
            f"Media must be in the same Amazon S3 bucket as the dataset: {reference}",
            f"line {line} of {manifest} in {bucket}",
        )
    _head(objects, place, key, manifest, line)


def _unreadable_error(bucket: str, key: str, detail: str) -> JobError:
    return JobError(
        "Could not validate GetObject permissions to access Amazon S3 bucket: "
        f"{bucket} at key {key}",
        detail,
    )


def _malformed_error(key: str, detail: str) -> JobError:
    return JobError(
        f"Unable to parse Amazon S3 file: {key}. Data files must conform to JSONL format.", detail
    )
