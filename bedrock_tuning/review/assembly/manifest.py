"""The manifest of a cloud assembly: its stacks, where they go, whether they are what lies there."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

_ENVIRONMENT: Final = re.compile(r"aws://([^/]+)/(.+)")
_STACK: Final = "aws:cloudformation:stack"
# What a stack is deployed with, as the CDK writes it; parameters and the rest would be others'.
_DEPLOYED_WITH: Final = frozenset(
    {
        "additionalDependencies",
        "assumeRoleArn",
        "bootstrapStackVersionSsmParameter",
        "cloudFormationExecutionRoleArn",
        "lookupRole",
        "requiresBootstrapStackVersion",
        "stackName",
        "stackTemplateAssetObjectUrl",
        "tags",
        "templateFile",
        "terminationProtection",
        "validateOnSynth",
    }
)
_BOOTSTRAP_ROLES: Final = ("assumeRoleArn", "cloudFormationExecutionRoleArn")
# The CLI fills in the account that it deploys to.
_OWN_ROLE: Final = re.compile(
    r"arn:\$\{AWS::Partition\}:iam::\$\{AWS::AccountId\}:role/cdk-[\w-]+-role-"
    r"\$\{AWS::AccountId\}-[\w-]+"
)


def parsed(file: Path) -> dict[str, Any]:
    """An object of JSON in which no key is there twice: AWS and this review might differ then.

    Raises OSError and ValueError.
    """
    try:
        found = json.loads(file.read_text("utf-8"), object_pairs_hook=_once)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{file}: it is not an object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{', '.join(twice)} is there twice in one object")
    return found


def stacks(manifest: Mapping[str, Any]) -> set[str]:
    """Names of the templates that a manifest lists; empty for one that has stages or is missing."""
    found = manifest.get("artifacts", {}).values()
    if any(artifact.get("type") == "cdk:cloud-assembly" for artifact in found):
        return set()
    return {
        artifact["properties"]["templateFile"].removesuffix(".template.json")
        for artifact in found
        if artifact.get("type") == "aws:cloudformation:stack"
    }


def regions(manifest: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for artifact in manifest.get("artifacts", {}).values():
        if artifact.get("type") == "aws:cloudformation:stack":
            place = _ENVIRONMENT.fullmatch(artifact.get("environment", ""))
            file = artifact.get("properties", {}).get("templateFile", "")
            if place and place[2] != "unknown-region":
                found[file.removesuffix(".template.json")] = place[2]
    return found


def protected(manifest: Mapping[str, Any]) -> dict[str, bool]:
    return {
        name: bool(artifact.get("properties", {}).get("terminationProtection"))
        for name, artifact in manifest.get("artifacts", {}).items()
        if artifact.get("type") == "aws:cloudformation:stack"
    }


def paths(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Stack, logical id and construct path of all resources, for templates without the path."""
    for stack, artifact in manifest.get("artifacts", {}).items():
        if artifact.get("type") != "aws:cloudformation:stack":
            continue
        known = artifact.get("metadata") or {}
        if "additionalMetadataFile" in artifact:
            known = parsed(folder / artifact["additionalMetadataFile"])
        for path, entries in known.items():
            for entry in entries:
                if entry.get("type") == "aws:cdk:logicalId":
                    yield stack, str(entry["data"]), str(path).removeprefix("/")


def assets(folder: Path, manifest: Mapping[str, Any]) -> frozenset[str]:
    """The hashes of what is uploaded with the stacks; none where no list of it lies there."""
    files = [folder / f"{name}.assets.json" for name in manifest.get("artifacts", {})]
    return frozenset(
        each for file in files if file.is_file() for each in parsed(file).get("files", {})
    )


def differing(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where, and how, what is deployed is not the template that lies there."""
    environments = set()
    for name, artifact in manifest.get("artifacts", {}).items():
        given = artifact.get("properties", {})
        if artifact.get("type") == "cdk:cloud-assembly" and not str(
            given.get("directoryName")
        ).startswith("assembly-"):
            yield name, f"its stacks are in {given.get('directoryName')}, which is not read"
        if artifact.get("type") != _STACK:
            continue
        environments.add(str(artifact.get("environment")))
        for odd in sorted(set(given) - _DEPLOYED_WITH):
            yield name, f"it is deployed with {odd}: {given[odd]}"
        for role in _BOOTSTRAP_ROLES:
            account = str(artifact.get("environment")).removeprefix("aws://").partition("/")[0]
            named = str(given.get(role)).replace(account, "${AWS::AccountId}")
            if role in given and not _OWN_ROLE.fullmatch(named):
                yield name, f"{role} is {given[role]}, no role of the CDK's bootstrap"
        uploaded = str(given.get("stackTemplateAssetObjectUrl", "")).rpartition("/")[2]
        assets = folder / f"{name}.assets.json"
        if uploaded and assets.is_file():
            files = parsed(assets).get("files", {})
            asset = files.get(uploaded.partition(".")[0], {})
            source = asset.get("source", {}).get("path")
            if source != given.get("templateFile"):
                yield name, f"{source or 'nothing'} is deployed, not {given.get('templateFile')}"
    if len(environments) > 1:
        yield "manifest.json", f"stacks go to {', '.join(sorted(environments))}"
