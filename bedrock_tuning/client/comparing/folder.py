"""Where the comparisons of one run's model are kept: in the output bucket, below its name.

What its model answered stays there when it is not served any more, so that a later one can be
compared with it, and so that nothing is asked or billed twice.
"""

from dataclasses import dataclass

from bedrock_tuning import s3_layout
from bedrock_tuning.client.deployment import Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The comparisons of one run's model."""

    deployment: Deployment
    customization: str
    run: str

    def uri(self, name: str) -> str:
        """Of one file."""
        return s3_layout.uri(self.deployment.buckets.output, self._key(name))

    def read(self, name: str) -> bytes | None:
        """A file, or None if it was never written."""
        from botocore.exceptions import ClientError

        s3 = self.deployment.aws.s3
        try:
            found = s3.get_object(Bucket=self.deployment.buckets.output, Key=self._key(name))
        except ClientError as error:
            # S3 says that a key is missing only to those who may list.
            if error.response["Error"]["Code"] not in ("NoSuchKey", "AccessDenied"):
                raise
            return None
        return found["Body"].read()

    def write(self, name: str, body: bytes, content_type: str) -> None:
        """Keeps a file in place of what was there."""
        self.deployment.aws.s3.put_object(
            Bucket=self.deployment.buckets.output,
            Key=self._key(name),
            Body=body,
            ContentType=content_type,
        )

    def _key(self, name: str) -> str:
        return f"{s3_layout.comparisons_prefix(self.customization, self.run)}{name}"
