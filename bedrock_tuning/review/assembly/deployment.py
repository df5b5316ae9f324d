"""How the CDK CLI deploys an assembly: as the CDK writes it, from nothing but files that lie there.

The CLI does what the manifests say: it uploads any path, runs programs and becomes any role. So
what they say of stacks and uploads is compared with what the CDK says of them, and all else is a
fault.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.files import NotPlainError, odd_modes, read_plain, tree_hash
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.manifest import (
    ACCOUNT_AND_REGION,
    MANIFEST,
    noted,
    parsed,
    stacks,
)
from bedrock_tuning.wording import cleaned

# The bootstrap that these stacks need, and the one whose role may look values up, as the CDK's
# synthesizer says it. Another number skips the check of the CLI, or asks for what nobody has.
BOOTSTRAP: Final = 6
LOOKUP: Final = 8
_NEEDS: Final = "requiresBootstrapStackVersion"
_SAID: Final = "bootstrapStackVersionSsmParameter"
_URL: Final = "stackTemplateAssetObjectUrl"
_OF_ASSEMBLY: Final = frozenset({"artifacts", "minimumCliVersion", "missing", "version"})
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")
# Not every synthesizer says which version it needs.
_QUALIFIED: Final = {
    _SAID: re.compile(r"/cdk-bootstrap/([a-z0-9]+)/version"),
    _URL: re.compile(r"s3://cdk-([a-z0-9]+)-assets-.+"),
}
# Of a stack: what others judge, or nobody has to.
_FREE: Final = frozenset({"stackName", "tags", "terminationProtection", "validateOnSynth"})
# Notes that change nothing; others have the CLI upload files or tag stacks.
_NOTES: Final = re.compile(
    r"aws:cdk:(analytics:\w+|creationStack|error|info|logicalId|path|templateFile|warning)"
)
_ENDING: Final = {"zip": ".zip", "file": ".json"}
# What the CLI reads and deploys nothing of.
_NOT_DEPLOYED: Final = ("cdk:tree", "cdk:feature-flag-report")

# The hash of an archive's content, and its odd modes.
Archived = Callable[[Path], tuple[str, list[tuple[str, int]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bootstrap:
    """What `cdk bootstrap` makes in one account and Region, as manifests name it."""

    qualifier: str
    account: str
    region: str

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> "_Bootstrap":
        """The one that most artifacts of a manifest name."""
        artifacts = manifest.get("artifacts", {}).values()
        places = Counter(
            str(artifact.get("environment")) for artifact in artifacts if "environment" in artifact
        )
        place = ACCOUNT_AND_REGION.fullmatch(next(iter(dict(places.most_common(1))), ""))
        qualifiers = Counter(
            match[1]
            for artifact in artifacts
            for name, pattern in _QUALIFIED.items()
            if (match := pattern.fullmatch(str(artifact.get("properties", {}).get(name))))
        )
        account, region = place.groups() if place else ("unknown-account", "unknown-region")
        return cls(
            qualifier=next(iter(dict(qualifiers.most_common(1))), "hnb659fds"),
            # The CLI fills in the account that it deploys to.
            account="${AWS::AccountId}" if account == "unknown-account" else account,
            region=region,
        )

    @property
    def bucket(self) -> str:
        """Where everything is uploaded to."""
        return f"cdk-{self.qualifier}-assets-{self.account}-{self.region}"

    def role(self, kind: str) -> str:
        """As whom the CLI acts."""
        name = f"cdk-{self.qualifier}-{kind}-role-{self.account}-{self.region}"
        return f"arn:${{AWS::Partition}}:iam::{self.account}:role/{name}"

    def version(self, minimum: int) -> dict[str, Any]:
        """How a manifest says which version of it is needed."""
        return {_NEEDS: minimum, _SAID: f"/cdk-bootstrap/{self.qualifier}/version"}


def faults(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where, and how, something else could be deployed than what lies in an assembly's folder."""
    yield from ((MANIFEST, what) for what in _manifest_faults(manifest))
    if (folder / MANIFEST).is_symlink():
        yield MANIFEST, "it is a link, not a plain file"
    artifacts, bootstrap = manifest.get("artifacts", {}), _Bootstrap.of(manifest)
    # Stacks share assets.
    read_archive = cache(lambda path: (tree_hash(path), [*odd_modes(path)]))
    for name, artifact in artifacts.items():
        properties = artifact.get("properties", {})
        match artifact.get("type"):
            case "aws:cloudformation:stack":
                for what in _stack_faults(folder, name, artifact, bootstrap):
                    yield name, what
                if _URL in properties and f"{name}.assets" not in artifacts:
                    yield name, "no list says what is uploaded for it"
            case "cdk:asset-manifest":
                expected = {"file": f"{name}.json", **bootstrap.version(BOOTSTRAP)}
                yield from ((name, what) for what in _differences(properties, expected))
                for what in _list_faults(folder, f"{name}.json", manifest, bootstrap, read_archive):
                    yield f"{name}.json", what
            case "cdk:cloud-assembly":
                inner = folder / str(properties.get("directoryName"))
                if not (inner.name.startswith("assembly-") and (inner / MANIFEST).is_file()):
                    yield name, f"its stacks are in {inner.name}, which is not read"
            case kind if kind not in _NOT_DEPLOYED:
                yield name, f"it is of the type {kind}, which is not known"


def _manifest_faults(manifest: Mapping[str, Any]) -> Iterator[str]:
    if "version" not in manifest:
        yield "it is not there: nothing says what is deployed, and how"
    for key in sorted(manifest.keys() - _OF_ASSEMBLY):
        yield f"it has {key}"
    for name in ("version", "minimumCliVersion"):
        value = manifest.get(name)
        if value is not None and not _VERSION.fullmatch(str(value)):
            yield f"its {name} is {value}"
    if manifest.get("missing"):
        yield "values are to be looked up before it can be deployed"
    environments = {str(artifact.get("environment")) for _, artifact, _ in stacks(manifest)}
    if len(environments) > 1:
        yield f"stacks go to {', '.join(sorted(environments))}"


def _differences(actual: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[str]:
    """What is said besides, or otherwise; what is not said, the CLI does not do."""
    for name in sorted(actual):
        if name not in expected:
            yield f"it has {name}: {actual[name]!r}"
        elif actual[name] != expected[name]:
            yield f"{name} is {actual[name]!r}, not {expected[name]!r}"


def _stack_faults(
    folder: Path, name: str, artifact: Mapping[str, Any], bootstrap: _Bootstrap
) -> Iterator[str]:
    properties = artifact.get("properties", {})
    template = folder / f"{name}.template.json"
    digest = hashlib.sha256(read_plain(template)).hexdigest() if template.is_file() else ""
    expected: dict[str, Any] = {
        "templateFile": template.name,
        _URL: f"s3://{bootstrap.bucket}/{digest}.json",
        "additionalDependencies": [f"{name}.assets"],
        "assumeRoleArn": bootstrap.role("deploy"),
        "cloudFormationExecutionRoleArn": bootstrap.role("cfn-exec"),
        **bootstrap.version(BOOTSTRAP),
        "lookupRole.arn": bootstrap.role("lookup"),
        **{f"lookupRole.{key}": value for key, value in bootstrap.version(LOOKUP).items()},
    }
    actual = {key: value for key, value in properties.items() if key not in (*_FREE, "lookupRole")}
    actual |= {
        f"lookupRole.{key}": value for key, value in properties.get("lookupRole", {}).items()
    }
    yield from _differences(actual, expected)
    if template.is_symlink():
        yield f"{template.name} is a link, not a plain file"
    asset_list = folder / f"{name}.assets.json"
    files = parsed(asset_list).get("files", {}) if asset_list.is_file() else {}
    source = get(files, digest, "source", "path")
    if _URL in properties and source != template.name:
        yield f"{source or 'nothing'} is deployed, not {template.name}"
    if "assumeRoleArn" in properties and "cloudFormationExecutionRoleArn" not in properties:
        yield "CloudFormation acts as whoever deploys it, not as the bootstrap's role"
    # Only in a stage do the names of stacks and artifacts differ.
    deployed_name = str(properties.get("stackName", name))
    if deployed_name != name and not folder.name.startswith("assembly-"):
        yield f"it is deployed as {deployed_name}"
    if str(artifact.get("environment")).endswith("/unknown-region"):
        yield "it goes to whichever Region the credentials are for"
    yield from _display_faults(artifact)
    display_name = str(artifact.get("displayName", ""))
    if display_name.partition(" (")[0].rpartition("/")[2] not in ("", name, deployed_name):
        yield f"it is shown as {cleaned(display_name)}"
    kinds = {
        str(entry.get("type")) for entries in noted(folder, artifact).values() for entry in entries
    }
    if "tags" in properties:
        # The CLI asks for the note only where these are missing.
        kinds.discard("aws:cdk:stack-tags")
    for kind in sorted(kinds):
        if not _NOTES.fullmatch(kind):
            yield f"it has notes that the CLI acts on: {kind}"


def _display_faults(entry: Mapping[str, Any]) -> Iterator[str]:
    display_name = str(entry.get("displayName", ""))
    if cleaned(display_name) != display_name:
        yield f"it is shown as {cleaned(display_name)}, which commands a terminal"


def _list_faults(
    folder: Path,
    file: str,
    manifest: Mapping[str, Any],
    bootstrap: _Bootstrap,
    read_archive: Archived,
) -> Iterator[str]:
    """The faults of the list of what is uploaded with a stack."""
    if not (folder / file).is_file() or (folder / file).is_symlink():
        yield "it is not there, or a link"
        return
    content = parsed(folder / file)
    # By another one, the CLI reads it by other rules.
    version, manifest_version = content.get("version"), manifest.get("version")
    if version != manifest_version:
        yield f"it is of the version {version}, the manifest of {manifest_version}"
    for key in sorted(content.keys() - {"version", "files"}):
        if content[key]:
            yield f"{key} are built and uploaded: {', '.join(content[key])}"
    for asset, entry in content.get("files", {}).items():
        for what in _asset_faults(folder, asset, entry, bootstrap, read_archive):
            yield f"{asset[:12]}: {what}"


def _asset_faults(
    folder: Path,
    asset: str,
    entry: Mapping[str, Any],
    bootstrap: _Bootstrap,
    read_archive: Archived,
) -> Iterator[str]:
    source = entry.get("source", {})
    packaging, path = str(source.get("packaging")), str(source.get("path"))
    if packaging not in _ENDING:
        yield f"it is made of {dict(source)}"
        return
    # All stages of an app share the files beside them.
    parent = "../" if folder.name.startswith("assembly-") else ""
    expected_path = f"{parent}asset.{asset}" if packaging == "zip" else Path(path).name
    yield from _differences(
        {"path": None, **source}, {"path": expected_path, "packaging": packaging}
    )
    if path == expected_path:
        yield from _content_faults(folder, asset, path, packaging, read_archive)
    for key in sorted(entry.keys() - {"displayName", "source", "destinations"}):
        yield f"{key} is not known"
    yield from _display_faults(entry)
    places = entry.get("destinations", {}).values()
    if not places:
        # The stack would have whatever lies in the bucket already.
        yield "it is uploaded nowhere"
    for place in places:
        expected = {
            "bucketName": bootstrap.bucket,
            "objectKey": f"{asset}{_ENDING[packaging]}",
            "region": bootstrap.region,
            "assumeRoleArn": bootstrap.role("file-publishing"),
        }
        yield from _differences({"bucketName": None, "objectKey": None, **place}, expected)


def _content_faults(
    folder: Path, asset: str, path: str, packaging: str, read_archive: Archived
) -> Iterator[str]:
    """A fault if a file or folder of the assembly is not what its hash says."""
    modes: list[tuple[str, int]] = []
    try:
        if packaging == "zip":
            inner, modes = read_archive(folder / path)
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
