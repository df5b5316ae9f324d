"""The functions' AWS clients: made in the function's region, patient, and kept."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.retries import standard

from bedrock_tuning.constructs.layer import asked_services
from bedrock_tuning.contracts.states.asl import RETRY
from lambdas import _aws
from tests.lambdas.aws import Aws
from tests.lambdas.fakes import Refused

# Taken before the fixtures put fakes in their places.
CLIENTS: dict[str, Any] = {
    "s3": _aws.s3,
    "dynamodb": _aws.dynamodb,
    "ssm": _aws.ssm,
    "bedrock": _aws.bedrock,
    "bedrock-runtime": _aws.bedrock_runtime,
    "cloudwatch": _aws.cloudwatch,
    "sns": _aws.sns,
    "events": _aws.events,
    "stepfunctions": _aws.stepfunctions,
    "ec2": _aws.ec2,
    "service-quotas": _aws.service_quotas,
}
PRICING = _aws.pricing


@pytest.mark.parametrize("service", CLIENTS)
def test_a_client_is_made_for_the_functions_region_and_retries_what_passes(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    client = CLIENTS[service].__wrapped__()

    assert client.meta.region_name == "eu-west-1"
    assert client.meta.config.retries == {"mode": "standard", "total_max_attempts": 5}
    assert client.meta.service_model.service_name == service


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_a_client_is_kept_while_the_function_is_warm(make: Any) -> None:
    assert make.cache_parameters()["maxsize"] is None


def test_the_layer_has_the_service_of_every_client() -> None:
    """It is told by the text of the modules; what it misses, no function could ask."""
    assert asked_services() == sorted([*CLIENTS, "pricing"])


@pytest.mark.parametrize(
    ("code", "status", "passes"),
    [
        ("SlowDown", 503, True),
        ("InternalError", 500, True),
        ("RequestLimitExceeded", 400, True),
        ("ProvisionedThroughputExceededException", 400, True),
        ("ThrottlingException", 429, True),
        ("TooManyUpdates", 400, True),
        ("", 502, True),
        ("AccessDenied", 403, False),
        ("ConditionalCheckFailedException", 400, False),
        ("NoSuchKey", 404, False),
    ],
)
def test_a_refusal_that_passes_has_the_name_that_the_workflow_retries(
    code: str, status: int, passes: bool, aws: Aws
) -> None:
    """botocore calls most of them ClientError, which is what a denied permission is, too."""
    aws.s3.orders["ListObjectsV2"] = [Refused(code, "no", status)]

    with pytest.raises(ClientError) as raised:
        _aws.s3().list_objects_v2(Bucket="a-training", Prefix="")

    retried = [error for each in RETRY for error in each["ErrorEquals"]]
    assert (type(raised.value).__name__ in retried) is passes
    assert raised.value.response["Error"]["Code"] == code


def test_every_refusal_that_boto3_repeats_passes() -> None:
    repeated = {
        *standard.TransientRetryableChecker._TRANSIENT_ERROR_CODES,
        *standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
    }

    assert repeated <= _aws.PASSING_CODES


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


def test_prices_are_asked_for_where_aws_answers_and_not_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    client = PRICING.__wrapped__()

    assert client.meta.region_name == "us-east-1"
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 10)
    assert config.retries["total_max_attempts"] == 2
