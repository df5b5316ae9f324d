"""The functions' AWS clients: made in the function's region, patient, and kept."""

from typing import Any

import boto3
import pytest

from lambdas import _aws

# Taken before the fixtures put fakes in their places.
CLIENTS = [
    _aws.s3,
    _aws.dynamodb,
    _aws.ssm,
    _aws.bedrock,
    _aws.bedrock_runtime,
    _aws.sns,
    _aws.stepfunctions,
    _aws.ec2,
]


@pytest.mark.parametrize("make", CLIENTS, ids=lambda make: make.__name__)
def test_a_client_is_made_for_the_functions_region_and_retries_what_passes(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    client = make.__wrapped__()

    assert client.meta.region_name == "eu-west-1"
    assert client.meta.config.retries == {"mode": "standard", "total_max_attempts": 5}
    assert make.__name__.replace("_", "-") == client.meta.service_model.service_name


@pytest.mark.parametrize("make", CLIENTS, ids=lambda make: make.__name__)
def test_a_client_is_kept_while_the_function_is_warm(make: Any) -> None:
    assert make.cache_parameters()["maxsize"] is None


def test_credentials_for_other_clients_are_the_functions_own_as_they_are_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lambda renews them; obstore asks again before they run out."""
    for key in ("first", "second"):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"{key} secret")
        monkeypatch.setenv("AWS_SESSION_TOKEN", f"{key} token")

        assert _aws.credentials() == {
            "access_key_id": key,
            "secret_access_key": f"{key} secret",
            "token": f"{key} token",
        }


def test_a_function_without_credentials_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nobody:
        def get_credentials(self) -> None:
            """None to be found."""

    monkeypatch.setattr(boto3, "Session", Nobody)

    with pytest.raises(RuntimeError, match="no AWS credentials"):
        _aws.credentials()
