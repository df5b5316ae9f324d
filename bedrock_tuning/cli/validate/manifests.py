"""A manifest on this machine or in S3, as a stream of chunks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from bedrock_tuning.cli.terminal.aws import Aws
from bedrock_tuning.cli.terminal.errors import CannotRun
from bedrock_tuning.s3_layout import split_uri

_CHUNK: Final = 1 << 20


class Manifest(Protocol):
    """Where records come from. name: as the user wrote it. size: in bytes."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...

    def chunks(self) -> Iterator[bytes]:
        """All bytes from the beginning, at every call."""
        ...


class LocalManifest:
    """A file on this machine; raises CannotRun if it is none."""

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise CannotRun("this is a folder", where=str(path), fix="name the manifest inside it")
        if not path.exists():
            raise CannotRun(
                "there is no such file", where=str(path), fix="give a path or s3://bucket/key"
            )
        self.path = path
        self.name = str(path)
        self.size = path.stat().st_size

    def chunks(self) -> Iterator[bytes]:
        """All bytes, a MiB at a time."""
        with self.path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


class S3Manifest:
    """An object in S3; raises CannotRun if it is not there.

    region: of its bucket, which may be another than the session's; "" where S3 does not tell.
    """

    def __init__(self, aws: Aws, uri: str) -> None:
        from botocore.exceptions import ClientError

        try:
            self.bucket, self.key = split_uri(uri)
        except ValueError as error:
            raise CannotRun(str(error)) from None
        if not self.key or self.key.endswith("/"):
            raise CannotRun("this is a folder", where=uri, fix="name the manifest inside it")
        self._aws = aws
        self.name = uri
        try:
            head = aws.s3.head_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound"):
                raise
            raise CannotRun(
                "there is no such object", where=uri, fix=f"look: aws s3 ls {uri}"
            ) from None
        self.size = head["ContentLength"]
        self.region = aws.bucket_region(self.bucket)

    def chunks(self) -> Iterator[bytes]:
        """All bytes, by the client that the deployed functions use."""
        from bedrock_tuning.sources import s3

        region = self.region or self._aws.region
        client = s3.store(self.bucket, region=region, credentials=self._aws.credentials)
        yield from s3.manifest_chunks(client, self.key, version=None)


def open_manifest(aws: Aws, name: str) -> Manifest:
    """The manifest that an argument names."""
    return S3Manifest(aws, name) if name.startswith("s3://") else LocalManifest(Path(name))
