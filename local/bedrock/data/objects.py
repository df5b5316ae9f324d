"""S3 as a job's service role sees it: every access goes through the role's policies."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.emulator import keys, roles


class AccessError(Exception):
    """The role may not, or there is nothing; the message says which."""


@dataclass(frozen=True, slots=True)
class RoleObjects:
    """Reads and writes objects with a role's temporary credentials."""

    session: roles.Session
    region: str

    def read(self, bucket: str, key: str) -> bytes:
        """An object's bytes; raises AccessError."""
        with _access_errors():
            body: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def write(self, bucket: str, key: str, body: bytes) -> None:
        """Raises AccessError."""
        with _access_errors():
            self._client.put_object(Bucket=bucket, Key=key, Body=body)

    def list(self, bucket: str, prefix: str) -> None:
        """List one key under a prefix; raises AccessError when the role may not."""
        with _access_errors():
            self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)

    def head(self, bucket: str, key: str, size: int) -> bytes:
        """The first `size` bytes of an object; raises AccessError.

        Asks the policy engine directly: thousands of images go over no socket.
        """
        from ministack.core.iam_actions import s3_service_context
        from ministack.services import s3

        context = s3_service_context("s3:GetObject", {}, f"/{bucket}/{key}", {})
        try:
            roles.authorize(
                self.session,
                action="s3:GetObject",
                resource=f"arn:aws:s3:::{bucket}/{key}",
                region=self.region,
                context=context,
            )
        except roles.RoleError as error:
            raise AccessError(str(error)) from error
        key_arn = keys.of_object(bucket, key)
        if key_arn is not None:
            reason = keys.refusal(
                access_key=self.session.access_key,
                action="kms:Decrypt",
                key=key_arn,
                region=self.region,
                service="s3",
                context=keys.bucket_context(bucket),
            )
            if reason is not None:
                raise AccessError(reason)
        status, _, body = s3._get_object(bucket, key, {"range": f"bytes=0-{size - 1}"}, {})
        if status == 416:
            return b""
        if status not in (200, 206):
            raise AccessError("The specified key does not exist.")
        return bytes(body)

    @property
    def _client(self) -> Any:
        return roles.client(self.session, "s3", self.region)


@contextlib.contextmanager
def _access_errors() -> Iterator[None]:
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        details = error.response["Error"]
        raise AccessError(details.get("Message") or details.get("Code", "")) from error
