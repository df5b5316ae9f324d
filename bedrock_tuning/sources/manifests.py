"""A manifest on this machine or in S3, as a stream of chunks."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from bedrock_tuning.errors import UserError
from bedrock_tuning.files import open_plain, require_plain
from bedrock_tuning.s3_layout import KINDS, MANIFEST_FILE, Kind, split_uri
from bedrock_tuning.sources.s3 import Credentials

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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

    def piece(self, start: int, length: int) -> bytes:
        """So many bytes from a start, fewer at the end."""
        ...


def manifests_in(folder: Path) -> dict[Kind, Path]:
    """What lies below a folder: training/ and validation/, or one manifest for training.

    Raises UserError if there is none.
    """
    paths: dict[Kind, Path] = {kind: folder / kind / MANIFEST_FILE for kind in KINDS}
    manifests = {kind: path for kind, path in paths.items() if path.is_file()}
    if manifests:
        return manifests
    manifest = folder / MANIFEST_FILE
    if manifest.is_file():
        return {"training": manifest}
    names = sorted(path.name for path in folder.glob("*.jsonl"))
    raise UserError(
        f"no {MANIFEST_FILE} found",
        where=f"{folder}, {folder / 'training'}",
        fix="`tuning prepare` makes a dataset from a folder of images; if the manifest has another "
        "name, pass the manifest itself" + (f": {', '.join(names[:3])}" if names else ""),
    )


class LocalManifest:
    """A file on this machine; raises UserError if it is not one."""

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise UserError("this is a folder", where=str(path), fix="name the manifest inside it")
        require_plain(path)
        if not path.exists():
            raise UserError("no such file", where=str(path), fix="pass a path or s3://bucket/key")
        self.path = path
        self.name = str(path)
        self.size = path.stat().st_size

    def chunks(self) -> Iterator[bytes]:
        """All bytes, a MiB at a time."""
        with open_plain(self.path) as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def piece(self, start: int, length: int) -> bytes:
        """So many bytes from a start, fewer at the end."""
        with open_plain(self.path) as file:
            file.seek(start)
            return file.read(length)


class S3Manifest:
    """An object in S3; raises UserError if it does not exist.

    client: finds it; credentials: for the faster client that reads it. region: of its bucket, which
    may differ from the client's; "" where S3 does not tell.
    """

    def __init__(self, uri: str, *, client: "S3Client", credentials: Credentials) -> None:
        from botocore.exceptions import ClientError

        try:
            self.bucket, self.key = split_uri(uri)
        except ValueError as error:
            raise UserError(str(error)) from None
        if not self.key or self.key.endswith("/"):
            raise UserError("this is a folder", where=uri, fix="name the manifest inside it")
        self._client, self._credentials = client, credentials
        self.name = uri
        try:
            head = client.head_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound"):
                raise
            raise UserError(
                "no such object", where=uri, fix=f"check with: aws s3 ls {uri}"
            ) from None
        self.size = head["ContentLength"]
        self.region = bucket_region(client, self.bucket)
        self._read_region = self.region or client.meta.region_name

    def chunks(self) -> Iterator[bytes]:
        """All bytes, by the client that the deployed functions use."""
        from bedrock_tuning.sources import s3

        client = s3.store(self.bucket, region=self._read_region, credentials=self._credentials)
        yield from s3.manifest_chunks(client, self.key, version=None)

    def piece(self, start: int, length: int) -> bytes:
        """So many bytes from a start, fewer at the end."""
        byte_range = f"bytes={start}-{start + length - 1}"
        response = self._client.get_object(Bucket=self.bucket, Key=self.key, Range=byte_range)
        return response["Body"].read()


def bucket_region(client: "S3Client", bucket: str) -> str:
    """The Region of a bucket; "" where S3 does not tell.

    Needs no permission: S3 names the Region in a refusal, too.
    """
    from botocore.exceptions import ClientError

    try:
        meta: Any = client.head_bucket(Bucket=bucket)["ResponseMetadata"]
    except ClientError as error:
        meta = error.response["ResponseMetadata"]
    return str(meta.get("HTTPHeaders", {}).get("x-amz-bucket-region", ""))
