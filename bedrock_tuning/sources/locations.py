"""Where a manifest's images must lie in S3, and where they can be read.

Bucket: --bucket; else the manifest's own, if it is in S3; else the one that --map names (of several
the one that the first reference names); else the one that the first reference names.
Folders: the customization's; else the top folder of the manifest, of --map, or of the first
reference, in the same order. The service role may read no others.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final

from bedrock_tuning.errors import UserError
from bedrock_tuning.s3_layout import is_bucket_name, split_uri
from bedrock_tuning.sources.folder import Mapping
from bedrock_tuning.sources.manifests import Manifest, S3Manifest

_REFERENCE: Final = re.compile(rb'"s3://(?:[^"\\]|\\.)+"')
# Of images that are nowhere here, so many are looked for.
_TRIED: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLocation:
    """bucket: may be "" when nothing names one. folders: each ends with "/"; none means any."""

    bucket: str
    folders: tuple[str, ...]


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


def references(chunks: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Bucket and key of every s3:// reference in a manifest's bytes."""
    remainder = b""
    for chunk in chain(chunks, [b"\n"]):
        lines, _, remainder = (remainder + chunk).rpartition(b"\n")
        for match in _REFERENCE.finditer(lines):
            with suppress(ValueError):
                bucket, key = split_uri(json.loads(match[0]))
                if is_bucket_name(bucket):
                    yield bucket, key


def first_reference(chunk: bytes) -> ImageLocation | None:
    """Bucket and top folder of the first s3:// reference in a manifest's first bytes."""
    for bucket, key in references([chunk]):
        return ImageLocation(bucket=bucket, folders=_top_folders(key))
    return None


def image_location(
    manifest: Manifest,
    first: ImageLocation | None,
    *,
    mappings: Sequence[Mapping],
    bucket: str | None,
    folders: tuple[str, ...],
) -> ImageLocation:
    """Where the images of a manifest must lie; the rule is this module's docstring.

    folders: the customization's; empty without one.
    """
    location = ImageLocation(bucket="", folders=()) if first is None else first
    if isinstance(manifest, S3Manifest):
        location = ImageLocation(bucket=manifest.bucket, folders=_top_folders(manifest.key))
    elif mappings:
        buckets = [mapping.bucket for mapping in mappings]
        image_bucket = first.bucket if first is not None and first.bucket in buckets else buckets[0]
        tops = {
            _top_folders(mapping.prefix) for mapping in mappings if mapping.bucket == image_bucket
        }
        top = tops.pop() if len(tops) == 1 else ()
        location = ImageLocation(bucket=image_bucket, folders=top)
    return ImageLocation(bucket=bucket or location.bucket, folders=folders or location.folders)


def beside(folder: Path, bucket: str, keys: Iterable[str]) -> Mapping | None:
    """A manifest's own folder as the images' place, if one of the first images is really there.

    `tuning prepare` and `aws s3 sync` lay datasets out like that. The longest part of a key that
    is a file below the folder counts.
    """
    for key in islice(keys, _TRIED):
        parts = key.split("/")
        for cut in range(len(parts)):
            tail = "/".join(parts[cut:])
            if ".." not in parts and _is_file(folder / tail.lstrip("/")):
                prefix = "/".join([*parts[:cut], ""]) if cut else ""
                return Mapping(bucket=bucket, prefix=prefix, folder=folder)
    return None


def _is_file(path: Path) -> bool:
    is_file = False
    # A name may be longer than a file system takes.
    with suppress(OSError):
        is_file = path.is_file()
    return is_file


def _top_folders(key: str) -> tuple[str, ...]:
    """The top folder of a key with its slash; none when the key has no folder."""
    top, slash, _ = key.partition("/")
    return (f"{top}/",) if slash else ()
