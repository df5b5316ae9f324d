"""The pages under /_simulator on the local AWS's own port: status and faults."""

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]

HEADER = (b"x-bedrock-tuning-simulator", b"1")


def install(*, clock: float, allow_closed_models: bool) -> None:
    from ministack import app

    inner: Asgi = app.app

    async def outer(scope: Message, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), HEADER]
            await send(message)

        if scope["type"] == "http" and scope["path"].startswith("/_simulator/"):
            body = json.dumps({"pid": os.getpid(), "clock": clock}).encode()
            await marked({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})
            return
        await inner(scope, receive, marked)

    app.app = outer
