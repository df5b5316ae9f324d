"""A dataset in S3: manifest chunks and ranged reads of images, by the Rust client obstore.

Measured (tools/bench/RESULTS.md): obstore from threads makes 10,000 and more ranged GETs per second
on one core, boto3 with 32 threads 646.
"""

import html
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import obstore
from botocore.exceptions import ClientError
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import S3Store

from bedrock_tuning.access_denied import denial
from bedrock_tuning.dataset.images.source import ByteRange, Denied, Fetched, FetchResult, Missing
from bedrock_tuning.errors import DeniedError, SourceError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from obstore import GetOptions

_CHUNK: Final = 4 << 20
# S3 answers a small range in 20 to 40 ms, so this is what bounds the rate: measured with a server
# that waits as long, 32 threads make 1,000 GETs per second, 128 make 2,900, at the same CPU time.
_THREADS: Final = 128
# Where answers come at once, more threads than these only take each other's processor: a tenth of
# the CPU time of a GET. So there are more of them only where a GET takes longer than this.
_THREADS_AT_FIRST: Final = 32
_SLOW_GET_SECONDS: Final = 0.012
# Ask for new credentials well before a function's run out; the runtime renews them in time.
_CREDENTIAL_LIFE: Final = timedelta(minutes=10)

# obstore raises Python's FileNotFoundError for what is not there, its own classes for nearly
# everything else.
_FAILED: Final = (BaseError, OSError)
# What S3 answered, in obstore's text; keys and addresses stand in it too, but URL-encoded.
_STATUS: Final = re.compile(r"non-2xx status code: ([0-9]{3})\b")
_ERROR_CODE: Final = re.compile(r"<Code>([^<]*)</Code>")
_ERROR_MESSAGE: Final = re.compile(r"<Message>([^<]*)</Message>")
# Errors of one object, not of the whole dataset: its key is closed, or only its owner has one.
_ONE_OBJECTS: Final = re.compile(r"KMS\..*|InvalidRequest|InvalidObjectState")
# obstore drops a slash at either end of a key and refuses these in the middle.
_UNSPEAKABLE: Final = re.compile(r"^/|/$|//|[\x00-\x1f\x7f]|(^|/)\.\.?(/|$)")

Credentials = Callable[[], dict[str, str | None]]


def store(bucket: str, *, region: str, credentials: Credentials) -> S3Store:
    """A client of one bucket.

    credentials: returns access_key_id, secret_access_key and token (or None) whenever asked.
    AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, when set, name another endpoint, as for the AWS SDKs.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options: dict[str, Any] = {}
    if endpoint:
        options["endpoint"] = endpoint
        if endpoint.startswith("http://"):
            options["client_options"] = {"allow_http": True}

    def provide() -> Any:
        expires = datetime.now(UTC) + _CREDENTIAL_LIFE
        return {**credentials(), "expires_at": expires}

    return S3Store(bucket, region=region, credential_provider=provide, **options)


class S3Images:
    """ImageSource over one bucket.

    boto: answers what obstore cannot: whether a refused key is there, and the bytes of keys that
        obstore cannot spell. S3 says 403, not 404, for a missing key when the right to list is
        limited to a prefix, as ours is; so a refused key is looked up by listing.
    """

    def __init__(
        self, bucket: str, *, client: S3Store, boto: "S3Client", threads: int = _THREADS
    ) -> None:
        self._bucket, self._client, self._boto = bucket, client, boto
        self._threads_max = threads
        self._threads = min(threads, _THREADS_AT_FIRST)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="images")

    def fetch(self, ranges: Sequence[ByteRange]) -> list[FetchResult]:
        """One answer per range, in order; throttling and lost connections are retried inside."""
        answers: dict[int, FetchResult] = {}
        # A task per thread, not per range: handing out tasks costs a sixth of a GET's CPU time.
        # One thread at a time advances the iterator, since it runs no Python code of ours.
        waiting = enumerate(list(ranges))

        def work() -> None:
            try:
                for index, byte_range in waiting:
                    answers[index] = self._fetch_one(byte_range)
            except BaseException:
                # What is left is of no use any more: the other threads find nothing to do.
                deque(waiting, maxlen=0)
                raise

        start = time.perf_counter()
        tasks = [self._pool.submit(work) for _ in range(min(self._threads, len(ranges)))]
        for task in tasks:
            task.result()
        if (time.perf_counter() - start) * len(tasks) > _SLOW_GET_SECONDS * len(ranges):
            self._threads = self._threads_max
        return [answers[index] for index in range(len(ranges))]

    def _fetch_one(self, byte_range: ByteRange) -> FetchResult:
        if _UNSPEAKABLE.search(byte_range.key):
            return self._fetch_by_boto(byte_range)
        try:
            response = obstore.get(
                self._client,
                byte_range.key,
                options={"range": (byte_range.start, byte_range.start + byte_range.length)},
            )
            meta = response.meta
            return Fetched(
                data=response.bytes().to_bytes(), size=meta["size"], etag=_etag(meta.get("e_tag"))
            )
        except FileNotFoundError:
            return Missing(key=byte_range.key)
        except _FAILED as error:
            return self._result_of_failure(byte_range, error)

    def _result_of_failure(self, byte_range: ByteRange, error: Exception) -> FetchResult:
        text = str(error)
        status, code = _STATUS.search(text), _ERROR_CODE.search(text)
        if status and status[1] == "416":
            return self._no_such_range(byte_range)
        if isinstance(error, PermissionDeniedError) or (code and _ONE_OBJECTS.fullmatch(code[1])):
            return self._result_of_refusal(byte_range.key, _answer(text) or "403 Forbidden")
        raise SourceError(f"cannot read {byte_range.key}: {_first_line(error)}") from error

    def _no_such_range(self, byte_range: ByteRange) -> FetchResult:
        """S3 answers 416 to any range of an object of zero bytes, and behind the end of others."""
        try:
            meta = obstore.head(self._client, byte_range.key)
        except _FAILED as error:
            raise SourceError(f"cannot read {byte_range.key}: {_first_line(error)}") from error
        return Fetched(data=b"", size=meta["size"], etag=_etag(meta.get("e_tag")))

    def _result_of_refusal(self, key: str, reason: str) -> FetchResult:
        refusal = denial(reason)
        # For a missing key S3 names s3:ListBucket, which our role has for its folder only.
        if refusal is not None and refusal.action == "s3:GetObject" and refusal.of_caller:
            # The reader may not read, whatever the image: nothing is wrong with the dataset.
            raise DeniedError(f"cannot read {key}: {reason}")
        page = self._boto.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
        if any(entry.get("Key") == key for entry in page.get("Contents", ())):
            return Denied(key=key, reason=reason)
        return Missing(key=key)

    def _fetch_by_boto(self, byte_range: ByteRange) -> FetchResult:
        key, last = byte_range.key, byte_range.start + byte_range.length - 1
        try:
            response = self._boto.get_object(
                Bucket=self._bucket, Key=key, Range=f"bytes={byte_range.start}-{last}"
            )
            size = int(response["ContentRange"].rpartition("/")[2])
            return Fetched(data=response["Body"].read(), size=size, etag=_etag(response["ETag"]))
        except ClientError as error:
            code = str(error.response["Error"].get("Code"))
            if code == "NoSuchKey":
                return Missing(key=key)
            if code == "InvalidRange":
                return self._empty_by_boto(key)
            if code == "AccessDenied" or _ONE_OBJECTS.fullmatch(code):
                return self._result_of_refusal(
                    key, f"{code}: {error.response['Error'].get('Message', '')}"
                )
            raise SourceError(f"cannot read {key}: {error}") from error

    def _empty_by_boto(self, key: str) -> FetchResult:
        """See _no_such_range."""
        try:
            head = self._boto.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            raise SourceError(f"cannot read {key}: {error}") from error
        return Fetched(data=b"", size=head["ContentLength"], etag=_etag(head["ETag"]))


def _etag(header: str | None) -> str:
    return (header or "").strip('"')


def _answer(text: str) -> str:
    """What S3 answered, as "code: message", from obstore's text; "" if it answered nothing."""
    parts = (_ERROR_CODE.search(text), _ERROR_MESSAGE.search(text))
    return html.unescape(": ".join(match[1] for match in parts if match))


def _first_line(error: Exception) -> str:
    # obstore's further lines are for its own developers.
    return str(error).partition("\n")[0]


def manifest_chunks(client: S3Store, key: str, *, version: str | None) -> Iterator[bytes]:
    """A manifest's bytes in chunks of about 4 MB, of one version: a later upload changes nothing.

    However slow the line: obstore gives a body up after 180 seconds, so it is read on from where it
    stopped for as long as anything arrives. Raises DeniedError when it may not be read, SourceError
    when there is no such object or nothing arrives any more.
    """
    options: GetOptions = {"version": version} if version else {}
    offset = 0
    while True:
        start = offset
        try:
            response = obstore.get(client, key, options=options or None)
            # Without a version, what is read on must still be the same object.
            if etag := response.meta["e_tag"]:
                options = {**options, "if_match": etag}
            for chunk in response.stream(min_chunk_size=_CHUNK):
                offset += len(chunk)
                yield bytes(chunk)
        except PermissionDeniedError as error:
            answer = _answer(str(error)) or "403 Forbidden"
            raise DeniedError(f"cannot read {key}: {answer}") from error
        except _FAILED as error:
            if offset == start:
                raise SourceError(f"cannot read {key}: {_first_line(error)}") from error
            options = {**options, "range": {"offset": offset}}
        else:
            return
