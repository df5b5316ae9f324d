"""Where a manifest's images must lie in S3, and where they can be read.

Bucket: --bucket; else the manifest's own, if it is in S3; else the one that --map names (of several
the one that the first reference names); else the one that the first reference names.
Folder: the customization's; else the top folder of the manifest, of --map, or of the first
reference, in the same order. The service role may read no other.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from bedrock_tuning.errors import UserError
from bedrock_tuning.s3_layout import folder, split_uri
from bedrock_tuning.sources.folder import Mapping
from bedrock_tuning.sources.manifests import LocalManifest, Manifest, S3Manifest

_REFERENCE: Final = re.compile(rb'"s3://(?:[^"\\]|\\.)+"')


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLocation:
    """bucket: may be "" when nothing names one. folder: ends with "/", or "" for any folder."""

    bucket: str
    folder: str


def parse_map(text: str) -> Mapping:
    """s3://bucket/prefix=DIR; raises UserError with the form that is wanted.

    Keys and folders may contain "=": the first split whose right side is a folder counts.
    """
    form = "write --map s3://bucket/folder=DIR"
    if "=" not in text:
        raise UserError(f"--map {text}: =DIR is missing", fix=form)
    parts = text.split("=")
    for cut in range(1, len(parts)):
        uri, directory = "=".join(parts[:cut]), Path("=".join(parts[cut:]))
        if directory.is_dir():
            try:
                bucket, prefix = split_uri(uri)
            except ValueError as error:
                raise UserError(f"--map {text}: {error}", fix=form) from None
            prefix = prefix.rstrip("/")
            return Mapping(bucket=bucket, prefix=f"{prefix}/" if prefix else "", folder=directory)
    raise UserError(f"--map {text}: {parts[-1]} is not a folder here", fix=form)


def references(manifest: Manifest, prefix: str) -> set[str]:
    """What follows a prefix like s3://bucket/folder/ in every reference of a manifest."""
    found: set[str] = set()
    rest = b""
    for chunk in chain(manifest.chunks(), [b"\n"]):
        lines, _, rest = (rest + chunk).rpartition(b"\n")
        for match in _REFERENCE.finditer(lines):
            try:
                reference = str(json.loads(match[0]))
            except ValueError:
                continue
            if reference.startswith(prefix):
                found.add(reference[len(prefix) :])
    return found


def first_reference(chunk: bytes) -> ImageLocation | None:
    """Bucket and top folder of the first s3:// reference in a manifest's first bytes."""
    for found in _REFERENCE.finditer(chunk):
        try:
            bucket, key = split_uri(json.loads(found[0]))
        except ValueError:
            continue
        return ImageLocation(bucket=bucket, folder=_top(key))
    return None


def image_location(
    manifest: Manifest,
    first: ImageLocation | None,
    *,
    mappings: Sequence[Mapping],
    bucket: str | None,
    customization: str | None,
) -> ImageLocation:
    """Where the images of a manifest must lie; the rule is this module's docstring."""
    found = ImageLocation(bucket="", folder="") if first is None else first
    if isinstance(manifest, S3Manifest):
        found = ImageLocation(bucket=manifest.bucket, folder=_top(manifest.key))
    elif mappings:
        named = [each for each in mappings if first is not None and each.bucket == first.bucket]
        wanted = named or [each for each in mappings if each.bucket == mappings[0].bucket]
        tops = {_top(each.prefix) for each in wanted}
        top = tops.pop() if len(tops) == 1 else ""
        found = ImageLocation(bucket=wanted[0].bucket, folder=top)
    return ImageLocation(
        bucket=bucket or found.bucket,
        folder=folder(customization) if customization else found.folder,
    )


def beside(manifest: Manifest, place: ImageLocation, chunk: bytes) -> Mapping | None:
    """The manifest's own folder as the images' place, if the first image is really there.

    `tuning prepare` and `aws s3 sync` lay datasets out like that. The longest part of the key that
    is a file below the manifest's folder counts.
    """
    first = _REFERENCE.search(chunk)
    if not isinstance(manifest, LocalManifest) or first is None or not place.bucket:
        return None
    try:
        bucket, key = split_uri(json.loads(first[0]))
    except ValueError:
        return None
    if bucket != place.bucket:
        return None
    here, parts = manifest.path.parent, key.split("/")
    for cut in range(1, len(parts)):
        rest = "/".join(parts[cut:])
        if ".." not in parts and rest and _is_file(here / rest):
            return Mapping(bucket=bucket, prefix="/".join(parts[:cut]) + "/", folder=here)
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _top(key: str) -> str:
    """The top folder of a key with its slash; "" when the key has no folder."""
    top, slash, _ = key.partition("/")
    return f"{top}/" if slash else ""
