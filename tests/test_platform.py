"""Somebody's own app with the published constructs: in a Stage, without our cdk.json, proved."""

import json
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from click.testing import CliRunner

from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.errors import ConfigurationError, CustomizationError
from bedrock_tuning.platform import Customization, TuningPlatform

HEAD: Final = 'description = "Pets"\nbase_model = "titan-multimodal-embeddings-g1"\n'
NAMES: Final = ("birds", "cats", "dogs", "fish")
PROD: Final = '[environments.prod.budget]\nmax_run_usd = 500.0\n[environments.dev.tags]\na = "b"\n'


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Four customizations; one is different in prod, and says what it is in another environment."""
    folder = tmp_path / "customizations"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.toml").write_text(HEAD + (PROD if name == "cats" else ""), "utf-8")
    return folder


class WebPage(cdk.Stack):
    """What else is in somebody's app."""

    def __init__(self, scope: Any, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        s3.Bucket(self, "Pictures")


def _app(out: Path, files: Path, **settings: Any) -> cdk.App:
    """The example: a Stage with the platform and four customizations, beside another stack."""
    app = cdk.App(
        outdir=str(out), analytics_reporting=False, builtin_cloud_formation_validation=False
    )
    app.node.set_context("aws:cdk:enable-path-metadata", True)
    WebPage(app, "web-page")
    stage = cdk.Stage(app, "Prod")
    chosen = Settings(name="prod", region="us-east-1", **settings)
    platform = TuningPlatform(stage, settings=chosen)
    for name in NAMES:
        Customization(platform, file=files / f"{name}.toml")
    return app


def _review(out: Path, files: Path, *options: str) -> Any:
    settings = out.parent / "cdk.json"
    environments = {"prod": {"region": "us-east-1"}, "dev": {"region": "us-east-1"}}
    tuning_context = {"environment": "prod", "environments": environments}
    settings.write_text(json.dumps({"context": {"tuning": tuning_context}}), "utf-8")
    where = ["--settings", str(settings), "--customizations", str(files)]
    return CliRunner().invoke(tuning, ["review", str(out), *where, *options])


def test_the_example_app_is_synthesized_proved_and_reviewed(tmp_path: Path, files: Path) -> None:
    out = tmp_path / "cdk.out"
    _app(out, files).synth()
    done = _review(out, files, "--outside", "web-*")
    assert (done.exit_code, done.stderr[-9:]) == (0, " of prod\n")
    # Without being told, the review does not look away.
    assert _review(out, files).exit_code == 1
    values = json.loads(_review(out, files, "--outside", "web-*", "--json").stdout)
    assert values["money"]["customizations"]["cats"]["max_run_usd"] == 500.0
    assert set(values["stacks"]) == {
        f"tuning-prod-{part}" for part in ("data", "people", "pipeline", "serving", *NAMES)
    }


def test_an_app_whose_data_exists_already_is_synthesized_and_proved(
    tmp_path: Path, files: Path
) -> None:
    key = "arn:aws:kms:us-east-1:111122223333:key/0e3ab5a8-0000-4000-8000-000000000000"
    buckets = {f"{kind}_bucket": f"ml-{kind}" for kind in ("training", "validation", "output")}
    _app(tmp_path / "cdk.out", files, data_key=key, **buckets).synth()


def test_a_flaw_in_a_stage_fails_its_synthesis(tmp_path: Path, files: Path) -> None:
    app = _app(tmp_path / "cdk.out", files)
    data = app.node.find_child("Prod").node.find_child("tuning-prod-data")
    bucket = data.node.find_child("Training").node.default_child
    bucket.add_property_deletion_override("BucketEncryption")  # type: ignore[union-attr]
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"retired = 2026-12-01\n{HEAD}", "customizations/mice.toml: it is retired"),
        (f'only = ["dev"]\n{HEAD}', "customizations/mice.toml: it leaves the environment prod out"),
        (HEAD.replace("description", "desription"), "mice.toml:1: desription: unknown key"),
    ],
)
def test_a_file_that_cannot_be_deployed_is_refused(
    tmp_path: Path, files: Path, text: str, problem: str
) -> None:
    (files / "mice.toml").write_text(text, "utf-8")
    stage = cdk.Stage(cdk.App(outdir=str(tmp_path / "out")), "Prod")
    platform = TuningPlatform(stage, settings=Settings(name="prod", region="us-east-1"))
    with pytest.raises(CustomizationError) as caught:
        Customization(platform, file=files / "mice.toml")
    assert problem in caught.value.problems[0]


def test_the_limit_of_an_environment_holds_for_what_is_added_one_by_one(
    tmp_path: Path, files: Path
) -> None:
    served = f'{HEAD}[serving]\nmode = "provisioned"\nlease_hours = 4\n'
    (files / "cats.toml").write_text(served, "utf-8")
    with pytest.raises(ConfigurationError, match="no hourly price is known for cats"):
        _app(tmp_path / "out", files, max_hourly_usd=100.0)
