"""One person's AWS: the clients that reach a deployment, each made when it is first needed."""

import os
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
        self._quick = quick

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

    @cached_property
    def s3(self) -> "S3Client":
        """Datasets and reports."""
        return self.session.client("s3", config=self._config())

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """The runs table."""
        return self.session.client("dynamodb", config=self._config())

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """Where a deployment's buckets, table and workflow are found."""
        return self.session.client("cloudformation", config=self._config())

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        """Runs while they run."""
        return self.session.client("stepfunctions", config=self._config())

    @cached_property
    def bedrock(self) -> "BedrockClient":
        """Jobs and endpoints."""
        return self.session.client("bedrock", config=self._config())

    @cached_property
    def bedrock_runtime(self) -> "BedrockRuntimeClient":
        """Models, asked. An answer may take minutes, and asking twice would be billed twice."""
        from botocore.config import Config

        patient = Config(read_timeout=300, retries={"total_max_attempts": 2, "mode": "standard"})
        return self.session.client("bedrock-runtime", config=self._config().merge(patient))

    @cached_property
    def ssm(self) -> "SSMClient":
        """A customization's parameters: its published model and endpoint."""
        return self.session.client("ssm", config=self._config())

    @cached_property
    def ec2(self) -> "EC2Client":
        """Networks that exist."""
        return self.session.client("ec2", config=self._config())

    # The stubs of the following are not installed, so they are untyped.

    @cached_property
    def tagging(self) -> Any:
        """What has a tag; untyped, its stubs are not installed."""
        return self.session.client("resourcegroupstaggingapi", config=self._config())

    @cached_property
    def sts(self) -> Any:
        """The caller's identity."""
        return self.session.client("sts", config=self._config())

    @cached_property
    def logs(self) -> Any:
        """Policies of log groups."""
        return self.session.client("logs", config=self._config())

    @cached_property
    def lambda_(self) -> Any:
        """How many functions may run at once."""
        return self.session.client("lambda", config=self._config())

    @cached_property
    def service_quotas(self) -> Any:
        """Quotas as they apply to this account."""
        return self.session.client("service-quotas", config=self._config())

    @cached_property
    def pricing(self) -> Any:
        """The price list, which is in one Region for all."""
        from bedrock_tuning.run.price_list import API_REGION

        return self.session.client("pricing", region_name=API_REGION, config=self._config())

    @cached_property
    def iam(self) -> Any:
        """Roles, and what they may do."""
        return self.session.client("iam", config=self._config())

    @cached_property
    def access_analyzer(self) -> Any:
        """What AWS finds in policies."""
        return self.session.client("accessanalyzer", config=self._config())

    @cached_property
    def events(self) -> Any:
        """The rule that starts runs."""
        return self.session.client("events", config=self._config())

    @cached_property
    def kms(self) -> Any:
        """Keys and their policies."""
        return self.session.client("kms", config=self._config())

    @cached_property
    def sns(self) -> Any:
        """Who is told of runs."""
        return self.session.client("sns", config=self._config())

    @cached_property
    def cost_explorer(self) -> Any:
        """What was billed; each request to it is billed, too."""
        return self.session.client("ce", config=self._config())

    @cached_property
    def sqs(self) -> Any:
        """Events that could not be delivered."""
        return self.session.client("sqs", config=self._config())

    def signed_post(self, url: str, body: str, *, service: str) -> tuple[int, str]:
        """Sends JSON to an address of ours with the caller's signature; status and body.

        Raises NoCredentialsError without credentials, and botocore's errors of connections.
        """
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import NoCredentialsError
        from botocore.httpsession import URLLib3Session

        credentials = self.session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        headers = {"content-type": "application/json"}
        request = AWSRequest(method="POST", url=url, data=body.encode(), headers=headers)
        SigV4Auth(credentials.get_frozen_credentials(), service, self.region).add_auth(request)
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
        credentials = self.session.get_credentials()
        if credentials is None:
            from botocore.exceptions import NoCredentialsError

            raise NoCredentialsError
        frozen = credentials.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
        }

    def _config(self) -> "Config":
        from botocore.config import Config

        if self._quick:
            return Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
        return Config(
            retries={"mode": "standard", "total_max_attempts": 5}, max_pool_connections=32
        )
