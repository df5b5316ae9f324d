"""`cdk synth` itself: feature flags, warnings, and what a wrong file says."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import app
from app import build_app, read_context, workflow_picture
from bedrock_tuning.config.settings_limits import LOG_RETENTION_DAYS, ROLE_NAME_PREFIX_MAX
from bedrock_tuning.errors import ConfigurationError, SettingsError
from tests.review.assembly.make_schemas import schema
from tools.scan.cases import Case


def test_all_recommended_feature_flags_are_set(repository: Path) -> None:
    templates = repository / "node_modules" / "aws-cdk" / "lib" / "init-templates"
    recommended = json.loads((templates / ".recommended-feature-flags.json").read_text("utf-8"))
    # Exports, which emulators and scanners know, instead of Fn::GetStackOutput.
    recommended["@aws-cdk/core:defaultCrossStackReferences"] = "strong"
    ours = {k: v for k, v in read_context().items() if k.startswith(("@aws-cdk", "aws-cdk"))}
    assert ours == {k: v for k, v in recommended.items() if k in ours}
    assert set(recommended) == set(ours)


def test_a_word_in_one_file_and_a_new_file_change_one_stack_each(
    assembly: Any, tmp_path: Path
) -> None:
    files = shutil.copytree(app.ROOT / "customizations", tmp_path / "customizations")
    search = (files / "pets-search.toml").read_text("utf-8")
    (files / "pets-more.toml").write_text(search, "utf-8")
    (files / "pets-search.toml").write_text(search.replace("by text or picture", "by text"))
    context = Case().context()
    after = build_app(context, outdir=str(tmp_path / "out"), customizations=files).synth()
    before = {each.stack_name: each.template for each in assembly.stacks}
    changed = [s.stack_name for s in after.stacks if before.get(s.stack_name) != s.template]
    assert sorted(changed) == ["tuning-dev-pets-more", "tuning-dev-pets-search"]


def test_a_closed_model_warns_with_its_date(assembly: Any) -> None:
    messages = [
        str(message.entry.data)
        for stack in assembly.stacks
        for message in stack.messages
        if str(message.level).endswith("WARNING")
    ]
    assert [m for m in messages if "pets-style" in m and "2026-06-30" in m]
    assert not [m for m in messages if "pets-search" in m and "2026" in m]


def test_a_deployment_whose_approvals_nobody_hears_of_warns(assembly: Any) -> None:
    (pipeline,) = (each for each in assembly.stacks if each.stack_name.endswith("-pipeline"))
    (warning,) = (
        str(each.entry.data) for each in pipeline.messages if "WARNING" in str(each.level)
    )
    assert "nobody is notified when a run of pets-search, pets-style waits for approval" in warning
    assert "set alarm_email or slack_channel in cdk.json" in warning


def test_wrong_customizations_fail_with_all_problems_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "first.toml").write_text(
        'base_model = "titan-multimodal-embedings-g1"\n[hyperparameters]\n', encoding="utf-8"
    )
    (tmp_path / "second.toml").write_text(
        'description = "x"\nbase_model = "titan-multimodal-embeddings-g1"\nbugdet = 1\n'
        "[hyperparameters]\nbatchSize = 100\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError) as caught:
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
    with pytest.raises(ConfigurationError, match="dev, local, prod"):
        build_app({**read_context(), "environment": "test"}, outdir=str(tmp_path))


def test_a_model_that_cannot_be_tuned_in_the_region_is_refused(tmp_path: Path) -> None:
    context = read_context()
    context["tuning"]["environments"]["dev"]["region"] = "eu-west-1"
    with pytest.raises(ConfigurationError, match="not in eu-west-1"):
        build_app(context, outdir=str(tmp_path))


def test_the_picture_of_the_workflow_is_current(repository: Path) -> None:
    committed = (repository / "docs" / "workflow.svg").read_text("utf-8")
    assert committed == workflow_picture(), "run `make docs`"


def test_a_missing_cdk_json_is_a_sentence_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_context(tmp_path / "cdk.json")
    assert caught.value.problems == (
        "cdk.json cannot be read: No such file or directory: "
        "`git checkout cdk.json` brings it back",
    )


def test_a_broken_cdk_json_hides_no_wrong_customization_and_no_traceback_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cdk.json").write_text("{", "utf-8")
    (tmp_path / "customizations").mkdir()
    (tmp_path / "customizations" / "pets.toml").write_text("x = 1\n", "utf-8")
    read, build = app.read_context, app.build_app
    monkeypatch.setattr(app, "read_context", lambda: read(tmp_path / "cdk.json"))
    monkeypatch.setattr(app, "build_app", lambda: build(customizations=tmp_path / "customizations"))
    monkeypatch.setattr(sys, "argv", ["app.py"])
    assert app.main() == 2
    said = capsys.readouterr().err
    assert "cdk.json:1: is not JSON" in said
    assert "customizations/pets.toml:1: x: unknown key" in said


def test_ctrl_c_ends_it_without_a_traceback_even_while_it_imports(repository: Path) -> None:
    # Each module that is imported is told on stderr: interrupted in the middle of the slow ones.
    command = [sys.executable, "-X", "importtime", str(repository / "app.py")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if " jsii" in line:
                process.send_signal(signal.SIGINT)
                break
        said += process.communicate(timeout=300)[1]
    assert process.returncode == -signal.SIGINT  # 130 to a shell
    assert "Traceback" not in said


def test_every_number_of_days_that_the_settings_allow_is_one_of_cloudwatchs() -> None:
    taken = schema("AWS::Logs::LogGroup")["properties"]["RetentionInDays"]["enum"]
    assert sorted(taken) == list(LOG_RETENTION_DAYS)


def synthesize(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python app.py`, ended; it must not wait for ever."""
    return subprocess.run(
        [sys.executable, *options, str(app.ROOT / "app.py")],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("folder", ["/proc/x", "/dev/null/x"])
def test_a_folder_that_cannot_be_written_is_said_before_the_cdk_waits_for_it(
    folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CDK_OUTDIR", folder)
    monkeypatch.setattr(sys, "argv", ["app.py"])
    assert app.main() == 2
    assert capsys.readouterr().err == (
        f"{folder} cannot be written: choose another folder with --output or CDK_OUTDIR\n"
    )


def test_without_node_on_the_path_it_says_how_to_get_it(tmp_path: Path) -> None:
    done = synthesize(PATH=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("node, which the CDK needs, is not on PATH: run `make install`")
    assert "Traceback" not in done.stderr


def test_a_python_without_the_cdk_says_which_one_it_needs() -> None:
    done = synthesize("-S")  # without site-packages
    assert done.returncode == 2
    assert done.stderr.startswith(f"aws_cdk is not installed for {sys.executable}: run `make in")


def test_arguments_that_mean_nothing_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["app.py", "--environment", "prod"])
    assert app.main() == 2
    said = capsys.readouterr().err
    assert "unknown arguments --environment prod" in said
    assert "cdk synth --context environment=NAME" in said


def test_the_longest_prefix_of_roles_leaves_room_for_names_that_differ(tmp_path: Path) -> None:
    prefix = "p" * ROLE_NAME_PREFIX_MAX
    context = Case(options="closed").context()
    context["tuning"]["environments"]["dev"].update(role_name_prefix=prefix, vpc=True)
    assembly = build_app(context, outdir=str(tmp_path)).synth()
    names = [
        each["Properties"]["RoleName"]
        for stack in assembly.stacks
        for each in stack.template["Resources"].values()
        if each["Type"] == "AWS::IAM::Role"
    ]
    assert len(names) > 10
    assert len(set(names)) == len(names)
    assert all(name.startswith(prefix) and len(name) <= 64 for name in names)
