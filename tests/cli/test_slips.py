"""The most common slips: each ends in a sentence with what to do about it, never in a traceback."""

import json
from pathlib import Path

import pytest
from botocore import exceptions as aws_errors
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from tests.cli import pasteable
from tests.cli.conftest import Run
from tests.cli.support import RUN, WAITING, StubbedAws, index


def refused(code: str, operation: str = "DescribeStacks") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "because"}}, operation)  # type: ignore[arg-type]


SLIPS = {
    "no credentials": (aws_errors.NoCredentialsError(), "no-credentials", "log in"),
    "expired token": (refused("ExpiredToken"), "aws.ExpiredToken", "log in again"),
    "expired request": (refused("RequestExpired"), "aws.RequestExpired", "log in again"),
    "expired single sign-on": (
        aws_errors.UnauthorizedSSOTokenError(), "no-credentials", "aws sso login",
    ),
    "no single sign-on yet": (
        aws_errors.SSOTokenLoadError(error_msg="x"), "no-credentials", "aws sso login",
    ),
    "wrong clock": (
        refused("InvalidSignatureException"), "aws.InvalidSignatureException", "clock",
    ),
    "no rights": (refused("AccessDenied"), "aws.AccessDenied", "ask for that policy"),
    "no profile": (aws_errors.ProfileNotFound(profile="x"), "no-credentials", "list-profiles"),
    "no Region": (aws_errors.NoRegionError(), "no-region", "--region"),
    "misspelt Region": (
        aws_errors.InvalidRegionError(region_name="us east"), "no-region", "us-east-1",
    ),
    "offline": (
        aws_errors.EndpointConnectionError(endpoint_url="https://x"), "network", "network",
    ),
    "slow network": (
        aws_errors.ConnectTimeoutError(endpoint_url="https://x"), "network", "network",
    ),
    "no answer": (aws_errors.ReadTimeoutError(endpoint_url="https://x"), "network", "network"),
    "a page instead of an answer": (ResponseParserError("no XML"), "network", "network"),
    "proxy": (
        aws_errors.ProxyConnectionError(proxy_url="x"), "network", "network",
    ),
    "proxy's certificate": (
        aws_errors.SSLError(endpoint_url="https://x", error="x"), "network", "AWS_CA_BUNDLE",
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("command", [("runs",), ("price", "pets"), ("environments",)])
def test_what_goes_wrong_before_aws_answers_is_said_with_its_fix(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slip: str, command: tuple[str, ...]
) -> None:
    error, code, fix = SLIPS[slip]

    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bedrock_tuning.client.deployment.find", fails)
    monkeypatch.setattr("bedrock_tuning.client.environments.deployed", fails)
    result = run(*command, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == code
    assert fix in result.stderr.partition("fix:")[2]
    assert "Traceback" not in result.output


def test_a_misspelt_command_option_run_and_check_name_the_nearest(
    run: Run, aws: StubbedAws
) -> None:
    assert "Did you mean validate?" in run("validat").stderr
    assert "--follow" in run("run", RUN, "--folow").stderr
    aws.deployed()
    aws.answer("dynamodb", "get_item", {}, None)
    index(aws, WAITING)
    assert f"did you mean {RUN}?" in run("run", f"{RUN}x").stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("review",), "run `cdk synth` in the folder of cdk.json"),
        (("preflight",), "cdk.json"),
        (("price", "x", "--customizations", "."), "no customizations found in ."),
        (("prepare", "pictures", "-o", "out"), "Check the path; you are in "),
        (("search", "pets", "pictures", "a dog"), "Check the path; you are in "),
    ],
)
def test_in_the_wrong_folder_the_missing_file_is_named_with_a_fix(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*command)
    assert result.exit_code == 2
    assert said in result.stderr.replace("\n", " ")


def test_the_check_of_shown_commands_finds_wrong_ones() -> None:
    shown = "next: tuning run RUN --folow\nto see all: `tuning runs -c x --limit 3`, or not\n"
    assert list(pasteable.commands_in(shown)) == [
        "tuning run RUN --folow",
        "tuning runs -c x --limit 3",
    ]
    pasteable.require_parseable("tuning runs -c x --limit 3")
    for wrong in (
        "tuning run RUN --folow",
        "tuning runn RUN",
        "tuning run A B",
        "tuning approve --yes",
    ):
        with pytest.raises(AssertionError):
            pasteable.require_parseable(wrong)
