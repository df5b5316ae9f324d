"""How the CDK CLI deploys the stacks of a manifest: what lies there, and nothing else."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.review.assembly.manifest import (
    MANIFEST,
    account_of,
    is_bootstrap_role,
    noted,
    parsed,
    stacks,
)
from bedrock_tuning.wording import cleaned

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
_ROLES: Final = {"assumeRoleArn": "deploy", "cloudFormationExecutionRoleArn": "cfn-exec"}
_LOOKED_UP_WITH: Final = frozenset(
    {"arn", "bootstrapStackVersionSsmParameter", "requiresBootstrapStackVersion"}
)
# Notes that change nothing; others have the CLI upload files or tag stacks.
_NOTES: Final = re.compile(
    r"aws:cdk:(analytics:\w+|creationStack|error|info|logicalId|path|templateFile|warning)"
)
_QUALIFIER: Final = re.compile(
    r"\bcdk-([a-z0-9]+)-(?:assets|[\w-]+-role)-|/cdk-bootstrap/([^/\"]*)/"
)
_VERSION: Final = re.compile(r"/cdk-bootstrap/[a-z0-9]+/version")

Fault = tuple[str, str]


def differing(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Fault]:
    """Where, and how, what is deployed is not the template that lies there."""
    if "version" not in manifest:
        yield MANIFEST, "it is not there: nothing says what is deployed, and how"
    if manifest.get("missing"):
        yield MANIFEST, "values are to be looked up before it can be deployed"
    for name, artifact in manifest.get("artifacts", {}).items():
        own = artifact.get("properties", {})
        inner = folder / str(own.get("directoryName"))
        stage = artifact.get("type") == "cdk:cloud-assembly"
        if stage and not (inner.name.startswith("assembly-") and (inner / MANIFEST).is_file()):
            yield name, f"its stacks are in {inner.name}, which is not read"
        version = own.get("bootstrapStackVersionSsmParameter")
        if version is not None and not _VERSION.fullmatch(str(version)):
            yield name, f"the version of its bootstrap is in {version}"
    environments, qualifiers = set(), set()
    files = {MANIFEST}
    for name, artifact, given in stacks(manifest):
        environments.add(str(artifact.get("environment")))
        lists = folder / f"{name}.assets.json"
        uploads = parsed(lists).get("files", {}) if lists.is_file() else None
        found = _QUALIFIER.findall(json.dumps([given, uploads]))
        qualifiers |= {one or other for one, other in found}
        files |= {lists.name, str(given.get("templateFile"))}
        if str(artifact.get("environment")).endswith("/unknown-region"):
            yield name, "it goes to whichever Region the credentials are for"
        for what in (
            *_stack(folder, name, given),
            *_as(artifact, given, named=(name, str(given.get("stackName", name)))),
            *_template(given, uploads),
        ):
            yield name, what
        kinds = {str(e.get("type")) for each in noted(folder, artifact).values() for e in each}
        if "tags" in given:
            # The CLI asks for the note only where these are missing.
            kinds.discard("aws:cdk:stack-tags")
        for kind in sorted(kinds):
            if not _NOTES.fullmatch(kind):
                yield name, f"it has notes that the CLI acts on: {kind}"
    for name in sorted(files):
        if (folder / name).is_symlink():
            yield name, "it is a link, not a plain file"
    if len(environments) > 1:
        yield MANIFEST, f"stacks go to {', '.join(sorted(environments))}"
    if len(qualifiers) > 1:
        yield MANIFEST, f"it names the bootstraps {', '.join(sorted(qualifiers))}"


def _stack(folder: Path, name: str, given: Mapping[str, Any]) -> Iterator[str]:
    for odd in sorted(set(given) - _DEPLOYED_WITH):
        yield f"it is deployed with {odd}: {given[odd]}"
    # Only in a stage do the names of stacks and artifacts differ.
    if given.get("stackName", name) != name and not folder.name.startswith("assembly-"):
        yield f"it is deployed as {given['stackName']}"


def _as(
    artifact: Mapping[str, Any], given: Mapping[str, Any], *, named: Collection[str]
) -> Iterator[str]:
    """As other roles than those of the bootstrap, or shown as something else than it is named."""
    account = account_of(artifact)
    for role, kind in _ROLES.items():
        if role in given and not is_bootstrap_role(str(given[role]), account, kind):
            yield f"{role} is {given[role]}, which is not a role of the bootstrap"
    if "assumeRoleArn" in given and "cloudFormationExecutionRoleArn" not in given:
        yield "CloudFormation acts as whoever deploys it, not as the bootstrap's role"
    lookup = given.get("lookupRole", {})
    arn = str(lookup.get("arn"))
    if lookup and (
        lookup.keys() - _LOOKED_UP_WITH or not is_bootstrap_role(arn, account, "lookup")
    ):
        yield f"lookupRole is {lookup}, which is not a role of the bootstrap"
    shown = str(artifact.get("displayName", ""))
    if cleaned(shown) != shown:
        yield f"it is shown as {cleaned(shown)}, which commands a terminal"
    elif shown.partition(" (")[0].rpartition("/")[2] not in ("", *named):
        yield f"it is shown as {shown}"


def _template(given: Mapping[str, Any], uploads: Mapping[str, Any] | None) -> Iterator[str]:
    """What is deployed is what is uploaded, from where it is uploaded to."""
    url = str(given.get("stackTemplateAssetObjectUrl", ""))
    if not url or uploads is None:
        return
    asset = uploads.get(url.rpartition("/")[2].partition(".")[0], {})
    source = asset.get("source", {}).get("path")
    if source != given.get("templateFile"):
        yield f"{source or 'nothing'} is deployed, not {given.get('templateFile')}"
    places = asset.get("destinations", {}).values()
    if url not in {f"s3://{place.get('bucketName')}/{place.get('objectKey')}" for place in places}:
        yield f"it is deployed from {url}, where it is not uploaded to"
