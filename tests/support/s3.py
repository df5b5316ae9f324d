"""Objects with versions in memory, and as much of S3 over HTTP on loopback as obstore speaks."""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Version:
    """One version of an object; a body of None is a delete marker."""

    id: str
    body: bytes | None

    @property
    def etag(self) -> str:
        """Quoted, as S3 writes it."""
        return f'"{hashlib.md5(self.body or b"", usedforsecurity=False).hexdigest()}"'


@dataclass
class Objects:
    """Buckets by name. refused: (status, code, message) by key, for reads."""

    buckets: dict[str, dict[str, list[Version]]] = field(default_factory=dict)
    refused: dict[str, tuple[int, str, str]] = field(default_factory=dict)

    def put(self, bucket: str, key: str, body: bytes | None) -> str:
        """A new version; its id holds characters that a URL must not."""
        versions = self.buckets.setdefault(bucket, {}).setdefault(key, [])
        versions.append(Version(f"v{len(versions) + 1}.+/=", body))
        return versions[-1].id

    def delete(self, bucket: str, key: str) -> None:
        """Puts a delete marker on top."""
        self.put(bucket, key, None)

    def get(self, bucket: str, key: str, version: str | None = None) -> Version | None:
        """The newest version or the one asked for; None if it is not there or deleted."""
        versions = self.buckets.get(bucket, {}).get(key, [])
        wanted = versions[-1:] if version is None else [v for v in versions if v.id == version]
        return wanted[0] if wanted and wanted[0].body is not None else None

    def body(self, bucket: str, key: str) -> bytes:
        """The newest version's bytes; raises KeyError if there are none."""
        found = self.get(bucket, key)
        if found is None or found.body is None:
            raise KeyError(key)
        return found.body

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """Keys that are not deleted, in the order in which S3 lists them."""
        found = self.buckets.get(bucket, {})
        keys = [key for key in found if key.startswith(prefix) and self.get(bucket, key)]
        return sorted(keys, key=str.encode)


class Server(ThreadingHTTPServer):
    """Path-style S3 that only reads. asked: the request targets, as they came over the wire."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, objects: Objects) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects = objects
        self.asked: list[str] = []
        # So many requests are answered with 503 first.
        self.busy = 0
        # A connection breaks when so many bytes of a body are sent; None: never.
        self.breaks_after: int | None = None
        # Asked before each answer: a status with a code and a message to answer instead, or
        # whether the connection breaks.
        self.instead: Callable[[], tuple[int, str, str] | bool] = lambda: False

    @property
    def endpoint(self) -> str:
        """What AWS_ENDPOINT_URL has to be."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serve(objects: Objects) -> Iterator[Server]:
    """A running server, stopped at the end."""
    with Server(objects) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    # Headers and body leave in two packets; without this the second waits for an acknowledgement.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""

    def do_HEAD(self) -> None:
        """As GET, without the body."""
        self.do_GET()

    def do_GET(self) -> None:
        """An object, a range of it, or a list of keys."""
        self.server.asked.append(self.path)
        instead = self.server.instead()
        if instead is True:
            self.close_connection = True
            return None
        if instead:
            return self._error(*instead)
        if self.server.busy:
            self.server.busy -= 1
            return self._error(503, "SlowDown", "Reduce your request rate")
        # By hand: a path that begins with two slashes would be taken for a host.
        target, _, query = self.path.partition("?")
        bucket, _, key = target[1:].partition("/")
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        if not key:
            return self._list(bucket, asked.get("prefix", ""))
        return self._object(bucket, unquote(key, errors="strict"), asked.get("versionId"))

    def _object(self, bucket: str, key: str, version: str | None) -> None:
        objects = self.server.objects
        if key in objects.refused:
            return self._error(*objects.refused[key])
        found = objects.get(bucket, key, version)
        if found is None or found.body is None:
            return self._error(404, "NoSuchKey", "The specified key does not exist.")
        size, wanted = (
            len(found.body),
            re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")),
        )
        headers = {"ETag": found.etag, "Last-Modified": "Sat, 21 Nov 2026 09:30:00 GMT"}
        if wanted is None:
            return self._answer(200, found.body, headers)
        start, last = int(wanted[1]), min(int(wanted[2] or size), size - 1)
        if start >= size:
            return self._error(416, "InvalidRange", "The requested range is not satisfiable")
        headers["Content-Range"] = f"bytes {start}-{last}/{size}"
        return self._answer(206, found.body[start : last + 1], headers)

    def _list(self, bucket: str, prefix: str) -> None:
        keys = self.server.objects.keys(bucket, prefix)[:1]
        contents = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys)
        body = f'<?xml version="1.0"?><ListBucketResult>{contents}</ListBucketResult>'
        self._answer(200, body.encode(), {"Content-Type": "application/xml"})

    def _error(self, status: int, code: str, message: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        self._answer(status, body.encode(), {"Content-Type": "application/xml"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            most = self.server.breaks_after
            self.wfile.write(body[:most])
            if most is not None and len(body) > most:
                self.close_connection = True
