"""AWS clients for the commands that operate a deployment, made when a command first needs one."""

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient


class Aws:
    """One person's AWS: credentials and Region as for the AWS CLI.

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
    def ssm(self) -> "SSMClient":
        """What a customization's pointers say."""
        return self.session.client("ssm", config=_config())

    @cached_property
    def ec2(self) -> "EC2Client":
        """Networks that exist."""
        return self.session.client("ec2", config=_config())

    @cached_property
    def sts(self) -> Any:
        """Who is calling; untyped, its stubs are not installed."""
        return self.session.client("sts", config=_config())

    @property
    def region(self) -> str:
        """The Region; raises NoRegionError when none is known."""
        if self.session.region_name is None:
            from botocore.exceptions import NoRegionError

            raise NoRegionError
        return self.session.region_name

    def bucket_region(self, bucket: str) -> str:
        """The Region of a bucket; "" where S3 does not tell.

        Nobody needs a permission for it: S3 names the Region in a refusal, too.
        """
        from botocore.exceptions import ClientError

        try:
            meta: Any = self.s3.head_bucket(Bucket=bucket)["ResponseMetadata"]
        except ClientError as error:
            meta = error.response["ResponseMetadata"]
        return str(meta.get("HTTPHeaders", {}).get("x-amz-bucket-region", ""))

    def credentials(self) -> dict[str, str | None]:
        """For clients that are not boto3; raises NoCredentialsError when there are none."""
        found = self.session.get_credentials()
        if found is None:
            from botocore.exceptions import NoCredentialsError

            raise NoCredentialsError
        frozen = found.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
        }


def _config() -> Any:
    from botocore.config import Config

    return Config(retries={"mode": "standard", "total_max_attempts": 5}, max_pool_connections=32)
