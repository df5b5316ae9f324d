"""The manifest of a cloud assembly: its stacks, where they go, whether they are what lies there."""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.files import read_plain

MANIFEST: Final = "manifest.json"
ACCOUNT_AND_REGION: Final = re.compile(r"aws://([^/]+)/(.+)")

# Five times as deep as a state machine in a template of this app is; what reads it calls itself.
_DEEPEST: Final = 100
_TOO_DEEP: Final = f"more than {_DEEPEST} objects and lists are nested"


def parsed(file: Path) -> dict[str, Any]:
    """An object of JSON in which no key is there twice: AWS and this review might differ then.

    Raises OSError and ValueError.
    """
    try:
        content = json.loads(file.read_text("utf-8"), object_pairs_hook=once)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    except RecursionError as error:
        raise ValueError(f"{file}: {_TOO_DEEP}") from error
    if _depth(content) > _DEEPEST:
        raise ValueError(f"{file}: {_TOO_DEEP}")
    if not isinstance(content, dict):
        raise ValueError(f"{file}: it is not an object")
    return content


def _depth(value: Any) -> int:
    """How many objects and lists are inside of each other; counts no further than needed."""
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        level = [
            inner
            for container in level
            if isinstance(container, dict | list)
            for inner in (container.values() if isinstance(container, dict) else container)
        ]
        depth += 1
    return depth


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON from its pairs; raises ValueError for a key that is there twice."""
    entries = dict(pairs)
    if len(entries) != len(pairs):
        names = [name for name, _ in pairs]
        duplicates = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{', '.join(duplicates)} is there twice in one object")
    return entries


def stacks(manifest: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every stack: its name, its artifact, and what the artifact is deployed with."""
    for name, artifact in manifest.get("artifacts", {}).items():
        if artifact.get("type") == "aws:cloudformation:stack":
            yield name, artifact, artifact.get("properties", {})


def _stack(artifact: str, properties: Mapping[str, Any]) -> str:
    """What a stack is deployed as; in a stage of somebody's app, its template is called more."""
    return str(properties.get("stackName") or artifact)


def assemblies(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folder with its manifest, {} where it has none, and every stage that it lists."""
    file = folder / MANIFEST
    content = parsed(file) if file.is_file() else {}
    yield folder, content
    for artifact in content.get("artifacts", {}).values():
        stage = str(artifact.get("properties", {}).get("directoryName"))
        if artifact.get("type") == "cdk:cloud-assembly" and stage.startswith("assembly-"):
            yield from assemblies(folder / stage)


def templates(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The stack of each template that a manifest lists, by the template's name."""
    return {
        str(properties.get("templateFile", "")).removesuffix(".template.json"): _stack(
            name, properties
        )
        for name, _, properties in stacks(manifest)
    }


def without(manifest: Mapping[str, Any], stacks: Collection[str]) -> dict[str, Any]:
    """A manifest without some of its stacks."""
    artifacts = manifest.get("artifacts", {})
    removed_names = {
        name
        for name, artifact in artifacts.items()
        if artifact.get("properties", {}).get("stackName", name) in stacks
    }
    removed_names |= {f"{name}.assets" for name in removed_names}
    return {
        **manifest,
        "artifacts": {
            name: artifact for name, artifact in artifacts.items() if name not in removed_names
        },
    }


def regions(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The Region of each stack that has one."""
    regions_by_stack = {}
    for name, artifact, properties in stacks(manifest):
        place = ACCOUNT_AND_REGION.fullmatch(artifact.get("environment", ""))
        if place and place[2] != "unknown-region":
            regions_by_stack[_stack(name, properties)] = place[2]
    return regions_by_stack


def accounts(manifest: Mapping[str, Any]) -> frozenset[str]:
    """The accounts that stacks are deployed to; none for whichever the credentials are of."""
    places = (str(artifact.get("environment")) for _, artifact, _ in stacks(manifest))
    account_ids = {place.removeprefix("aws://").partition("/")[0] for place in places}
    return frozenset(account_ids - {"unknown-account"})


def tags(manifest: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """By stack, the tags with which it is deployed: CloudFormation puts them on all resources."""
    return {
        _stack(name, properties): dict(properties.get("tags") or {})
        for name, _, properties in stacks(manifest)
    }


def protected(manifest: Mapping[str, Any]) -> dict[str, bool]:
    """By stack, whether it has termination protection."""
    return {
        _stack(name, properties): bool(properties.get("terminationProtection"))
        for name, _, properties in stacks(manifest)
    }


def noted(folder: Path, artifact: Mapping[str, Any]) -> Mapping[str, list[dict[str, Any]]]:
    """What the CDK notes about the constructs of a stack, by their paths."""
    file_name = artifact.get("additionalMetadataFile")
    return {
        **(artifact.get("metadata") or {}),
        **(parsed(folder / file_name) if file_name is not None else {}),
    }


def paths(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Stack, logical id and construct path of all resources, for templates without the path."""
    for name, artifact, properties in stacks(manifest):
        stack = _stack(name, properties)
        for path, entries in noted(folder, artifact).items():
            for entry in entries:
                if entry.get("type") == "aws:cdk:logicalId":
                    yield stack, str(entry["data"]), str(path).removeprefix("/")


def assets(folder: Path, manifest: Mapping[str, Any]) -> frozenset[str]:
    """The hashes of what is uploaded with the stacks; none where no list of it lies there."""
    files = [folder / f"{name}.assets.json" for name in manifest.get("artifacts", {})]
    return frozenset(
        digest for file in files if file.is_file() for digest in parsed(file).get("files", {})
    )


def hashes(folder: Path, manifest: Mapping[str, Any]) -> dict[str, str]:
    """By stack, SHA-256 of its template as it lies there and of how it is deployed."""
    digests = {}
    for name, artifact, properties in stacks(manifest):
        template = hashlib.sha256(
            read_plain(folder / str(properties.get("templateFile")))
        ).hexdigest()
        content = json.dumps(
            [template, artifact.get("environment"), artifact.get("dependencies"), properties],
            sort_keys=True,
        )
        digests[_stack(name, properties)] = hashlib.sha256(content.encode()).hexdigest()
    return digests
