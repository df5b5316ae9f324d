"""One person's AWS: the clients that reach a deployment, each made when it is first needed."""

import os
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from bedrock_tuning.client import preferences

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient


# Whoever has set one of these has chosen credentials for this shell.
_CREDENTIALS: Final = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID")


def _client(service: str) -> Any:
    """A service's client, made when it is first needed."""
    return cached_property(lambda self: self.session.client(service, config=self._config()))


class Aws:
    """Credentials and Region as for the AWS CLI.

    profile, region: override TUNING_PROFILE and TUNING_REGION, which override the variables of the
    AWS CLI, which override config.toml (bedrock_tuning.client.preferences), which overrides the
    profile's own Region. A test puts its own object in click's `obj`.
    """

    def __init__(
        self, *, region: str | None = None, profile: str | None = None, quick: bool = False
    ) -> None:
        """quick: what takes longer than a person waits for a completion is an error."""
        self._region = region
        self._profile = profile
        self.hurries = quick

    def hurried(self) -> "Aws":
        """The same for a question that has another answer here: one attempt, and a short wait."""
        client = copy(self)
        client.hurries = True
        return client

    @cached_property
    def session(self) -> "boto3.Session":
        """Credentials and Region."""
        import boto3

        preferred = preferences.read()
        profile = self._profile or os.environ.get("TUNING_PROFILE")
        if not profile and not any(map(os.environ.get, _CREDENTIALS)):
            profile = preferred.profile
        # boto3 alone of all SDKs does not read AWS_REGION.
        variables = map(os.environ.get, ("TUNING_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"))
        region = next(filter(None, (self._region, *variables, preferred.region)), None)
        return boto3.Session(profile_name=profile or None, region_name=region)

    s3: "S3Client" = _client("s3")
    dynamodb: "DynamoDBClient" = _client("dynamodb")
    cloudformation: "CloudFormationClient" = _client("cloudformation")
    stepfunctions: "SFNClient" = _client("stepfunctions")
    bedrock: "BedrockClient" = _client("bedrock")
    ssm: "SSMClient" = _client("ssm")
    ec2: "EC2Client" = _client("ec2")
    # The stubs of the following are not installed, so they are untyped.
    tagging: Any = _client("resourcegroupstaggingapi")
    sts: Any = _client("sts")
    logs: Any = _client("logs")
    lambda_: Any = _client("lambda")
    service_quotas: Any = _client("service-quotas")
    iam: Any = _client("iam")
    access_analyzer: Any = _client("accessanalyzer")
    events: Any = _client("events")
    kms: Any = _client("kms")
    sns: Any = _client("sns")
    sqs: Any = _client("sqs")
    # What was billed; each request to it is billed, too.
    cost_explorer: Any = _client("ce")

    @cached_property
    def bedrock_runtime(self) -> "BedrockRuntimeClient":
        """Models, asked. An answer may take minutes, and asking twice would be billed twice."""
        from botocore.config import Config

        patient = Config(read_timeout=300, retries={"total_max_attempts": 2, "mode": "standard"})
        return self.session.client("bedrock-runtime", config=self._config().merge(patient))

    @cached_property
    def pricing(self) -> Any:
        """The price list, which is in one Region for all."""
        from bedrock_tuning.run.price_list import API_REGION

        return self.session.client("pricing", region_name=API_REGION, config=self._config())

    def signed_post(self, url: str, body: str, *, service: str) -> tuple[int, str]:
        """Sends JSON to an address of ours with the caller's signature; status and body.

        Raises NoCredentialsError without credentials, and botocore's errors of connections.
        """
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.httpsession import URLLib3Session

        headers = {"content-type": "application/json"}
        request = AWSRequest(method="POST", url=url, data=body.encode(), headers=headers)
        SigV4Auth(self._frozen_credentials(), service, self.region).add_auth(request)
        answer = URLLib3Session().send(request.prepare())
        return answer.status_code, answer.text

    @property
    def region(self) -> str:
        """The Region; raises NoRegionError when none is known."""
        if self.session.region_name is None:
            from botocore.exceptions import NoRegionError

            raise NoRegionError
        return self.session.region_name

    def credentials(self) -> dict[str, str | None]:
        """For clients that are not boto3; raises NoCredentialsError when there are none."""
        snapshot = self._frozen_credentials()
        return {
            "access_key_id": snapshot.access_key,
            "secret_access_key": snapshot.secret_key,
            "token": snapshot.token,
        }

    def _frozen_credentials(self) -> Any:
        credentials = self.session.get_credentials()
        if credentials is None:
            from botocore.exceptions import NoCredentialsError

            raise NoCredentialsError
        return credentials.get_frozen_credentials()

    def _config(self) -> "Config":
        from botocore.config import Config

        if self.hurries:
            return Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
        return Config(
            retries={"mode": "standard", "total_max_attempts": 5}, max_pool_connections=32
        )
