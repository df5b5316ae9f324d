"""What is deployed is what is reviewed: manifest, assets and templates say the same."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning import review
from bedrock_tuning.contracts import Contracts
from bedrock_tuning.review.assembly import template
from tests.review.broken import Synthesized

Manifest = dict[str, Any]
DATA = "tuning-dev-data"


@pytest.fixture
def folder(dev: Synthesized, tmp_path: Path) -> Path:
    """A cdk.out of the default environment that may be changed."""
    return dev.copied(tmp_path / "cdk.out")


def _properties(manifest: Manifest) -> dict[str, Any]:
    found: dict[str, Any] = manifest["artifacts"][DATA]["properties"]
    return found


def _foreign_role(manifest: Manifest) -> None:
    role = "arn:aws:iam::999999999999:role/x"
    _properties(manifest)["cloudFormationExecutionRoleArn"] = role


def _stage_elsewhere(manifest: Manifest) -> None:
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "x"}}
    manifest["artifacts"]["Stage"] = stage


def _elsewhere(manifest: Manifest) -> None:
    manifest["artifacts"][DATA]["environment"] = "aws://999999999999/us-east-1"


def _parameters(manifest: Manifest) -> None:
    _properties(manifest)["parameters"] = {"BootstrapVersion": "/other"}


def _other_upload(manifest: Manifest) -> None:
    _properties(manifest)["stackTemplateAssetObjectUrl"] = f"s3://assets/{'0' * 64}.json"


def test_nothing_differs_as_the_cdk_writes_it(folder: Path) -> None:
    assert template.read(folder).differing == []


@pytest.mark.parametrize(
    "change",
    [_foreign_role, _stage_elsewhere, _elsewhere, _parameters, _other_upload],
    ids=lambda change: change.__name__.strip("_"),
)
def test_a_manifest_that_deploys_something_else_is_noticed(
    change: Callable[[Manifest], None], folder: Path
) -> None:
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text("utf-8"))
    change(manifest)
    file.write_text(json.dumps(manifest), "utf-8")
    assert template.read(folder).differing


def test_an_environment_goes_to_the_account_and_region_of_its_settings(dev: Synthesized) -> None:
    def found(contracts: Contracts, change: Callable[[template.Assembly], None]) -> list[str]:
        assembly = template.read(dev.folder)
        change(assembly)
        found = review.violations(review.evidence_of(assembly, contracts))
        return [each.what for each in found if each.check == "A113"]

    def to_account(assembly: template.Assembly) -> None:
        assembly.accounts = frozenset({"999999999999"})

    def to_region(assembly: template.Assembly) -> None:
        assembly.regions = dict.fromkeys(assembly.regions, "eu-west-1")

    pinned = replace(dev.contracts, chosen=replace(dev.contracts.chosen, account="111122223333"))
    assert found(pinned, lambda _: None) == []
    assert found(dev.contracts, to_account) == []
    assert found(pinned, to_account) == ["stacks go to 999999999999, not 111122223333"]
    assert found(dev.contracts, to_region) == ["stacks go to eu-west-1, not us-east-1"]


def test_the_manifest_names_the_accounts_that_stacks_go_to(folder: Path) -> None:
    assert template.read(folder).accounts == frozenset()
    file = folder / "manifest.json"
    text = file.read_text("utf-8").replace("aws://unknown-account/", "aws://999999999999/")
    file.write_text(text, "utf-8")
    assert template.read(folder).accounts == {"999999999999"}


def test_another_file_that_is_uploaded_as_the_template_is_noticed(folder: Path) -> None:
    file = folder / f"{DATA}.assets.json"
    file.write_text(file.read_text("utf-8").replace(f"{DATA}.template.json", "other.json"), "utf-8")
    assert DATA in [where for where, _ in template.read(folder).differing]


def test_a_stack_whose_template_is_not_there_is_an_error(folder: Path) -> None:
    (folder / f"{DATA}.template.json").unlink()
    with pytest.raises(ValueError, match=DATA):
        template.read(folder)


@pytest.mark.parametrize("depth", [150, 200_000])
def test_a_template_in_which_too_much_is_inside_of_each_other_is_an_error(
    depth: int, folder: Path
) -> None:
    file = folder / f"{DATA}.template.json"
    file.write_text('{"a":' * depth + "1" + "}" * depth, "utf-8")
    with pytest.raises(ValueError, match="more than 100 objects and lists are nested"):
        template.read(folder)


def test_a_key_that_is_there_twice_is_an_error(folder: Path) -> None:
    file = folder / f"{DATA}.template.json"
    text = file.read_text("utf-8")
    file.write_text(text.replace('"Resources": {', '"Rules": {}, "Resources": {', 1), "utf-8")
    with pytest.raises(ValueError, match="Rules is there twice"):
        template.read(folder)
