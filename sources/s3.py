"""A dataset in S3: manifest chunks and ranged reads of images, by the Rust client obstore.

Measured (design.md §5): obstore from threads makes 10,000 and more ranged GETs per second on one
core, boto3 with 32 threads 646.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import obstore
from obstore.exceptions import NotFoundError, PermissionDeniedError
from obstore.store import S3Store

from tuning.errors import SourceError
from tuning.images import ByteRange, Denied, Fetched, Missing

CHUNK: Final = 4 * 1024 * 1024
_THREADS: Final = 32
# Ask for new credentials well before a function's run out; the runtime renews them in time.
_CREDENTIAL_LIFE: Final = timedelta(minutes=10)

# obstore raises Python's own classes where there are some, its own elsewhere.
_NOT_FOUND: Final = (NotFoundError, FileNotFoundError)
_DENIED: Final = (PermissionDeniedError, PermissionError)

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
        options["virtual_hosted_style_request"] = False
        if endpoint.startswith("http://"):
            options["client_options"] = {"allow_http": True}

    def provide() -> Any:
        expires = datetime.now(UTC) + _CREDENTIAL_LIFE
        return {**credentials(), "expires_at": expires}

    return S3Store(bucket, region=region, credential_provider=provide, **options)


class S3Images:
    """ImageSource over one bucket.

    exists: tells whether a key is there. S3 answers 403, not 404, for a missing key when the right
        to list is limited to a prefix, as ours is; so a refused key is looked up by listing.
    """

    def __init__(
        self, client: S3Store, *, exists: Callable[[str], bool], threads: int = _THREADS
    ) -> None:
        self._client = client
        self._exists = exists
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="images")

    def fetch(self, ranges: Sequence[ByteRange]) -> list[Fetched | Missing | Denied]:
        """One answer per range, in order; throttling and lost connections are retried inside."""
        return list(self._pool.map(self._one, ranges))

    def _one(self, wanted: ByteRange) -> Fetched | Missing | Denied:
        try:
            got = obstore.get(
                self._client,
                wanted.key,
                options={"range": (wanted.start, wanted.start + wanted.length)},
            )
            meta = got.meta
            return Fetched(
                data=bytes(got.bytes()), size=meta["size"], etag=(meta["e_tag"] or "").strip('"')
            )
        except _NOT_FOUND:
            return Missing(key=wanted.key)
        except _DENIED as error:
            if self._exists(wanted.key):
                return Denied(key=wanted.key, reason=str(error))
            return Missing(key=wanted.key)
        except Exception as error:
            if _is_empty_object(error):
                return Fetched(data=b"", size=0, etag="")
            raise SourceError(f"cannot read {wanted.key}: {error}") from error


def _is_empty_object(error: Exception) -> bool:
    # S3 answers 416 to any range of an object of zero bytes.
    text = str(error)
    return "416" in text or "InvalidRange" in text or "Range Not Satisfiable" in text


def manifest_chunks(client: S3Store, key: str, *, version: str | None) -> Iterator[bytes]:
    """A manifest's bytes in chunks of about 4 MB, of one version: a later upload changes nothing.

    Raises SourceError when there is no such object or it may not be read.
    """
    try:
        got = obstore.get(client, key, options={"version": version} if version else None)
        for chunk in got.stream(min_chunk_size=CHUNK):
            yield bytes(chunk)
    except (*_NOT_FOUND, *_DENIED) as error:
        raise SourceError(f"cannot read {key}: {error}") from error
