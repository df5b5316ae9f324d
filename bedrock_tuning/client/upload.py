"""Uploads a prepared dataset in the order that starts exactly one run: the manifest last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from bedrock_tuning import s3_layout
from bedrock_tuning.client.asking import ask_all
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.errors import UserError
from bedrock_tuning.files import Bounds
from bedrock_tuning.progress import Meter
from bedrock_tuning.sources.folder import FolderNames
from bedrock_tuning.sources.listing import objects
from bedrock_tuning.sources.locations import beside, references
from bedrock_tuning.sources.manifests import LocalManifest, manifests_in

_THREADS: Final = 16
_PEEK: Final = 1 << 20
# A larger file is sent in parts: one request takes 5 GB at most, and a lost one costs only itself.
_IN_PARTS: Final = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadSide:
    """One kind of dataset on its way.

    key: the manifest's. folders: of the bucket that may hold images. files: by their keys, what the
    manifest refers to and is here. absent: keys that it refers to and are not. names: what is cut
    off a key to find its file below the manifest's folder.
    """

    kind: s3_layout.Kind
    manifest: Path
    key: str
    bucket: str
    folders: tuple[str, ...]
    files: Mapping[str, Path]
    absent: tuple[str, ...]
    names: str


def sides(
    path: Path, *, validation: Path | None, customization: str, deployment: DeploymentClient
) -> list[UploadSide]:
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
    settings = deployment.customizations[customization]
    options = {"training": "--to", "validation": "--validation-to"}
    to_options = " ".join(
        f"{options[kind]} {s3_layout.uri(deployment.buckets.of(kind), settings.media_folders[0])}"
        for kind in manifests
    )
    return [
        _side(kind, manifest, deployment=deployment, customization=settings, to_options=to_options)
        for kind, manifest in manifests.items()
    ]


def _side(
    kind: s3_layout.Kind,
    manifest: Path,
    *,
    deployment: DeploymentClient,
    customization: CustomizationSettings,
    to_options: str,
) -> UploadSide:
    """to_options: the options of `tuning prepare` with which all references would be right."""
    bucket, folders = deployment.buckets.of(kind), customization.media_folders
    with manifest.open("rb") as file:
        first_reference = next(references([file.read(_PEEK)]), None)
    if first_reference is not None and not (
        first_reference[0] == bucket and first_reference[1].startswith(folders)
    ):
        places = " or ".join(s3_layout.uri(bucket, folder) for folder in folders)
        raise UserError(
            f"the manifest refers to {s3_layout.uri(*first_reference).rpartition('/')[0]}/, "
            f"but its images would be uploaded to {places}",
            where=str(manifest),
            fix=f"{_hint(*first_reference, deployment)}prepare it again with {to_options}",
        )
    all_references = references(LocalManifest(manifest).chunks())
    keys = sorted(
        {key for place, key in all_references if place == bucket and key.startswith(folders)}
    )
    local = beside(manifest.parent, bucket, keys)
    names = local.prefix if local is not None else folders[0] if len(folders) == 1 else ""
    bounds = Bounds(manifest.parent)
    candidates = {
        key: manifest.parent / key.removeprefix(names).lstrip("/")
        for key in keys
        if key.startswith(names) and ".." not in key.split("/")
    }
    files = {key: file for key, file in candidates.items() if _is_here(file, bounds)}
    return UploadSide(
        kind=kind,
        manifest=manifest,
        key=s3_layout.manifest_key(customization.name),
        bucket=bucket,
        folders=folders,
        files=files,
        absent=tuple(key for key in keys if key not in files),
        names=names,
    )


def _hint(bucket: str, key: str, deployment: DeploymentClient) -> str:
    """Whose dataset it may be: who prepared it for another customization named the wrong one."""
    for name, settings in deployment.customizations.items():
        if key.startswith(settings.media_folders) and deployment.buckets.kind_of(bucket):
            return f"upload it with -c {name}, or "
    return ""


def _is_here(file: Path, bounds: Bounds) -> bool:
    try:
        return file.is_file() and bounds.hold(file)
    except (OSError, ValueError):
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Which files of a side have to be sent. wanted: their bytes by key.

    replaced: how many of them replace an object. there: how many are there already.
    """

    side: UploadSide
    wanted: Mapping[str, int]
    replaced: int
    there: int

    @property
    def size(self) -> int:
        """Bytes of all files to send."""
        return sum(self.wanted.values())


def sending(side: UploadSide, deployment: DeploymentClient) -> Sending:
    """What is not there yet, so that an upload that was stopped goes on where it was.

    As `aws s3 sync` judges: an object of the same size that is newer than the file stays. Raises
    UserError when the manifest refers to a file that is neither here nor there.
    """
    uploaded = _uploaded_files(side, deployment)
    missing = [key for key in side.absent if key not in uploaded]
    if missing:
        amount = f"{len(missing):,} files that are" if len(missing) > 1 else "a file that is"
        raise UserError(
            f"the {side.kind} manifest refers to {amount} neither here nor uploaded, "
            f"for example {_suggest(side, missing[0])}",
            where=str(side.manifest.parent),
            fix="add the file or correct the manifest; `tuning validate` lists all",
        )
    sizes = {
        key: file.stat().st_size
        for key, file in side.files.items()
        if not _is_same(file, uploaded.get(key))
    }
    return Sending(
        side=side,
        wanted=sizes,
        replaced=sum(key in uploaded for key in sizes),
        there=len(side.files) - len(sizes),
    )


def upload_images(plan: Sending, deployment: DeploymentClient, *, meter: Meter) -> None:
    """Sends the files, many at once; what was sent when it is stopped stays sent."""
    side, s3 = plan.side, deployment.aws.s3

    def send(key: str) -> int:
        if plan.wanted[key] > _IN_PARTS:
            s3.upload_file(str(side.files[key]), side.bucket, key)
        else:
            with side.files[key].open("rb") as file:
                s3.put_object(Bucket=side.bucket, Key=key, Body=file)
        return plan.wanted[key]

    sent = 0
    with meter(f"uploading {side.kind} images", "images") as progress:

        def count(_: str, size: int) -> None:
            nonlocal sent
            sent += size
            progress.update(share=sent / max(1, plan.size), count=1, size=size)

        ask_all({key: partial(send, key) for key in plan.wanted}, at_once=_THREADS, keep=count)


def _suggest(side: UploadSide, key: str) -> str:
    """The file that a key should be, and one whose name differs in case or extension only."""
    name = key.removeprefix(side.names)
    similar = FolderNames().near(side.manifest.parent / name.lstrip("/"))
    return f"{name}; did you mean {Path(name).with_name(similar)}?" if similar else name


def upload_manifest(side: UploadSide, deployment: DeploymentClient) -> str:
    """Uploads the manifest of a side; returns its URI."""
    # In parts: a manifest may have gigabytes.
    deployment.aws.s3.upload_file(str(side.manifest), side.bucket, side.key)
    return s3_layout.uri(side.bucket, side.key)


def _uploaded_files(
    side: UploadSide, deployment: DeploymentClient
) -> dict[str, tuple[int, datetime]]:
    return {
        entry["Key"]: (entry["Size"], entry["LastModified"])
        for folder in side.folders
        for entry in objects(deployment.aws.s3, side.bucket, folder)
    }


def _is_same(file: Path, uploaded_file: tuple[int, datetime] | None) -> bool:
    if uploaded_file is None:
        return False
    stat, (size, modified) = file.stat(), uploaded_file
    return stat.st_size == size and datetime.fromtimestamp(stat.st_mtime, UTC) <= modified
