"""Nothing but a program that holds its credentials may talk to the local AWS."""

import http.client
import http.server
import json
import stat
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from bedrock_tuning.config.names import LOCAL_ACCOUNT
from local.emulator.faults import FaultError, Faults, ask_simulator
from local.emulator.layout import HOST, REGION
from local.emulator.server import LocalAws
from tests.local.support import archive, bucket, eventually, function, refused, role
from tests.support import browser

FUNCTIONS: Final = "/2015-03-31/functions"


def answer(
    aws: LocalAws,
    method: str = "GET",
    path: str = "/",
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Status and text of a plain request, which nothing signs."""
    connection = http.client.HTTPConnection(HOST, aws.record.port, timeout=30)
    try:
        connection.request(method, path, body, dict(headers or {}))
        found = connection.getresponse()
        return found.status, found.read().decode(errors="replace")
    finally:
        connection.close()


def root_client(aws: LocalAws, service: str, **credentials: str) -> Any:
    root = aws.record.secrets
    return aws.client(
        service,
        aws_access_key_id=credentials.get("key", root.access_key),
        aws_secret_access_key=credentials.get("secret", root.secret_key),
    )


@pytest.mark.parametrize("key", ["test", LOCAL_ACCOUNT, "LOCAL0000000000000000", "unknown"])
def test_no_well_known_key_is_roots(aws: LocalAws, key: str) -> None:
    for service, call in (("s3", "list_buckets"), ("lambda", "list_functions")):
        with pytest.raises(ClientError) as caught:
            getattr(root_client(aws, service, key=key, secret="test"), call)()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_roots_key_needs_roots_secret(aws: LocalAws) -> None:
    with refused("SignatureDoesNotMatch"):
        root_client(aws, "s3", secret="x").list_buckets()
    with refused("InvalidSignatureException"):
        root_client(aws, "dynamodb", secret="x").list_tables()


def test_an_unsigned_request_is_nobodys(aws: LocalAws) -> None:
    name = bucket(aws)
    assert answer(aws, "PUT", f"/{name}/planted", body=b"x")[0] == 403
    assert answer(aws, "POST", FUNCTIONS, body=b"{}")[0] == 403
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=name)


def test_a_changed_body_breaks_the_signature(aws: LocalAws) -> None:
    """The signature covers the body, also where no header carries its hash."""
    client = aws.client("dynamodb")

    def change(request: Any, **_: Any) -> None:
        # As long as what was signed: the connection is used again.
        request.body = b"[]"

    client.meta.events.register("before-send.dynamodb.ListTables", change)
    try:
        with refused("InvalidSignatureException"):
            client.list_tables()
    finally:
        client.meta.events.unregister("before-send.dynamodb.ListTables", change)


def test_a_presigned_address_works_until_it_is_changed(aws: LocalAws) -> None:
    name = bucket(aws)
    aws.client("s3").put_object(Bucket=name, Key="a", Body=b"content")
    aws.client("s3").put_object(Bucket=name, Key="b", Body=b"another")
    signing = aws.client("s3", config=Config(signature_version="s3v4"))
    url = urlsplit(signing.generate_presigned_url("get_object", {"Bucket": name, "Key": "a"}))
    assert answer(aws, path=f"{url.path}?{url.query}") == (200, "content")
    assert answer(aws, path=f"/{name}/b?{url.query}")[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/", FUNCTIONS, "/_simulator", "/_ministack/health", "/bucket"])
def test_what_comes_from_a_page_is_refused_on_every_path(
    aws: LocalAws, path: str, headers: dict[str, str]
) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        status, said = answer(aws, method, path, headers=headers)
        assert status == 403
        assert json.loads(said)["message"].startswith("the local AWS answers")


def test_orders_to_the_server_need_its_token(aws: LocalAws) -> None:
    before = ask_simulator(aws.endpoint)
    assert before["what"].startswith("local AWS")
    for token in ("", "invented"):
        with pytest.raises(FaultError, match="needs the token"):
            Faults(endpoint=aws.endpoint, token=token).options(model_units=9)
    for path in ("/_ministack/reset", "/_ministack/config", "/_localstack/health"):
        assert answer(aws, "POST", path, body=b"{}")[0] == 403
    assert ask_simulator(aws.endpoint)["options"] == before["options"]


def test_the_credentials_of_a_function_cannot_be_computed_from_its_name(aws: LocalAws) -> None:
    arn = function(aws, "import os\ndef handler(event, context): return dict(os.environ)")
    found = aws.client("lambda").invoke(FunctionName=arn)
    seen = json.load(found["Payload"])
    as_it_comes = _upstreams_secret(arn, aws)
    assert seen["AWS_SECRET_ACCESS_KEY"] not in (as_it_comes, "", "test")
    assert aws.record.secrets.secret_key not in seen.values()


def _upstreams_secret(arn: str, aws: LocalAws) -> str:
    import hashlib

    role_arn = aws.client("lambda").get_function_configuration(FunctionName=arn)["Role"]
    digest = hashlib.sha256(f"{arn}:{role_arn}".encode()).hexdigest()
    return hashlib.sha256(f"secret:{digest}".encode()).hexdigest()


def test_each_start_has_its_own_secrets_and_only_the_owner_reads_them(
    aws: LocalAws, plain: LocalAws
) -> None:
    ours, others = aws.record.secrets, plain.record.secrets
    assert not {ours.access_key, ours.secret_key, ours.token} & {
        others.access_key,
        others.secret_key,
        others.token,
    }
    for path, mode in ((aws.layout.root, 0o700), (aws.layout.record, 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert ours.secret_key not in repr(aws.record)


def test_a_server_stops_by_itself_and_keeps_its_state(tmp_path: Path) -> None:
    aws = LocalAws.start(state=tmp_path, detach=True, stop_after_hours=12 / 3600)
    name = bucket(aws)
    eventually(lambda: LocalAws.attach(state=tmp_path) is None)
    # What is created in its last instant is saved, too; that it is read: test_server.py.
    assert not aws.layout.unsaved.exists()
    assert f"'{name}'" in (aws.layout.data[0] / "s3.json").read_text()


@contextmanager
def page(text: str) -> Iterator[str]:
    """The address of a page of another site."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None: ...

    server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium on this machine")
def test_a_page_in_a_real_browser_cannot_create_a_function(aws: LocalAws, tmp_path: Path) -> None:
    """As a page can: no preflight, and a signature that nobody made."""
    name = "planted-by-a-page"
    signed = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test/20260101/{REGION}/lambda/"
        "aws4_request&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
    )
    body = json.dumps(
        {
            "FunctionName": name,
            "Runtime": "python3.11",
            "Handler": "index.handler",
            "Role": role(aws, "lambda.amazonaws.com"),
            "Code": {"ZipFile": b64encode(archive("")).decode()},
        }
    )
    request = json.dumps({"method": "POST", "mode": "no-cors", "body": body})
    text = f"""<body>waiting<script>
      fetch("{aws.endpoint}{FUNCTIONS}?{signed}", {request}).then(
        (response) => {{ document.body.textContent = "asked " + response.type; }},
        () => {{ document.body.textContent = "failed"; }});
    </script>"""
    with page(text) as url:
        assert "asked opaque" in browser.dom(url, tmp_path)
    found = [one["FunctionName"] for one in aws.client("lambda").list_functions()["Functions"]]
    assert name not in found
