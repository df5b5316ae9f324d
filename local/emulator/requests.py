"""Requests to a service, and handlers of ours before or in place of the emulator's."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.emulator.patching import expect, expect_source

Response = tuple[int, dict[str, str], Any]


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """One request to a service, as the emulator hands it over; its signature was checked."""

    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: Mapping[str, list[str]]

    @property
    def access_key(self) -> str:
        from ministack.core.router import extract_access_key_id

        return str(extract_access_key_id(self.headers, self.query))

    @property
    def region(self) -> str:
        from ministack.core.router import extract_region

        return str(extract_region(self.headers, self.query))


Upstream = Callable[[], Awaitable[Response]]
Handler = Callable[[ServiceRequest, Upstream], Awaitable[Response]]


def handle(service: str, handler: Handler) -> None:
    """Let `handler` answer a service's requests; it may ask the emulator's own handler."""
    from ministack import app

    expect(service in app.SERVICE_HANDLERS, f"a handler for {service}")
    expect_source(app._dispatch_service_request, "handler = SERVICE_HANDLERS.get(service)")
    upstream = app.SERVICE_HANDLERS[service]

    async def handled(*arguments: Any) -> Response:
        return await handler(ServiceRequest(service, *arguments), lambda: upstream(*arguments))

    app.SERVICE_HANDLERS[service] = handled
