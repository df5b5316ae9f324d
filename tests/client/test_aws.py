"""The Region, as other SDKs choose it."""

from pathlib import Path

import pytest

from bedrock_tuning.client.aws import Aws


@pytest.mark.parametrize(
    ("given", "variable", "default", "region"),
    [
        (None, "eu-west-1", None, "eu-west-1"),
        (None, "eu-west-1", "us-west-2", "eu-west-1"),
        (None, None, "us-west-2", "us-west-2"),
        (None, "", "us-west-2", "us-west-2"),
        ("eu-north-1", "eu-west-1", "us-west-2", "eu-north-1"),
    ],
)
def test_an_option_precedes_aws_region_which_precedes_aws_default_region(
    monkeypatch: pytest.MonkeyPatch,
    given: str | None,
    variable: str | None,
    default: str | None,
    region: str,
    tmp_path: Path,
) -> None:
    for name in ("AWS_PROFILE", "TUNING_PROFILE", "TUNING_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name, value in (("AWS_REGION", variable), ("AWS_DEFAULT_REGION", default)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert Aws(region=given).region == region


def test_a_hurried_client_tries_once_and_the_others_stay_patient() -> None:
    aws = Aws(region="us-east-1")
    hurried, patient = aws.hurried().ssm.meta.config, aws.ssm.meta.config

    assert (hurried.connect_timeout, hurried.read_timeout) == (1, 2)
    assert hurried.retries["total_max_attempts"] == 1
    assert patient.retries["total_max_attempts"] == 5
