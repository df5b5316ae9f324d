"""Order and versions of a deployment are those of the synthesis, or the review names them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from bedrock_tuning.review.assembly import deployment, template
from tests.review.broken import Synthesized

DATA, PIPELINE, SERVING = "tuning-dev-data", "tuning-dev-pipeline", "tuning-dev-serving"
PETS, STYLE = "tuning-dev-pets-search", "tuning-dev-pets-style"
Artifacts = dict[str, dict[str, Any]]


@pytest.fixture
def folder(dev: Synthesized, tmp_path: Path) -> Path:
    return dev.copied(tmp_path / "cdk.out")


def found(folder: Path, change: Callable[[dict[str, Any]], object]) -> list[str]:
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text("utf-8"))
    change(manifest)
    file.write_text(json.dumps(manifest), "utf-8")
    return [f"{where}: {what}" for where, what in template.read(folder).differing]


def without(stack: str, other: str) -> Callable[[dict[str, Any]], object]:
    """The stack no longer waits for the other."""
    return lambda manifest: manifest["artifacts"][stack]["dependencies"].remove(other)


def after(stack: str, other: str) -> Callable[[dict[str, Any]], object]:
    """The stack waits for the other, too."""
    return lambda manifest: (
        manifest["artifacts"][stack].setdefault("dependencies", []).append(other)
    )


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (without(PIPELINE, DATA), f"{PIPELINE}: it does not wait for {DATA}, which it needs"),
        (without(PETS, SERVING), f"{PETS}: it does not wait for {SERVING}, which it needs"),
        (
            without(DATA, f"{DATA}.assets"),
            f"{DATA}: it does not wait for {DATA}.assets, which it needs",
        ),
        (after(DATA, PETS), f"{DATA}: it waits for {PETS}, which it does not need"),
        (after(PETS, STYLE), f"{PETS}: it waits for {STYLE}, which it does not need"),
        (after(DATA, "another"), f"{DATA}: it waits for another, which it does not need"),
        (
            after(PETS, f"{STYLE}.assets"),
            f"{PETS}: it waits for {STYLE}.assets, which it does not need",
        ),
        (after(f"{DATA}.assets", PETS), f"{DATA}.assets: it waits for {PETS}"),
    ],
)
def test_stacks_are_deployed_in_the_order_of_what_they_need(
    change: Callable[[dict[str, Any]], object], what: str, folder: Path
) -> None:
    assert found(folder, change) == [what]


def _set(*path: str, value: object) -> Callable[[dict[str, Any]], object]:
    def change(manifest: dict[str, Any]) -> None:
        where: Any = manifest
        for name in path[:-1]:
            where = where[name]
        where[path[-1]] = value

    return change


NEEDED = "requiresBootstrapStackVersion"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (_set("artifacts", DATA, "properties", NEEDED, value=1), f"{DATA}: {NEEDED} is 1, not 6"),
        (
            _set("artifacts", f"{DATA}.assets", "properties", NEEDED, value=99),
            f"{DATA}.assets: {NEEDED} is 99, not 6",
        ),
        (
            _set("artifacts", DATA, "properties", "lookupRole", NEEDED, value="8"),
            f"{DATA}: lookupRole.{NEEDED} is '8', not 8",
        ),
        (_set("version", value="newest"), "manifest.json: its version is newest"),
        (
            _set("minimumCliVersion", value="1.0.0; rm -rf /"),
            "manifest.json: its minimumCliVersion is 1.0.0; rm -rf /",
        ),
        (_set("plugin", value="x.js"), "manifest.json: it has plugin"),
    ],
)
def test_the_versions_that_a_deployment_needs_are_those_of_the_synthesis(
    change: Callable[[dict[str, Any]], object], what: str, folder: Path
) -> None:
    assert what in found(folder, change)


def test_a_list_of_uploads_is_of_the_version_of_its_manifest(folder: Path) -> None:
    file = folder / f"{DATA}.assets.json"
    content = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**content, "version": "1.0.0"}), "utf-8")
    (only,) = template.read(folder).differing
    assert only[0] == f"{DATA}.assets.json"
    assert only[1].startswith("it is of the version 1.0.0, the manifest of ")


def test_the_cdk_needs_the_bootstrap_that_the_review_expects() -> None:
    app = cdk.App()
    cdk.Stack(app, "S")
    assembly = app.synth().get_stack_artifact("S")
    assert assembly.requires_bootstrap_stack_version == deployment.BOOTSTRAP
    assert assembly.lookup_role is not None
    assert assembly.lookup_role.requires_bootstrap_stack_version == deployment.LOOKUP


def test_somebody_elses_stack_waits_for_what_it_likes(folder: Path) -> None:
    def add(manifest: dict[str, Any]) -> None:
        artifacts: Artifacts = manifest["artifacts"]
        artifacts["Theirs"] = {
            **artifacts[DATA],
            "properties": {**artifacts[DATA]["properties"], "templateFile": "Theirs.template.json"},
            "dependencies": [DATA],
        }

    (folder / "Theirs.template.json").write_text('{"Resources": {}}', "utf-8")
    assert not [each for each in found(folder, add) if "waits for" in each]
