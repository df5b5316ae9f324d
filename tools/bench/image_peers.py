"""Other ways to look at images in S3: boto3 in threads, with ranges or with whole files."""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from bedrock_tuning.dataset.images.source import (
    ByteRange,
    Fetched,
    FetchResult,
    ImageSource,
    Missing,
)
from tools.bench.texts import BUCKET

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

THREADS: Final = 32


def boto_client() -> "S3Client":
    """boto3 with as many connections as threads."""
    import boto3
    from botocore.config import Config

    return boto3.client("s3", config=Config(max_pool_connections=THREADS))


class BotoImages:
    """The same ranges by boto3: only the client differs from ours."""

    def __init__(self) -> None:
        self._client = boto_client()
        self._pool = ThreadPoolExecutor(THREADS)

    def fetch(self, ranges: Sequence[ByteRange]) -> list[FetchResult]:
        """One answer per range."""
        return list(self._pool.map(self._one, ranges))

    def _one(self, wanted: ByteRange) -> FetchResult:
        last = wanted.start + wanted.length - 1
        try:
            got = self._client.get_object(
                Bucket=BUCKET, Key=wanted.key, Range=f"bytes={wanted.start}-{last}"
            )
        except ClientError:
            return Missing(wanted.key)
        size = int(got["ContentRange"].rpartition("/")[2])
        return Fetched(data=got["Body"].read(), size=size, etag=got["ETag"].strip('"'))


def pillow_whole(keys: Sequence[str]) -> int:
    """Fetches whole files and lets Pillow tell format and size, without decoding; counts them."""
    from PIL import Image

    client = boto_client()

    def look(key: str) -> bool:
        body = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        with Image.open(io.BytesIO(body)) as image:
            return image.format in ("PNG", "JPEG", "MPO") and image.width > 0

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(look, keys))


class Recorded:
    """A source that remembers what was asked of it."""

    def __init__(self, source: ImageSource) -> None:
        self._source = source
        self.asked: list[ByteRange] = []
        self.received = 0

    def fetch(self, ranges: Sequence[ByteRange]) -> Sequence[FetchResult]:
        """What the other source answers."""
        self.asked += ranges
        answers = self._source.fetch(ranges)
        self.received += sum(len(each.data) for each in answers if isinstance(each, Fetched))
        return answers
