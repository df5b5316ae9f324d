"""What a client knows without the project's files: all of it comes from the deployment."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from bedrock_tuning.client import preferences
from bedrock_tuning.client.aws import Aws
from bedrock_tuning.config.names import RESERVED
from tests.cli.conftest import Run
from tests.cli.datasets import dataset
from tests.cli.support import RUN, WAITING, StubbedAws, index

FILE = 'description = "Pets"\nbase_model = "titan-multimodal-embeddings-g1"\n'


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def prefer(text: str) -> None:
    preferences.path().parent.mkdir(parents=True)
    preferences.path().write_text(text, "utf-8")


def test_a_price_is_that_of_the_deployed_customization(run: Run, aws: StubbedAws) -> None:
    aws.deployed("prod")
    result = run("price", "pets-style", "-e", "prod")
    assert result.exit_code == 0, result.stderr
    assert "1 model unit × 4 h × 21" in result.stdout


def test_a_dataset_is_checked_as_the_deployment_will(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    aws.deployed()
    manifest = dataset(tmp_path / "out", bucket="train")
    result = run("validate", manifest, "-c", "pets")
    assert "REJECTED for titan-multimodal-embeddings-g1: 6 records" in result.stdout


def test_a_misspelt_customization_is_answered_with_those_that_are_deployed(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed()
    result = run("price", "pets-serch")
    assert result.exit_code == 2
    assert "unknown customization pets-serch in dev; did you mean pets-search?" in result.stderr


def test_a_file_that_is_here_is_read_instead_of_what_is_deployed(
    run: Run, empty_folder: Path
) -> None:
    (empty_folder / "customizations").mkdir()
    (empty_folder / "customizations/style.toml").write_text(FILE, "utf-8")
    assert run("price", "style").exit_code == 0


def test_in_a_clone_a_misspelt_name_is_found_although_aws_cannot_be_asked(
    run: Run, aws: StubbedAws, empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(asked: Aws, **_: object) -> None:
        # Who misspelt a name does not wait for retries.
        assert asked.hurries
        raise NoCredentialsError

    assert not aws.hurries
    monkeypatch.setattr("bedrock_tuning.client.deployment.find", nobody)
    (empty_folder / "customizations").mkdir()
    (empty_folder / "customizations/style.toml").write_text(FILE, "utf-8")
    result = run("price", "stile")
    assert result.exit_code == 2
    assert "unknown customization stile; did you mean style?" in result.stderr
    assert "AWS could not be asked for deployed ones: Unable to locate cred" in result.stderr


def test_a_folder_that_is_named_is_the_only_place_to_look(run: Run, empty_folder: Path) -> None:
    result = run("price", "style", "--customizations", empty_folder)
    assert result.exit_code == 2
    assert "no customizations found" in result.stderr


def test_without_a_project_what_is_deployed_is_listed(run: Run, aws: StubbedAws) -> None:
    stack = {
        "StackName": "tuning-dev-cats",
        "CreationTime": "2026-11-21T09:00:00Z",
        "StackStatus": "CREATE_COMPLETE",
    }
    aws.answer("cloudformation", "describe_stacks", {"Stacks": [stack]}, {})
    for part in RESERVED:
        aws.answer(
            "cloudformation",
            "list_stack_resources",
            {"StackResourceSummaries": []},
            {"StackName": f"tuning-dev-{part}"},
        )
    aws.answer("tagging", "get_resources", {"ResourceTagMappingList": []}, None)
    aws.answer("bedrock", "list_custom_models", {"modelSummaries": []}, None)
    none: dict[str, Any] = {"provisionedModelSummaries": []}
    aws.answer("bedrock", "list_provisioned_model_throughputs", none, None)
    aws.answer("bedrock", "list_custom_model_deployments", {"modelDeploymentSummaries": []}, None)
    aws.answer("ssm", "get_parameters_by_path", {"Parameters": []}, None)
    aws.stands("data")
    result = run("list")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[1].split() == ["cats", "CREATE_COMPLETE"]


def test_pages_cannot_be_made_without_the_files_that_they_are_made_of(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bedrock_tuning.cli.pages.PROJECT", tmp_path)
    result = run("docs", "--check")
    assert result.exit_code == 2
    assert "this is an installed package" in result.stderr


def test_config_toml_chooses_the_environment_and_next_commands_rely_on_it(
    run: Run, aws: StubbedAws
) -> None:
    prefer('environment = "prod"\n')
    aws.deployed("prod")
    index(aws, WAITING)
    result = run("runs")
    assert f"tuning approve {RUN}\n" in result.stdout
    aws.deployed("dev")
    index(aws, WAITING)
    result = run("runs", "-e", "dev")
    assert f"tuning approve {RUN} -e dev" in result.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("environment = prod\n", "is not TOML"),
        ('enviroment = "prod"\n', 'did you mean "environment"?'),
        ("region = 1\n", "region must be a text"),
    ],
)
def test_a_wrong_config_toml_is_named_with_its_fix(run: Run, text: str, said: str) -> None:
    prefer(text)
    result = run("runs")
    assert result.exit_code == 2
    assert said in result.stderr
    assert f"where: {preferences.path()}" in result.stderr


@pytest.mark.parametrize(
    ("given", "variables", "profile"),
    [
        (None, {}, "mine"),
        (None, {"AWS_PROFILE": "theirs"}, "theirs"),
        (None, {"AWS_PROFILE": "theirs", "TUNING_PROFILE": "ours"}, "ours"),
        ("named", {"TUNING_PROFILE": "ours"}, "named"),
        (None, {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}, "default"),
    ],
)
def test_a_profile_is_chosen_by_what_is_nearest(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    given: str | None,
    variables: dict[str, str],
    profile: str,
) -> None:
    prefer('profile = "mine"\nregion = "eu-west-1"\n')
    file = tmp_path / "aws-config"
    names = ("mine", "theirs", "ours", "named")
    file.write_text("".join(f"[profile {name}]\nregion = us-west-2\n" for name in names), "utf-8")
    for name in ("TUNING_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"AWS_CONFIG_FILE": str(file), **variables}.items():
        monkeypatch.setenv(name, value)
    aws = Aws(profile=given)
    assert aws.session.profile_name == profile
    assert aws.region == "eu-west-1"


def test_a_shell_completes_what_is_deployed_and_is_silent_where_aws_is_not(
    run: Run, aws: StubbedAws
) -> None:
    from bedrock_tuning.client.deployment import names_for_completion

    path = "/bedrock-tuning-settings/dev"
    parameters = [{"Name": f"{path}/{name}", "Value": "{}"} for name in ("pets", "cats")]
    aws.answer("ssm", "get_parameters_by_path", {"Parameters": parameters}, {"Path": path})
    assert names_for_completion(aws, "dev") == ["cats", "pets"]
    # Nobody listens on this port.
    completed = subprocess.run(
        [sys.executable, "-m", "bedrock_tuning.cli"],
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "_TUNING_COMPLETE": "bash_complete",
            "COMP_WORDS": "tuning serve pe",
            "COMP_CWORD": "2",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "\n", "")
