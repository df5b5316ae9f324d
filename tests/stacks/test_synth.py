"""`cdk synth` itself: feature flags, warnings, and what a wrong file says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app import build_app, read_context, workflow_picture
from tuning.errors import CustomizationError, SettingsError


def test_all_recommended_feature_flags_are_set(repository: Path) -> None:
    templates = repository / "node_modules" / "aws-cdk" / "lib" / "init-templates"
    recommended = json.loads((templates / ".recommended-feature-flags.json").read_text("utf-8"))
    # Exports, which emulators and scanners know, instead of Fn::GetStackOutput.
    recommended["@aws-cdk/core:defaultCrossStackReferences"] = "strong"
    ours = {k: v for k, v in read_context().items() if k.startswith(("@aws-cdk", "aws-cdk"))}
    assert ours == {k: v for k, v in recommended.items() if k in ours}
    assert set(recommended) == set(ours)


def test_a_closed_model_warns_with_its_date(assembly: Any) -> None:
    messages = [
        str(message.entry.data)
        for stack in assembly.stacks
        for message in stack.messages
        if str(message.level).endswith("WARNING")
    ]
    assert [m for m in messages if "pets-style" in m and "2026-06-30" in m]
    assert not [m for m in messages if "pets-search" in m]


def test_synth_needs_no_credentials_no_home_and_no_cdk_json_in_the_folder(
    tmp_path: Path, repository: Path
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CDK_OUTDIR": str(tmp_path / "cdk.out"),
        "CDK_VALIDATION": "false",
    }
    done = subprocess.run(
        [sys.executable, str(repository / "app.py")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cdk.out" / "tuning-dev-pipeline.template.json").exists()


def test_wrong_customizations_fail_with_all_problems_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "first.toml").write_text(
        'base_model = "titan-multimodal-embedings-g1"\n[hyperparameters]\n', encoding="utf-8"
    )
    (tmp_path / "second.toml").write_text(
        'description = "x"\nbase_model = "titan-multimodal-embeddings-g1"\nbugdet = 1\n'
        "[hyperparameters]\nbatchSize = 100\n",
        encoding="utf-8",
    )
    with pytest.raises(CustomizationError) as caught:
        build_app(read_context(), outdir=str(tmp_path / "out"), customizations=tmp_path)
    text = str(caught.value)
    assert "titan-multimodal-embeddings-g1" in text, "the model that was meant is named"
    assert "hyperparameters.batchSize" in text
    assert "256" in text
    assert "budget" in text, "the key that was meant is named"
    assert {p.partition(":")[0].rpartition("/")[2] for p in caught.value.problems} == {
        "first.toml",
        "second.toml",
    }


def test_an_unknown_environment_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="dev, local, prod"):
        build_app({**read_context(), "environment": "test"}, outdir=str(tmp_path))


def test_a_model_that_cannot_be_tuned_in_the_region_is_refused(tmp_path: Path) -> None:
    context = read_context()
    context["tuning"]["environments"]["dev"]["region"] = "eu-west-1"
    with pytest.raises(CustomizationError, match="not in eu-west-1"):
        build_app(context, outdir=str(tmp_path))


def test_the_picture_of_the_workflow_is_current(repository: Path) -> None:
    committed = (repository / "docs" / "workflow.svg").read_text("utf-8")
    assert committed == workflow_picture(), "run `make docs`"
