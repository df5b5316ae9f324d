"""The page /_simulator on the local AWS's own port: what the simulator holds, and orders to it."""

import json
import os
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from local.bedrock.simulator import Simulator, SimulatorOptions
from local.emulator.door import SIMULATOR_PATH, Asgi, AsgiMessage, Receive, Send, read_body

HEADER: Final = (b"x-bedrock-tuning-simulator", b"1")


def install(simulator: Simulator) -> None:
    """Answer the page, and mark every answer of the server as a simulator's."""
    from ministack import app

    inner: Asgi = app.app

    async def outer(scope: AsgiMessage, receive: Receive, send: Send) -> None:
        async def send_marked(message: AsgiMessage) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), HEADER]
            await send(message)

        if scope["type"] == "http" and scope["path"] == SIMULATOR_PATH:
            status, answer = _page(simulator, await read_body(receive))
            headers = [(b"content-type", b"application/json")]
            await send_marked({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(answer).encode()})
        else:
            await inner(scope, receive, send_marked)

    app.app = outer


def _page(simulator: Simulator, body: bytes) -> tuple[int, Any]:
    """GET, without a body, or an order: {"clear": true}, {"order": {…}} or {"options": {…}}."""
    try:
        orders = json.loads(body or b"{}")
        if "clear" in orders:
            simulator.faults.clear()
        if "order" in orders:
            simulator.faults.order(orders["order"])
        options = replace(simulator.options, **orders.get("options", {}))
        simulator.options = msgspec.convert(asdict(options), SimulatorOptions)
    except (ValueError, TypeError) as error:
        return 400, {"message": str(error)}
    return 200, _status(simulator)


def _status(simulator: Simulator) -> dict[str, Any]:
    with simulator.lock:
        counts = Counter(
            f"{resource.kind} {resource.status}".strip()
            for resource in simulator.resources.values()
        )
    return {
        "what": "local AWS with the Bedrock simulator of Bedrock Tuning; nothing here is AWS",
        "pid": os.getpid(),
        "folder": str(Path(os.environ["STATE_DIR"]).parent),
        "clock": simulator.clock.factor,
        "options": asdict(simulator.options),
        "resources": counts,
        "faults": simulator.faults.pending(),
    }
