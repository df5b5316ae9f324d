"""The only AWS clients of the functions, made at first use and kept while the function is warm."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import boto3
import botocore
import msgspec
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

from bedrock_tuning.run.messages import ATTRIBUTES, Message
from bedrock_tuning.run.price_list import API_REGION
from bedrock_tuning.wording import word_list

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

_Answer = TypeVar("_Answer")
Client = TypeVar("Client", bound=BaseClient)

# Once for each cold start: of our layer, so never another than the one that was tested.
logging.getLogger(__name__).info(
    "AWS SDK", extra={"boto3": boto3.__version__, "botocore": botocore.__version__}
)

# botocore's standard mode retries throttling and lost connections with backoff and jitter.
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5})
# What botocore itself repeats, and what single services call their own passing trouble.
PASSING_CODES: Final = frozenset(
    word_list(
        "BandwidthLimitExceeded EC2ThrottledException LimitExceededException",
        "PriorRequestNotComplete ProvisionedThroughputExceededException",
        "RequestLimitExceeded RequestThrottled RequestThrottledException RequestTimeout",
        "RequestTimeoutException SlowDown ThrottledException Throttling ThrottlingException",
        "TooManyRequestsException TransactionInProgressException ModelErrorException",
        "ModelNotReadyException ModelTimeoutException TooManyUpdates",
    )
)


class PassingError(ClientError):
    """A refusal that a later repetition cures, whatever the service calls it.

    The workflow retries functions by the name of their error, and botocore has a class of its own
    only for some codes: S3's SlowDown would arrive as ClientError, like a denied permission.
    """


def passes(status: int, code: str) -> bool:
    """Whether a later repetition cures a refusal, by its HTTP status and its code."""
    return status >= 500 or code in PASSING_CODES


def told_apart(client: Client) -> Client:
    """The client, whose passing refusals are raised as PassingError."""

    def raise_if_passing(http_response: Any, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        code = str(parsed.get("Error", {}).get("Code", ""))
        if passes(http_response.status_code, code):
            raise PassingError(parsed, model.name)  # type: ignore[arg-type]

    client.meta.events.register("after-call", raise_if_passing)
    return client


def _client(service: Any) -> Any:
    """A function that gives a service's client, made at its first call; the name is a text."""
    return cache(lambda: told_apart(boto3.client(service, config=_CONFIG)))


# Small objects and listings; datasets are read by bedrock_tuning.sources.s3.
s3: "Callable[[], S3Client]" = _client("s3")
# The runs table.
dynamodb: "Callable[[], DynamoDBClient]" = _client("dynamodb")
# The pointers to the model and the endpoint of each customization.
ssm: "Callable[[], SSMClient]" = _client("ssm")
# Models, jobs, Provisioned Throughput.
bedrock: "Callable[[], BedrockClient]" = _client("bedrock")
# Inference, for the smoke test.
bedrock_runtime: "Callable[[], BedrockRuntimeClient]" = _client("bedrock-runtime")
# How often endpoints are called.
cloudwatch: "Callable[[], CloudWatchClient]" = _client("cloudwatch")
# Messages that the workflow does not send itself.
sns: "Callable[[], SNSClient]" = _client("sns")
# Starts the workflow when a deployment changes what is to be served.
stepfunctions: "Callable[[], SFNClient]" = _client("stepfunctions")
# Closes the default security group of the app's network.
ec2: "Callable[[], EC2Client]" = _client("ec2")
# The stubs of the following are not installed, so they are untyped: the bus on which each message
# is an event, too, and what the account has room for.
events = _client("events")
service_quotas = _client("service-quotas")


@cache
def pricing() -> Any:
    """Prices of today; one who does not answer soon is not waited for: older prices are known."""
    impatient = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    return boto3.client("pricing", region_name=API_REGION, config=_CONFIG.merge(impatient))


def tell(topic_arn: str, message: Message) -> None:
    """Sends a message, with the attributes by which subscriptions choose."""
    sns().publish(
        TopicArn=topic_arn,
        Subject=message.subject.encode("ascii", "replace").decode()[:100],
        Message=msgspec.json.encode(message).decode(),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": getattr(message, name)}
            for name in ATTRIBUTES
        },
    )


def start_serving(workflow_arn: str, *, execution: str, serving: Mapping[str, Any]) -> None:
    """Starts the workflow from its serving part on, for who does not train or wait for its end.

    Once for the execution's name, however often it is called.
    """
    none_if(
        "ExecutionAlreadyExists",
        lambda: stepfunctions().start_execution(
            stateMachineArn=workflow_arn, name=execution, input=json.dumps({"serving": serving})
        ),
    )


def region() -> str:
    """The function's own region."""
    return os.environ["AWS_REGION"]


def none_if(code: str, call: Callable[[], _Answer]) -> _Answer | None:
    """The answer to a call, or None if AWS refuses it with this code; other errors are raised."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise
        return None


def read(bucket: str, key: str) -> bytes:
    """A whole object."""
    return s3().get_object(Bucket=bucket, Key=key)["Body"].read()


def find(bucket: str, key: str) -> bytes | None:
    """A whole object; None if there is none."""
    return none_if("NoSuchKey", lambda: read(bucket, key))


def write(bucket: str, key: str, body: bytes, content_type: str = "application/json") -> None:
    """Writes an object in place of what was there."""
    s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)


def parameter(name: str) -> str | None:
    """The value of an SSM parameter; None if there is none."""
    answer = none_if("ParameterNotFound", lambda: ssm().get_parameter(Name=name))
    return None if answer is None else answer["Parameter"]["Value"]


def credentials() -> dict[str, str | None]:
    """The function's current credentials, for clients that are not boto3."""
    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise RuntimeError("the function has no AWS credentials")
    snapshot = credentials.get_frozen_credentials()
    return {
        "access_key_id": snapshot.access_key,
        "secret_access_key": snapshot.secret_key,
        "token": snapshot.token,
    }
