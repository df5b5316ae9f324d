"""Who may talk to the local AWS: programs that hold its credentials, and no page in a browser.

Loopback proves nothing about a caller: every page that a browser shows may send requests to it, and
a name that resolves to 127.0.0.1 makes it read the answers, too. MiniStack takes unsigned requests
and those of a few well-known access keys for root's, and what root may do includes running code.
"""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, quote

from local.emulator.layout import FUNCTION_URLS, HOST

AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
Asgi = Callable[[AsgiMessage, Receive, Send], Awaitable[None]]

TOKEN_HEADER: Final = "x-bedrock-tuning-token"  # noqa: S105 - the name of a header
# A custom resource answers here; each address holds a secret of its own, as on AWS.
_ANSWERS: Final = ("/_ministack/cfn-response/", "/_ministack/cfn-signal/")
# Says what this server is; it changes nothing without a token.
SIMULATOR_PATH: Final = "/_simulator"
_SIGNED: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Root's credentials, and the token for orders to the server itself; new at each start."""

    access_key: str
    secret_key: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    method: str
    path: str
    raw_path: str
    headers: Mapping[str, str]
    query: Mapping[str, list[str]]

    @classmethod
    def of(cls, scope: AsgiMessage) -> "_Request":
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            # SigV4 signs a header sent on several lines as its values joined by a comma.
            headers[key] = f"{headers[key]},{text}" if key in headers else text
        raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        query = scope.get("query_string", b"").decode("utf-8", "replace")
        return cls(
            method=scope.get("method", ""),
            path=scope["path"],
            raw_path=raw.decode("latin-1"),
            headers=headers,
            query=parse_qs(query, keep_blank_values=True),
        )


def install(secrets: Secrets, port: int) -> None:
    """Refuse what comes from a browser, from nobody, or with a signature that root did not make."""
    from ministack import app

    inner: Asgi = app.app
    hosts = (f"{HOST}:{port}", f"localhost:{port}")

    async def door(scope: AsgiMessage, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await inner(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        request = _Request.of(scope)
        reason = _refuse_foreign(request, hosts) or _refuse_without_token(request, secrets)
        if reason is not None:
            answer = json.dumps({"message": reason}).encode()
            await _answer(send, 403, {"content-type": "application/json"}, answer)
            return
        if request.path == SIMULATOR_PATH or request.path.startswith(_ANSWERS):
            await inner(scope, receive, send)
            return
        if not _claims_root(request):
            # MiniStack itself checks the signatures of users and of sessions of roles.
            await inner(scope, receive, send)
            return
        body = await read_body(receive)
        failure = _root_failure(request, body, secrets)
        if failure is None:
            await inner(scope, _replay(body, receive), send)
            return
        await _answer(send, *_error(request, *failure))

    app.app = door


def _refuse_foreign(request: _Request, hosts: tuple[str, ...]) -> str | None:
    """Why the request cannot be a program's that was told this address; None if it can."""
    host = request.headers.get("host", "")
    if host not in hosts:
        return f"the local AWS answers to {hosts[0]} only, not to {host!r}"
    if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") != "none":
        return "the local AWS answers no page in a browser"
    return None


def _refuse_without_token(request: _Request, secrets: Secrets) -> str | None:
    """Why a request to the server itself, not to a service, is refused; None if it is not."""
    controls = request.path.startswith("/_") or request.path == "/health"
    reads = request.path == SIMULATOR_PATH and request.method == "GET"
    if not controls or reads or request.path.startswith((*_ANSWERS, FUNCTION_URLS)):
        return None
    token = request.headers.get(TOKEN_HEADER, "")
    if hmac.compare_digest(token.encode("latin-1"), secrets.token.encode()):
        return None
    return f"{request.path} needs the token of this local AWS in the header {TOKEN_HEADER}"


def _claims_root(request: _Request) -> bool:
    from ministack.core.iam_evaluator import is_root_access_key
    from ministack.core.router import extract_access_key_id

    access_key = extract_access_key_id(request.headers, request.query)
    return bool(is_root_access_key(access_key))


def _root_failure(request: _Request, body: bytes, secrets: Secrets) -> tuple[str, str] | None:
    """Code and message if root's secret key did not sign the request now; None if it did."""
    from ministack.core import sigv4
    from ministack.core.router import extract_access_key_id

    access_key = extract_access_key_id(request.headers, request.query)
    if not access_key:
        return "MissingAuthenticationToken", "Missing Authentication Token"
    if not hmac.compare_digest(access_key.encode(), secrets.access_key.encode()):
        return (
            "InvalidClientTokenId",
            "The security token included in the request is invalid. The local AWS has new "
            'credentials at each start: eval "$(python -m local env)"',
        )
    presigned = not request.headers.get("authorization", "").startswith(_SIGNED)
    if presigned:
        signature = sigv4.parse_query_signature(request.query)
    else:
        signature = sigv4.parse_header_signature(request.headers)
    if isinstance(signature, tuple):
        return signature
    if signature.access_key_id != access_key or signature.region_set is not None:
        return "IncompleteSignature", "Sign with Signature Version 4 and one access key"
    time_failure = (
        _expiry_failure(request, signature) if presigned else sigv4.request_time_failure(signature)
    )
    failure: tuple[str, str] | None = time_failure or sigv4.header_signature_failure(
        signature,
        secrets.secret_key,
        request.method,
        request.raw_path,
        request.query,
        request.headers,
        body,
        presigned=presigned,
    )
    return failure


def _expiry_failure(request: _Request, signature: Any) -> tuple[str, str] | None:
    from ministack.core.sigv4 import presigned_request_is_expired

    (expires,) = request.query.get("X-Amz-Expires", ["0"])[:1]
    try:
        expired = presigned_request_is_expired(signature.amz_date, expires)
    except ValueError:
        expired = True
    return ("AccessDenied", "Request has expired") if expired else None


def _error(request: _Request, code: str, message: str) -> tuple[int, Mapping[str, str], bytes]:
    """The refusal in the form of the service that the request is for."""
    from ministack import app
    from ministack.core.iam_evaluator import AuthError
    from ministack.core.router import detect_service

    service = detect_service(request.method, request.path, request.headers, request.query)
    auth_error = AuthError(code, message)
    status, headers, body = app._credential_failure(service, "", "", auth_error, request.headers)
    return status, headers, body.encode() if isinstance(body, str) else body


async def _answer(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    raw = [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body that was read, for the server behind the door."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> AsgiMessage:
        return messages.pop() if messages else await receive()

    return replayed
