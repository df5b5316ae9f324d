"""After `cdk destroy`, a new environment goes on with the buckets and keys that were retained."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app import ROOT, build_app, read_context, synthesize
from bedrock_tuning.cli.__main__ import tuning
from local.demo.deploy import bootstrap, deploy, destroy
from local.emulator.server import LocalAws
from tests.e2e.world import NAME, World

pytestmark = [pytest.mark.e2e, pytest.mark.long]


def test_what_a_destroyed_environment_retained_serves_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalAws.start(state=tmp_path / "state", port=0) as aws:
        for name, value in aws.environment({}).items():
            monkeypatch.setenv(name, value)
        aws.faults.options(model_units=1)
        bootstrap(aws, tmp_path)
        first = _world(aws, tmp_path, {})
        served = first.run(" before")
        assert served.outcome == "served", served.why
        model, before = first.pointer("model"), _buckets(first)
        objects = {bucket: _objects(first, bucket) for bucket in before.values()}

        destroy(aws, tmp_path, stack="--all", app=str(tmp_path / "cdk.out"))
        assert first.throughputs() == []
        said = _tuning("list", "-e", "local", "--json")
        left = json.loads(said.stdout)["remaining"]
        settings = _settings(left)
        assert settings.keys() == {*before, "data_key", "operations_key"}
        assert {key: settings[key] for key in before} == before

        second = _world(aws, tmp_path, settings)
        assert _buckets(second) == before
        # Nothing is lost; the pictures of the next environment came on top.
        assert all(found <= _objects(second, bucket) for bucket, found in objects.items())
        assert second.pointer("model") == model
        # What is used again is nobody's no more: nobody is told to delete it.
        listed = json.loads(_tuning("list", "-e", "local", "--json").stdout)
        assert _settings(listed["remaining"]) == {}
        # A deployment never begins to spend.
        assert second.throughputs() == []
        known = {*second.executions()}
        asked = _tuning("serve", NAME, "-e", "local", "--yes")
        assert asked.exit_code == 0, asked.output
        (started,) = {*second.executions()} - known
        again = second.end_of(started)
        assert again.outcome == "served", again.why
        (endpoint,) = second.throughputs()
        assert endpoint["modelArn"] == model
        newer = second.run(" after")
        assert newer.outcome == "served", newer.why
        assert second.pointer("model") not in (model, None)


def _world(aws: LocalAws, folder: Path, settings: dict[str, str]) -> World:
    """The app, deployed with settings beside those of cdk.json."""
    context: dict[str, Any] = {**read_context(), "environment": "local"}
    context["tuning"]["environments"]["local"] |= settings
    out = folder / "cdk.out"
    synthesize(build_app(context, outdir=str(out), customizations=ROOT / "customizations"))
    deployment = deploy(aws, folder, say=lambda text: None, app=str(out))
    return World.with_pictures(aws=aws, deployment=deployment, folder=folder)


def _buckets(world: World) -> dict[str, str]:
    """Their names, by the setting that names them."""
    buckets = world.deployment.buckets
    return {
        "training_bucket": buckets.training,
        "validation_bucket": buckets.validation,
        "output_bucket": buckets.output,
    }


def _objects(world: World, bucket: str) -> set[tuple[str, str]]:
    """Keys and versions."""
    pages = world.aws.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
    return {(each["Key"], each["VersionId"]) for page in pages for each in page.get("Versions", ())}


def _tuning(*arguments: str) -> Any:
    return CliRunner().invoke(tuning, arguments)


def _settings(left: list[dict[str, Any]]) -> dict[str, str]:
    """What to write into cdk.json, as `tuning list` says."""
    return {each["setting"]: each["value"] for each in left if each["setting"]}
