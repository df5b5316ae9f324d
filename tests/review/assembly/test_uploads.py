"""Whatever a person or a program changes in a synthesized folder, the review notices."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.review.assembly import template
from tests.review.broken import Synthesized

PIPELINE = "tuning-dev-pipeline"
Change = Callable[[Path], None]


@pytest.fixture
def folder(dev: Synthesized, tmp_path: Path) -> Path:
    return dev.copied(tmp_path / "cdk.out")


def write(file: Path, content: bytes) -> None:
    """Another file: it may be a link to that of other tests."""
    file.unlink(missing_ok=True)
    file.write_bytes(content)


def edit(file: Path, change: Callable[[Any], object]) -> None:
    content = json.loads(file.read_bytes())
    change(content)
    write(file, json.dumps(content).encode())


def assets(change: Callable[[Any], object]) -> Change:
    """A change of the list of what is uploaded with the pipeline."""
    return lambda folder: edit(folder / f"{PIPELINE}.assets.json", change)


def source(change: Callable[[dict[str, Any]], object]) -> Change:
    """A change of the source of the functions' code."""
    return assets(lambda content: change(code(content)["source"]))


def place(change: Callable[[dict[str, Any]], object]) -> Change:
    def each(content: Any) -> None:
        for one in code(content)["destinations"].values():
            change(one)

    return assets(each)


def code(content: Any) -> Any:
    (found,) = (e for e in content["files"].values() if e["displayName"].endswith("Runtime/Asset"))
    return found


def asset(folder: Path, holds: str) -> Path:
    """The folder that is uploaded and has this file."""
    (found,) = (each for each in folder.glob("asset.*") if (each / holds).exists())
    return found


def in_asset(holds: str, name: str, content: bytes) -> Change:
    return lambda folder: write(asset(folder, holds) / name, content)


def linked_asset(folder: Path) -> None:
    found = asset(folder, "lambdas/admit.py")
    found.rename(folder / "elsewhere")
    found.symlink_to("elsewhere")


def linked_file(folder: Path) -> None:
    file = asset(folder, "lambdas/admit.py") / "lambdas" / "admit.py"
    file.rename(folder / "admit.py")
    file.symlink_to(folder / "admit.py")


def linked_folder(folder: Path) -> None:
    inner = asset(folder, "lambdas/admit.py") / "lambdas"
    inner.rename(folder / "lambdas")
    inner.symlink_to(folder / "lambdas")


def removed_file(folder: Path) -> None:
    (asset(folder, "lambdas/admit.py") / "lambdas" / "admit.py").unlink()


def renamed_file(folder: Path) -> None:
    file = asset(folder, "lambdas/admit.py") / "lambdas" / "merge.py"
    file.rename(file.with_name("merges.py"))


def edited_template(folder: Path) -> None:
    """Without a change of what it deploys: its bytes are no longer those of its hash."""
    edit(folder / f"{PIPELINE}.template.json", lambda content: content.update(Description="x"))


def docker(content: Any) -> None:
    content["dockerImages"] = {"0" * 64: {"source": {"directory": "."}, "destinations": {}}}


def no_list(folder: Path) -> None:
    edit(
        folder / "manifest.json",
        lambda content: content["artifacts"].pop(f"{PIPELINE}.assets"),
    )


def other_kind(folder: Path) -> None:
    edit(
        folder / "manifest.json",
        lambda content: content["artifacts"].update(extra={"type": "aws:cloudformation:other"}),
    )


def stack_name(folder: Path) -> None:
    def change(content: Any) -> None:
        content["artifacts"][PIPELINE]["properties"]["stackName"] = "somebody-elses"

    edit(folder / "manifest.json", change)


def manifest(change: Callable[[Any], object]) -> Change:
    """A change of the assembly's manifest."""
    return lambda folder: edit(folder / "manifest.json", change)


def deployed(change: Callable[[dict[str, Any]], object]) -> Change:
    """A change of how the pipeline is deployed."""
    return manifest(lambda content: change(content["artifacts"][PIPELINE]["properties"]))


def from_url(change: Callable[[str, str], str]) -> Change:
    """Another place of the pipeline's template; change gets its bucket and its key."""

    def properties(given: dict[str, Any]) -> None:
        bucket, key = str(given["stackTemplateAssetObjectUrl"]).removeprefix("s3://").split("/")
        given["stackTemplateAssetObjectUrl"] = change(bucket, key)

    return deployed(properties)


def noted(kind: str, *, beside: bool) -> Change:
    """A note about a construct, in the manifest or in the file beside it."""
    note = [{"type": kind, "data": {"packaging": "zip", "path": "/etc", "id": "x"}}]

    def change(folder: Path) -> None:
        if beside:
            edit(folder / f"{PIPELINE}.metadata.json", lambda content: content.update(x=note))
        else:
            manifest(lambda c: c["artifacts"][PIPELINE].update(metadata={"/x": note}))(folder)

    return change


def linked(name: str) -> Change:
    """A file that is a link to another one, with the same content for now."""

    def change(folder: Path) -> None:
        (folder / name).rename(folder / "elsewhere")
        (folder / name).symlink_to("elsewhere")

    return change


def mode_of(name: str, mode: int) -> Change:
    """A file of the functions' code with another mode; its content stays."""

    def change(folder: Path) -> None:
        file = asset(folder, "lambdas/admit.py") / name
        write(file, file.read_bytes())
        file.chmod(mode)

    return change


def other_bucket(content: Any) -> None:
    for entry in content["files"].values():
        for one in entry["destinations"].values():
            one["bucketName"] = one["bucketName"].replace("hnb659fds", "evil")


AS_THE_BOOTSTRAP = (
    "assumeRoleArn",
    "bootstrapStackVersionSsmParameter",
    "cloudFormationExecutionRoleArn",
    "lookupRole",
    "requiresBootstrapStackVersion",
)
MISSING = {"key": "x", "provider": "plugin", "props": {"pluginName": "evil"}}
TAMPERINGS: dict[str, Change] = {
    "code edited": in_asset("lambdas/admit.py", "lambdas/admit.py", b"evil()"),
    "code added": in_asset("lambdas/admit.py", "sitecustomize.py", b"evil()"),
    "code removed": removed_file,
    "code renamed": renamed_file,
    "code that nobody can read": mode_of("lambdas/admit.py", 0o600),
    "code that can be run": mode_of("lambdas/admit.py", 0o755),
    "code that acts as its owner": mode_of("lambdas/admit.py", 0o4644),
    "code that everybody may write": mode_of("lambdas/admit.py", 0o666),
    "layer edited": in_asset("python/msgspec", "python/msgspec/__init__.py", b"evil()"),
    "layer added": in_asset("python/msgspec", "python/sitecustomize.py", b"evil()"),
    "asset is a link": linked_asset,
    "file is a link": linked_file,
    "folder is a link": linked_folder,
    "path outside": source(lambda one: one.update(path="/etc")),
    "path above": source(lambda one: one.update(path="../cdk.out/asset.x")),
    "other folder": source(lambda one: one.update(path="cdk.out")),
    "executable": source(lambda one: one.update(executable=["sh", "-c", "evil"])),
    "only executable": assets(
        lambda content: code(content).update(source={"executable": ["sh", "-c", "evil"]})
    ),
    "foreign bucket": place(lambda one: one.update(bucketName="evil")),
    "other Region's bucket": place(
        lambda one: one.update(bucketName=f"{one['bucketName']}".replace("us-east-1", "eu-west-1"))
    ),
    "foreign role": place(
        lambda one: one.update(assumeRoleArn="arn:aws:iam::999999999999:role/cdk-x-role-y")
    ),
    "external id": place(lambda one: one.update(assumeRoleExternalId="x")),
    "other key": place(lambda one: one.update(objectKey="other.zip")),
    "no key": place(lambda one: one.pop("objectKey")),
    "no bucket": place(lambda one: one.pop("bucketName")),
    "no path": source(lambda one: one.pop("path")),
    "uploaded nowhere": assets(lambda content: code(content)["destinations"].clear()),
    "no place to upload to": assets(lambda content: code(content).pop("destinations")),
    "docker image": assets(docker),
    "template edited": edited_template,
    "list missing": no_list,
    "unknown artifact": other_kind,
    "stack renamed": stack_name,
    "template uploaded nowhere": assets(
        lambda content: [
            each["destinations"].clear()
            for each in content["files"].values()
            if each["source"]["packaging"] == "file"
        ]
    ),
    "template from a foreign bucket": from_url(lambda _, key: f"s3://evil/{key}"),
    "template from the web": from_url(lambda _, key: f"https://evil.s3.amazonaws.com/{key}"),
    "template below a folder": from_url(lambda bucket, key: f"s3://{bucket}/old/{key}"),
    "version of the template": from_url(lambda bucket, key: f"s3://{bucket}/{key}?versionId=1"),
    "bucket of another bootstrap": assets(other_bucket),
    "role of another bootstrap": deployed(
        lambda given: given.update(assumeRoleArn=given["assumeRoleArn"].replace("hnb659fds", "x"))
    ),
    "executed as who deploys": deployed(
        lambda given: given.update(cloudFormationExecutionRoleArn=given["assumeRoleArn"])
    ),
    "looked up as a foreign role": deployed(
        lambda given: given["lookupRole"].update(arn="arn:aws:iam::999999999999:role/x")
    ),
    "looked up with an external id": deployed(
        lambda given: given["lookupRole"].update(assumeRoleExternalId="x")
    ),
    "another parameter for the bootstrap's version": deployed(
        lambda given: given.update(bootstrapStackVersionSsmParameter="/evil")
    ),
    "a list with another version": manifest(
        lambda content: content["artifacts"][f"{PIPELINE}.assets"]["properties"].update(
            bootstrapStackVersionSsmParameter="/evil"
        )
    ),
    "a list with more": manifest(
        lambda content: content["artifacts"][f"{PIPELINE}.assets"]["properties"].update(x="y")
    ),
    "messages to others": deployed(lambda given: given.update(notificationArns=["arn:aws:sns:x"])),
    "an asset in a note": noted("aws:cdk:asset", beside=False),
    "an asset in a note beside": noted("aws:cdk:asset", beside=True),
    "tags in a note": noted("aws:cdk:stack-tags", beside=True),
    "values to be looked up": manifest(lambda content: content.update(missing=[MISSING])),
    "a name that commands the terminal": manifest(
        lambda content: content["artifacts"][PIPELINE].update(displayName="\x1b]52;c;aGk=\x07")
    ),
    "any Region": lambda folder: edit(
        folder / "manifest.json",
        lambda content: [
            each.update(environment="aws://unknown-account/unknown-region")
            for each in content["artifacts"].values()
            if "environment" in each
        ],
    ),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "a name of another stack": manifest(
        lambda content: content["artifacts"][PIPELINE].update(displayName="tuning-dev-serving")
    ),
    "an asset's name that commands the terminal": assets(
        lambda content: code(content).update(displayName="\x1b]52;c;aGk=\x07/Runtime/Asset")
    ),
    "executed without a role": deployed(lambda given: given.pop("cloudFormationExecutionRoleArn")),
    "a stage that is not there": manifest(
        lambda content: content["artifacts"].update(
            stage={"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-x"}}
        )
    ),
    "empty list": assets(lambda content: content["files"].clear()),
    "template is a link": linked(f"{PIPELINE}.template.json"),
    "list is a link": linked(f"{PIPELINE}.assets.json"),
    "manifest is a link": linked("manifest.json"),
}


def test_nothing_differs_as_the_cdk_writes_it(folder: Path) -> None:
    assert template.read(folder).differing == []


@pytest.mark.parametrize("change", TAMPERINGS.values(), ids=TAMPERINGS)
def test_a_tampered_folder_is_noticed(change: Change, folder: Path) -> None:
    change(folder)
    assert template.read(folder).differing


def test_another_bootstrap_is_known_by_its_bucket_where_no_version_is_named(folder: Path) -> None:
    """As CliCredentialsStackSynthesizer writes it: without roles, and without a version."""

    def as_who_deploys(content: Any) -> None:
        for artifact in content["artifacts"].values():
            given = artifact.get("properties", {})
            for name in AS_THE_BOOTSTRAP:
                given.pop(name, None)

    edit(folder / "manifest.json", as_who_deploys)
    for file in (folder / "manifest.json", *folder.glob("*.assets.json")):
        write(file, file.read_bytes().replace(b"cdk-hnb659fds-", b"cdk-acme-"))
    assert template.read(folder).differing == []
