"""A dataset in S3: exactly the key that was asked for, and every answer S3 has."""

import threading
import time
import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from bedrock_tuning.dataset.images.source import ByteRange, Denied, Fetched, FetchResult, Missing
from bedrock_tuning.errors import DeniedError, SourceError
from bedrock_tuning.sources import s3
from tests.sources.conftest import BUCKET
from tests.support.s3 import Objects, Server

BODY = bytes(range(256)) * 4
# Legal keys, each with something that a URL, a path or a file system takes for something else.
KEYS = [
    "pets/dog.png",
    "pets/a dog.png",
    "pets/a+dog.png",
    "pets/100%.png",
    "pets/a%20dog.png",
    "pets/a%2Fdog.png",
    "pets/%E4.png",
    "pets/Hündin/日本犬 🐶.png",
    "pets/e\u0301 is not é.png",
    "pets/what?is#this&that=x;y,z:@$.png",
    "pets/'(quoted)'!*~`^|\\<>\"{}[].png",
    "pets//twice.png",
    "pets/a//b//c.png",
    "/pets/dog.png",
    "pets/dog.png/",
    "pets/a\tdog.png",
    "pets/a\x7fdog.png",
    "pets/.png",
    "pets/...png/...",
]


@pytest.mark.parametrize("key", KEYS)
def test_exactly_the_key_that_was_asked_for_is_read(
    key: str, objects: Objects, images: s3.S3Images, server: Server
) -> None:
    """Near misses lie beside it: read instead, they would pass for the image."""
    objects.put(BUCKET, key, BODY)
    near = {
        key.strip("/"),
        key.replace("//", "/"),
        urllib.parse.unquote(key),
        urllib.parse.quote(key),
        key.replace("+", " "),
        key.replace(" ", "+"),
    }
    for other in near - {key}:
        objects.put(BUCKET, other, b"another object")

    assert images.fetch([ByteRange(key, 0, 5000)]) == [
        Fetched(data=BODY, size=len(BODY), etag=objects.get(BUCKET, key).etag.strip('"'))
    ]
    assert [urllib.parse.unquote(path) for path in server.asked] == [f"/{BUCKET}/{key}"]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_is_not_there_is_missing_whatever_it_looks_like(
    key: str, images: s3.S3Images
) -> None:
    assert images.fetch([ByteRange(key, 0, 100)]) == [Missing(key)]


@pytest.mark.parametrize("key", ["pets/dog.png", "pets//dog.png"])
@pytest.mark.parametrize(
    ("start", "length"), [(0, 10), (0, 1024), (0, 65_536), (1000, 24), (1000, 500), (1023, 1)]
)
def test_a_range_brings_its_bytes_and_the_size_of_the_whole(
    key: str, start: int, length: int, objects: Objects, images: s3.S3Images
) -> None:
    objects.put(BUCKET, key, BODY)

    (found,) = images.fetch([ByteRange(key, start, length)])

    assert isinstance(found, Fetched)
    assert found.data == BODY[start : start + length]
    assert found.size == len(BODY)
    assert '"' not in found.etag


@pytest.mark.parametrize("key", ["pets/dog.png", "pets//dog.png"])
@pytest.mark.parametrize(("body", "start"), [(b"", 0), (b"short", 5), (b"short", 1000)])
def test_a_range_behind_the_end_brings_nothing_and_the_true_size(
    key: str, body: bytes, start: int, objects: Objects, images: s3.S3Images
) -> None:
    objects.put(BUCKET, key, body)
    etag = objects.get(BUCKET, key).etag.strip('"')

    assert images.fetch([ByteRange(key, start, 100)]) == [Fetched(b"", len(body), etag)]


@pytest.mark.parametrize("folder", ["pets/", "pets//"])
def test_answers_come_in_the_order_of_the_ranges(
    folder: str, objects: Objects, images: s3.S3Images
) -> None:
    keys = [f"{folder}{number}.png" for number in range(40)]
    for number, key in enumerate(keys):
        if number % 3:
            objects.put(BUCKET, key, str(number).encode())

    found = images.fetch([ByteRange(key, 0, 10) for key in keys])

    assert [f.data if isinstance(f, Fetched) else f.key for f in found] == [
        str(number).encode() if number % 3 else key for number, key in enumerate(keys)
    ]


def test_nothing_more_is_asked_for_once_an_answer_ends_the_check(
    objects: Objects, images: s3.S3Images, server: Server
) -> None:
    keys = [f"pets/{number}.png" for number in range(400)]
    for key in keys:
        objects.refused[key] = (400, "InvalidToken", "broken")

    with pytest.raises(SourceError, match="cannot read pets/"):
        images.fetch([ByteRange(key, 0, 10) for key in keys])

    assert len(server.asked) < 40


@pytest.mark.parametrize("key", ["pets/dog.png", "pets//dog.png"])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "AccessDenied"),
        (400, "KMS.DisabledException"),
        (400, "KMS.NotFoundException"),
        (403, "InvalidObjectState"),
    ],
)
def test_an_object_that_may_not_be_read_is_denied_in_s3s_own_words_only(
    key: str, status: int, code: str, objects: Objects, images: s3.S3Images
) -> None:
    """The reason becomes part of the report, which must be the same each time."""
    objects.put(BUCKET, key, BODY)
    objects.refused[key] = (status, code, "because so it is")

    assert images.fetch([ByteRange(key, 0, 10)]) == [Denied(key, f"{code}: because so it is")]


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("AccessDenied", "<b>no</b>", "AccessDenied"),
        ("<b>no</b>", "because so it is", "because so it is"),
        ("<b>no</b>", "<b>no</b>", "403 Forbidden"),
        ("AccessDenied", "no &quot;s3:x&quot; for you", 'AccessDenied: no "s3:x" for you'),
    ],
)
def test_a_refusal_is_told_as_far_as_s3_gives_words(
    code: str, message: str, said: str, objects: Objects, images: s3.S3Images
) -> None:
    objects.put(BUCKET, "pets/dog.png", BODY)
    objects.refused["pets/dog.png"] = (403, code, message)

    assert images.fetch([ByteRange("pets/dog.png", 0, 10)]) == [Denied("pets/dog.png", said)]


@pytest.mark.parametrize("key", ["pets/dog.png", "pets//dog.png"])
def test_a_refused_key_that_is_not_listed_is_missing(
    key: str, objects: Objects, images: s3.S3Images
) -> None:
    """S3 says 403 for a missing key to whoever may not list the whole bucket."""
    objects.refused[key] = (403, "AccessDenied", "Access Denied")
    objects.put(BUCKET, f"{key}.bak", BODY)

    assert images.fetch([ByteRange(key, 0, 10)]) == [Missing(key)]


NOT_AUTHORIZED = (
    "User: arn:aws:sts::000000000000:assumed-role/a-role/a-function is not authorized to perform: "
    "{action} on resource: &quot;arn:aws:s3:::{bucket}&quot; because no {policy} policy allows the "
    "{action} action"
)


@pytest.mark.parametrize("key", ["pets/dog.png", "pets//dog.png"])
def test_a_reader_without_the_permission_is_no_fault_of_the_images(
    key: str, objects: Objects, images: s3.S3Images
) -> None:
    """Else a dataset would be rejected, image by image, for what is wrong with our own role."""
    objects.put(BUCKET, key, BODY)
    words = NOT_AUTHORIZED.format(action="s3:GetObject", bucket=BUCKET, policy="identity-based")
    objects.refused[key] = (403, "AccessDenied", words)

    with pytest.raises(DeniedError, match=r"a-role/.* s3:GetObject on resource: \"arn:aws:s3:::"):
        images.fetch([ByteRange(key, 0, 10)])


def test_a_manifest_that_may_not_be_read_says_who_may_not_do_what(
    objects: Objects, client: s3.S3Store
) -> None:
    words = NOT_AUTHORIZED.format(
        action="s3:GetObjectVersion", bucket=BUCKET, policy="identity-based"
    )
    objects.refused["pets/manifest.jsonl"] = (403, "AccessDenied", words)

    with pytest.raises(DeniedError, match=r"a-role/.* s3:GetObjectVersion on resource: \"arn:"):
        list(s3.manifest_chunks(client, "pets/manifest.jsonl", version=None))


@pytest.mark.parametrize(
    ("action", "policy"), [("s3:ListBucket", "identity-based"), ("s3:GetObject", "resource-based")]
)
def test_a_missing_key_and_a_closed_bucket_are_still_about_the_image(
    action: str, policy: str, objects: Objects, images: s3.S3Images
) -> None:
    objects.refused["pets/dog.png"] = (
        403,
        "AccessDenied",
        NOT_AUTHORIZED.format(action=action, bucket=BUCKET, policy=policy),
    )

    assert images.fetch([ByteRange("pets/dog.png", 0, 10)]) == [Missing("pets/dog.png")]


@pytest.mark.parametrize("key", ["pets/dog416.png", "pets/InvalidRange//dog416.png"])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((400, "ExpiredToken"), (400, "BadRequest"), (301, "PermanentRedirect")),
        # Its size is then not to be had either.
        (416, "InvalidRange"),
    ],
)
def test_any_other_answer_is_an_error_of_the_source_and_says_nothing_about_the_image(
    key: str, status: int, code: str, objects: Objects, images: s3.S3Images
) -> None:
    objects.put(BUCKET, key, BODY)
    objects.refused[key] = (status, code, "no")

    with pytest.raises(SourceError, match=f"cannot read {key}: ") as caught:
        images.fetch([ByteRange(key, 0, 10)])

    assert "\n" not in str(caught.value)


def test_a_busy_s3_is_asked_again(objects: Objects, images: s3.S3Images, server: Server) -> None:
    objects.put(BUCKET, "pets/dog.png", BODY)
    server.busy = 2

    (found,) = images.fetch([ByteRange("pets/dog.png", 0, 10)])

    assert isinstance(found, Fetched)
    assert len(server.asked) == 3


def test_a_manifest_is_read_in_the_version_that_was_admitted(
    objects: Objects, client: s3.S3Store
) -> None:
    key = "pets/manifest.jsonl"
    first = objects.put(BUCKET, key, b"first\n")
    objects.put(BUCKET, key, b"second\n")

    assert b"".join(s3.manifest_chunks(client, key, version=first)) == b"first\n"
    assert b"".join(s3.manifest_chunks(client, key, version=None)) == b"second\n"


def test_a_large_manifest_comes_in_pieces_that_fit_together(
    objects: Objects, client: s3.S3Store
) -> None:
    body = BODY * 10_000
    objects.put(BUCKET, "pets/manifest.jsonl", body)

    chunks = list(s3.manifest_chunks(client, "pets/manifest.jsonl", version=None))

    assert b"".join(chunks) == body
    # About four MiB each, as much more as came with its end.
    assert len(chunks) > 1
    assert all(4 << 20 <= len(each) < 5 << 20 for each in chunks[:-1])


@pytest.fixture
def impatient(server: Server) -> s3.S3Store:
    """Gives a body up when it stops, as obstore does after 180 seconds."""
    return s3.S3Store(
        BUCKET,
        region="us-east-1",
        endpoint=server.endpoint,
        access_key_id="a",
        secret_access_key="b",
        client_options={"allow_http": True},
        retry_config={
            "max_retries": 0,
            "retry_timeout": timedelta(seconds=1),
            "backoff": {
                "base": 2,
                "init_backoff": timedelta(milliseconds=1),
                "max_backoff": timedelta(milliseconds=1),
            },
        },
    )


@pytest.mark.parametrize("versioned", [True, False])
def test_a_manifest_that_stops_on_its_way_is_read_on_from_there(
    objects: Objects, impatient: s3.S3Store, server: Server, versioned: bool
) -> None:
    body = bytes(range(256)) * 80_000
    version = objects.put(BUCKET, "pets/manifest.jsonl", body)
    server.breaks_after = 6 << 20

    chunks = s3.manifest_chunks(
        impatient, "pets/manifest.jsonl", version=version if versioned else None
    )
    assert b"".join(chunks) == body
    assert len(server.asked) > 2


def test_a_manifest_of_which_nothing_arrives_is_an_error(
    objects: Objects, impatient: s3.S3Store, server: Server
) -> None:
    objects.put(BUCKET, "pets/manifest.jsonl", BODY)
    server.breaks_after = 0

    with pytest.raises(SourceError, match=r"cannot read pets/manifest\.jsonl: "):
        list(s3.manifest_chunks(impatient, "pets/manifest.jsonl", version=None))
    assert len(server.asked) == 1


def test_an_empty_manifest_has_no_bytes(objects: Objects, client: s3.S3Store) -> None:
    objects.put(BUCKET, "pets/manifest.jsonl", b"")

    assert b"".join(s3.manifest_chunks(client, "pets/manifest.jsonl", version=None)) == b""


@pytest.mark.parametrize(
    "refused", [(404, "NoSuchVersion", ""), (403, "AccessDenied", ""), (400, "BadRequest", "")]
)
def test_a_manifest_that_cannot_be_read_is_an_error_of_the_source(
    refused: tuple[int, str, str], objects: Objects, client: s3.S3Store
) -> None:
    """The workflow retries errors of this class and no others of obstore's (DeniedError: none)."""
    objects.refused["pets/manifest.jsonl"] = refused

    with pytest.raises(SourceError, match=r"cannot read pets/manifest\.jsonl: "):
        list(s3.manifest_chunks(client, "pets/manifest.jsonl", version=None))


def test_credentials_are_asked_for_when_they_are_needed(server: Server, objects: Objects) -> None:
    objects.put(BUCKET, "pets/manifest.jsonl", b"here")
    asked: list[int] = []

    def credentials() -> dict[str, str | None]:
        asked.append(1)
        return {"access_key_id": "a", "secret_access_key": "b", "token": "c"}

    client = s3.store(BUCKET, region="us-east-1", credentials=credentials)
    assert asked == []

    b"".join(s3.manifest_chunks(client, "pets/manifest.jsonl", version=None))

    assert asked == [1]


@pytest.mark.parametrize(
    ("general", "of_s3", "endpoint", "options"),
    [
        ("", "", None, None),
        ("http://127.0.0.1:1", "", "http://127.0.0.1:1", {"allow_http": "true"}),
        ("http://127.0.0.1:1", "https://127.0.0.1:2", "https://127.0.0.1:2", None),
    ],
)
def test_another_endpoint_is_the_one_of_s3_before_the_general_one(
    general: str,
    of_s3: str,
    endpoint: str | None,
    options: dict[str, str] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without TLS only where the endpoint says so."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", general)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", of_s3)
    made = s3.store(BUCKET, region="us-east-1", credentials=dict)
    assert (made.config.get("endpoint"), made.client_options) == (endpoint, options)


def test_credentials_are_asked_for_again_well_before_they_run_out() -> None:
    keys = {"access_key_id": "a", "secret_access_key": "b", "token": None}
    client: Any = s3.store(BUCKET, region="us-east-1", credentials=lambda: dict(keys))

    given = client.credential_provider()

    left = given.pop("expires_at") - datetime.now(UTC)
    assert timedelta(minutes=9.9) < left <= timedelta(minutes=10)
    assert given == keys


class SlowStore:
    """What answers each GET late, and remembers how many wait for it at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.waiting = self.most = 0
        self._lock = threading.Lock()

    def one(self, wanted: ByteRange) -> FetchResult:
        with self._lock:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        time.sleep(self.seconds)
        with self._lock:
            self.waiting -= 1
        return Missing(wanted.key)


def test_where_answers_take_long_more_of_them_are_waited_for_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = SlowStore(0.03)
    monkeypatch.setattr(s3.S3Images, "_fetch_one", lambda _, wanted: store.one(wanted))
    images = s3.S3Images("bucket", client=cast("Any", None), boto=cast("Any", None))
    ranges = [ByteRange(f"{number}.png", 0, 1024) for number in range(400)]
    images.fetch(ranges)
    assert store.most <= 32
    images.fetch(ranges)
    assert store.most > 32
