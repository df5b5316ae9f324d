"""What a deployment uploads: nothing but files of the assembly that are what their hashes say.

The CDK CLI uploads whatever the asset manifests name: any path, or what a program prints.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.files import NotPlainError, odd_modes, read_plain, tree_hash
from bedrock_tuning.review.assembly.manifest import account_of, is_bootstrap_role, parsed
from bedrock_tuning.wording import cleaned

_BUCKET: Final = re.compile(r"cdk-[a-z0-9]+-assets-\$\{AWS::AccountId\}-([a-z0-9-]+)")
_ENDING: Final = {"zip": ".zip", "file": ".json"}
# What the CLI reads and deploys nothing of; stages have manifests of their own.
_NOT_DEPLOYED: Final = ("cdk:tree", "cdk:feature-flag-report", "cdk:cloud-assembly")
_LIST: Final = frozenset(
    {"bootstrapStackVersionSsmParameter", "file", "requiresBootstrapStackVersion"}
)

Fault = tuple[str, str]
# The hash of an archive's content, and its odd modes.
Archived = Callable[[Path], tuple[str, list[tuple[str, int]]]]


def faults(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Fault]:
    """Where, and why, something else could be uploaded than what lies in an assembly's folder."""
    artifacts = manifest.get("artifacts", {})
    # Stacks share assets.
    archived = cache(lambda path: (tree_hash(path), [*odd_modes(path)]))
    for name, artifact in artifacts.items():
        given = artifact.get("properties", {})
        match artifact.get("type"):
            case "aws:cloudformation:stack":
                yield from _stack(name, given, artifacts)
            case "cdk:asset-manifest":
                yield from ((name, f"it has {odd}") for odd in sorted(given.keys() - _LIST))
                stack = artifacts.get(name.removesuffix(".assets"), {})
                yield from _list(folder, name, str(given.get("file")), account_of(stack), archived)
                yield from _of_version(folder / f"{name}.json", manifest)
            case kind if kind not in _NOT_DEPLOYED:
                yield name, f"it is of the type {kind}, which is not known"


def _stack(name: str, given: Mapping[str, Any], artifacts: Mapping[str, Any]) -> Iterator[Fault]:
    if "stackTemplateAssetObjectUrl" in given and f"{name}.assets" not in artifacts:
        yield name, "no list says what is uploaded for it"


def _of_version(file: Path, manifest: Mapping[str, Any]) -> Iterator[Fault]:
    """A fault if the CLI reads an asset manifest by other rules than the manifest that names it."""
    said, wanted = (
        (parsed(file) if file.is_file() else manifest).get("version"),
        manifest["version"],
    )
    if said != wanted:
        yield file.name, f"it is of the version {said}, the manifest of {wanted}"


def _list(folder: Path, name: str, file: str, account: str, archived: Archived) -> Iterator[Fault]:
    """The faults of an asset manifest."""
    if file != f"{name}.json" or not (folder / file).is_file():
        yield name, f"its list is {file}"
        return
    content = parsed(folder / file)
    for key in sorted(content.keys() - {"version", "files"}):
        if content[key]:
            yield file, f"{key} are built and uploaded: {', '.join(content[key])}"
    for asset, entry in content.get("files", {}).items():
        for what in _asset(folder, asset, entry, account, archived):
            yield file, f"{asset[:12]}: {what}"


def _asset(
    folder: Path, asset: str, entry: Mapping[str, Any], account: str, archived: Archived
) -> Iterator[str]:
    source = entry.get("source", {})
    packaging = str(source.get("packaging"))
    if source.keys() != {"path", "packaging"} or packaging not in _ENDING:
        yield f"it is made of {dict(source)}"
        return
    yield from _content(folder, asset, str(source["path"]), packaging, archived)
    for key in sorted(entry.keys() - {"displayName", "source", "destinations"}):
        yield f"{key} is not known"
    shown = str(entry.get("displayName", ""))
    if cleaned(shown) != shown:
        yield f"it is shown as {cleaned(shown)}, which commands a terminal"
    for place in entry.get("destinations", {}).values():
        yield from _place(asset, packaging, place, account)


def _content(
    folder: Path, asset: str, path: str, packaging: str, archived: Archived
) -> Iterator[str]:
    """A fault if a file or folder of the assembly is not what its hash says."""
    inside = f"asset.{asset}" if packaging == "zip" else Path(path).name
    if folder.name.startswith("assembly-") and packaging == "zip":
        # All stages of an app share the files beside them.
        inside = f"../{inside}"
    if path != inside:
        yield f"{path} is uploaded, which is not in this folder"
        return
    modes: list[tuple[str, int]] = []
    try:
        if packaging == "zip":
            inner, modes = archived(folder / path)
            digest = hashlib.sha256(inner.encode()).hexdigest()
        else:
            digest = hashlib.sha256(read_plain(folder / path)).hexdigest()
    except NotPlainError as error:
        yield f"{error.filename} is a link, not a plain file"
    except OSError as error:
        yield f"{path} cannot be read: {error.strerror}"
    else:
        if digest != asset:
            yield f"{path} was changed after synthesis: its hash is {digest[:12]}"
        # Archives keep modes, which count for no hash.
        for name, mode in modes:
            yield f"{name} has the mode {mode:o}"


def _place(asset: str, packaging: str, place: Mapping[str, Any], account: str) -> Iterator[str]:
    for key in sorted(place.keys() - {"bucketName", "objectKey", "region", "assumeRoleArn"}):
        yield f"it is uploaded with {key}: {place[key]}"
    named = str(place.get("bucketName")).replace(account, "${AWS::AccountId}")
    bucket = _BUCKET.fullmatch(named)
    if bucket is None or bucket[1] != place.get("region", bucket[1]):
        yield f"it is uploaded to the bucket {place.get('bucketName')}, not the bootstrap's"
    if place.get("objectKey") != f"{asset}{_ENDING[packaging]}":
        yield f"it is uploaded as {place.get('objectKey')}"
    role = str(place.get("assumeRoleArn"))
    if "assumeRoleArn" in place and not is_bootstrap_role(role, account, "file-publishing"):
        yield f"it is uploaded as the role {role}, which is not a role of the bootstrap"
