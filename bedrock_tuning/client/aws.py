"""One person's AWS: the clients that reach a deployment, each made when it is first needed."""

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient


class Aws:
    """Credentials and Region as for the AWS CLI.

    region: overrides AWS_REGION, which overrides AWS_DEFAULT_REGION, which overrides the profile.
    A test puts its own object in click's `obj`.
    """

    def __init__(self, *, region: str | None = None) -> None:
        self._region = region

    @cached_property
    def session(self) -> "boto3.Session":
        """Credentials and Region."""
        import boto3

        # boto3 alone of all SDKs does not read AWS_REGION.
        return boto3.Session(region_name=self._region or os.environ.get("AWS_REGION") or None)

    @cached_property
    def s3(self) -> "S3Client":
        """Datasets and reports."""
        return self.session.client("s3", config=_config())

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """The runs table."""
        return self.session.client("dynamodb", config=_config())

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """Where a deployment's buckets, table and workflow are found."""
        return self.session.client("cloudformation", config=_config())

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        """Runs while they run."""
        return self.session.client("stepfunctions", config=_config())

    @cached_property
    def bedrock(self) -> "BedrockClient":
        """Jobs and endpoints."""
        return self.session.client("bedrock", config=_config())

    @cached_property
    def bedrock_runtime(self) -> "BedrockRuntimeClient":
        """Models, asked. An answer may take minutes, and asking twice would be billed twice."""
        from botocore.config import Config

        patient = Config(read_timeout=300, retries={"total_max_attempts": 2, "mode": "standard"})
        return self.session.client("bedrock-runtime", config=_config().merge(patient))

    @cached_property
    def ssm(self) -> "SSMClient":
        """A customization's parameters: its published model and endpoint."""
        return self.session.client("ssm", config=_config())

    @cached_property
    def ec2(self) -> "EC2Client":
        """Networks that exist."""
        return self.session.client("ec2", config=_config())

    # The stubs of the following are not installed, so they are untyped.

    @cached_property
    def tagging(self) -> Any:
        """What has a tag; untyped, its stubs are not installed."""
        return self.session.client("resourcegroupstaggingapi", config=_config())

    @cached_property
    def sts(self) -> Any:
        """The caller's identity."""
        return self.session.client("sts", config=_config())

    @cached_property
    def logs(self) -> Any:
        """Policies of log groups."""
        return self.session.client("logs", config=_config())

    @cached_property
    def lambda_(self) -> Any:
        """How many functions may run at once."""
        return self.session.client("lambda", config=_config())

    @cached_property
    def service_quotas(self) -> Any:
        """Quotas as they apply to this account."""
        return self.session.client("service-quotas", config=_config())

    @cached_property
    def sns(self) -> Any:
        """Who is told of runs."""
        return self.session.client("sns", config=_config())

    @cached_property
    def sqs(self) -> Any:
        """Events that could not be delivered."""
        return self.session.client("sqs", config=_config())

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


def _config() -> Any:
    from botocore.config import Config

    return Config(retries={"mode": "standard", "total_max_attempts": 5}, max_pool_connections=32)
