"""Uploads a prepared dataset in the order that starts exactly one run: the manifest last."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bedrock_tuning import s3_layout
from bedrock_tuning.client.deployment import Deployment
from bedrock_tuning.errors import UserError
from bedrock_tuning.files import Bounds
from bedrock_tuning.progress import Meter
from bedrock_tuning.sources.folder import Names
from bedrock_tuning.sources.locations import ImageLocation, first_reference, references
from bedrock_tuning.sources.manifests import LocalManifest, manifests_in

_THREADS: Final = 16
_PEEK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One kind of dataset on its way.

    files: what the manifest refers to, below folder. absent: what it refers to and is not there.
    """

    kind: s3_layout.Kind
    manifest: Path
    folder: Path
    bucket: str
    prefix: str
    files: tuple[str, ...]
    absent: tuple[str, ...]


def sides(
    path: Path, *, validation: Path | None, customization: str, deployment: Deployment
) -> list[Side]:
    """What lies below a folder: training/ and validation/, or a manifest.jsonl for training.

    path: such a folder, or the training manifest itself with its images beside it. validation: a
    validation manifest that lies elsewhere.
    Raises UserError if there is no manifest, or one that refers to another place than it goes to.
    """
    manifests: dict[s3_layout.Kind, Path] = {"training": path}
    if not path.is_file():
        manifests = manifests_in(path)
    if validation is not None:
        manifests["validation"] = validation
    prefix = s3_layout.folder(customization)
    options = {"training": "--to", "validation": "--validation-to"}
    right = " ".join(
        f"{options[kind]} {s3_layout.uri(deployment.buckets.of(kind), prefix)}"
        for kind in manifests
    )
    return [
        _side(kind, each, deployment=deployment, prefix=prefix, right=right)
        for kind, each in manifests.items()
    ]


def _side(
    kind: s3_layout.Kind, manifest: Path, *, deployment: Deployment, prefix: str, right: str
) -> Side:
    """right: the options of `tuning prepare` with which all references would be right."""
    bucket, folder = deployment.buckets.of(kind), manifest.parent
    with manifest.open("rb") as file:
        place = first_reference(file.read(_PEEK))
    if place is not None and (place.bucket, place.folder) != (bucket, prefix):
        raise UserError(
            f"the manifest refers to s3://{place.bucket}/{place.folder}, "
            f"but would be uploaded to s3://{bucket}/{prefix}",
            where=str(manifest),
            fix=f"{_meant(place, deployment)}prepare it again with {right}",
        )
    names = references(LocalManifest(manifest), s3_layout.uri(bucket, prefix))
    bounds = Bounds(folder)
    here = {name for name in names if _is_here(folder, name, bounds)}
    return Side(
        kind=kind,
        manifest=manifest,
        folder=folder,
        bucket=bucket,
        prefix=prefix,
        files=tuple(sorted(here)),
        absent=tuple(sorted(names - here)),
    )


def _meant(place: ImageLocation, deployment: Deployment) -> str:
    """Whose dataset it may be: who prepared it for another customization named the wrong one."""
    other = place.folder.rstrip("/")
    known = other in deployment.customizations and deployment.buckets.kind_of(place.bucket)
    return f"upload it with -c {other}, or " if known else ""


def _is_here(folder: Path, name: str, bounds: Bounds) -> bool:
    path = folder / name.lstrip("/")
    try:
        return ".." not in name.split("/") and path.is_file() and bounds.hold(path)
    except (OSError, ValueError):
        return False


def upload_images(side: Side, deployment: Deployment, *, meter: Meter) -> tuple[int, int, int]:
    """Uploads what is not there yet; returns how many were sent, replaced by that, and there.

    As `aws s3 sync` judges: an object of the same size that is newer than the file stays. Raises
    UserError when the manifest refers to a file that is neither here nor there.
    """
    there = _there(side, deployment)
    lost = [name for name in side.absent if name not in there]
    if lost:
        many = f"{len(lost):,} files that are" if len(lost) > 1 else "a file that is"
        raise UserError(
            f"the {side.kind} manifest refers to {many} neither here nor uploaded, "
            f"for example {lost[0]}{_similar(side.folder, lost[0])}",
            where=str(side.folder),
            fix="add the file or correct the manifest; `tuning validate` lists all",
        )
    wanted = [name for name in side.files if not _same(side.folder / name, there.get(name))]
    s3 = deployment.aws.s3

    def send(name: str) -> None:
        with (side.folder / name).open("rb") as file:
            s3.put_object(Bucket=side.bucket, Key=f"{side.prefix}{name}", Body=file)

    with (
        meter(f"uploading {side.kind} images", "images") as progress,
        ThreadPoolExecutor(_THREADS) as pool,
    ):
        try:
            for done, _ in enumerate(pool.map(send, wanted), 1):
                progress.update(share=done / len(wanted), count=1)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    replaced = sum(name in there for name in wanted)
    return len(wanted), replaced, len(side.files) - len(wanted)


def _similar(folder: Path, name: str) -> str:
    """A hint at a file whose name differs in case or extension only; or ""."""
    near = Names().near(folder / name)
    return f"; did you mean {Path(name).with_name(near)}?" if near else ""


def upload_manifest(side: Side, deployment: Deployment) -> str:
    """Uploads the manifest of a side; returns its URI."""
    key = f"{side.prefix}{s3_layout.MANIFEST_FILE}"
    # In parts: a manifest may have gigabytes.
    deployment.aws.s3.upload_file(str(side.manifest), side.bucket, key)
    return s3_layout.uri(side.bucket, key)


def _there(side: Side, deployment: Deployment) -> dict[str, tuple[int, datetime]]:
    pages = deployment.aws.s3.get_paginator("list_objects_v2").paginate(
        Bucket=side.bucket, Prefix=side.prefix
    )
    return {
        found["Key"].removeprefix(side.prefix): (found["Size"], found["LastModified"])
        for page in pages
        for found in page.get("Contents", ())
    }


def _same(file: Path, there: tuple[int, datetime] | None) -> bool:
    if there is None:
        return False
    found, (size, modified) = file.stat(), there
    return found.st_size == size and datetime.fromtimestamp(found.st_mtime, UTC) <= modified
