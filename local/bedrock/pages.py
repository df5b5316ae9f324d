"""The pages under /_simulator on the local AWS's own port: status, faults and options."""

import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from local.bedrock.simulator import Options, Simulator

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]

HEADER: Final = (b"x-bedrock-tuning-simulator", b"1")
_PREFIX: Final = "/_simulator/"


def install(simulator: Simulator) -> None:
    """Answer the pages, and mark every answer of the server as a simulator's."""
    from ministack import app

    inner: Asgi = app.app

    async def outer(scope: Message, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), HEADER]
            await send(message)

        if scope["type"] == "http" and scope["path"].startswith(_PREFIX):
            status, answer = _page(simulator, scope, await _body(receive))
            headers = [(b"content-type", b"application/json")]
            await marked({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(answer).encode()})
        else:
            await inner(scope, receive, marked)

    app.app = outer


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _page(simulator: Simulator, scope: Message, body: bytes) -> tuple[int, Any]:
    page = scope["method"], scope["path"].removeprefix(_PREFIX)
    try:
        match page:
            case "GET", "status":
                return 200, _status(simulator)
            case "GET", "faults":
                return 200, simulator.faults.pending()
            case "POST", "faults":
                simulator.faults.order(json.loads(body))
                return 201, simulator.faults.pending()
            case "DELETE", "faults":
                simulator.faults.clear()
                return 200, []
            case "POST", "options":
                simulator.options = _changed(simulator.options, json.loads(body))
                return 200, asdict(simulator.options)
            case _:
                return 404, {"message": f"no page {' '.join(page)} in the simulator"}
    except (ValueError, TypeError) as error:
        return 400, {"message": str(error)}


def _changed(options: Options, changes: dict[str, Any]) -> Options:
    return msgspec.convert(asdict(replace(options, **changes)), Options)


def _status(simulator: Simulator) -> dict[str, Any]:
    with simulator.lock:
        kept = Counter(f"{one.kind} {one.status}".strip() for one in simulator.resources.values())
    return {
        "what": "local AWS with the Bedrock simulator of Bedrock Tuning; nothing here is AWS",
        "pid": os.getpid(),
        "folder": str(Path(os.environ["STATE_DIR"]).parent),
        "clock": simulator.clock.factor,
        "options": asdict(simulator.options),
        "resources": kept,
        "faults_pending": len(simulator.faults.pending()),
    }
