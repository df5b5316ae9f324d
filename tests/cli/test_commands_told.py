"""Commands that a message tells to type reach the deployment that the person works on."""

import pytest

from bedrock_tuning.cli.options import options_to_repeat
from tests.cli.conftest import Run
from tests.cli.support import RUN, WAITING, StubbedAws, index


@pytest.mark.parametrize(
    ("environment", "variable", "told"),
    [
        ("dev", None, "tuning runs"),
        ("dev", "dev", "tuning runs"),
        ("prod", None, "tuning runs -e prod"),
        ("prod", "prod", "tuning runs -e prod"),
        ("dev", "prod", "tuning runs -e dev"),
    ],
)
def test_a_command_names_the_environment_unless_every_shell_would_choose_it(
    monkeypatch: pytest.MonkeyPatch, environment: str, variable: str | None, told: str
) -> None:
    if variable is not None:
        monkeypatch.setenv("TUNING_ENVIRONMENT", variable)
    assert " ".join(["tuning runs", *options_to_repeat(environment)]) == told


def test_a_command_names_the_region_that_was_given() -> None:
    assert options_to_repeat("dev", region="eu-west-1") == ("--region eu-west-1",)


def test_a_list_of_runs_tells_each_next_command_with_its_environment(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed("prod")
    index(aws, WAITING)
    result = run("runs", "-e", "prod")
    assert f"tuning approve {RUN} -e prod" in result.stdout
    assert "tuning run RUN -e prod" in result.stderr


def test_a_run_that_waits_for_approval_tells_both_answers_with_their_environment(
    run: Run, aws: StubbedAws
) -> None:
    aws.deployed("prod")
    aws.has_run(**WAITING)
    result = run("run", RUN, "-e", "prod")
    assert f"yes: tuning approve {RUN} -e prod" in result.stderr
    assert f'no:  tuning approve {RUN} --decline --reason "…" -e prod' in result.stderr


def test_what_is_not_found_is_looked_for_in_the_same_environment(run: Run, aws: StubbedAws) -> None:
    aws.deployed("prod")
    aws.answer("dynamodb", "get_item", {}, None)
    index(aws)
    assert "`tuning runs -e prod`" in run("run", RUN, "-e", "prod").stderr
