"""Orders faults in the Bedrock simulator of a running local AWS."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


class FaultError(Exception):
    """An order that the simulator refused; the message says why."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Each method orders one fault, which waits for the next call that it applies to."""

    endpoint: str

    def fail_next_job(self, message: str, *, times: int = 1) -> None:
        """The next `times` jobs that start fail, half-way, with `message`."""
        self._order(kind="fail-job", message=message, times=times)

    def stop_next_job(self, *, times: int = 1) -> None:
        """The next `times` jobs stop half-way, as if someone had stopped them."""
        self._order(kind="stop-job", times=times)

    def throttle(self, operation: str, *, times: int = 1) -> None:
        """The next `times` calls of `operation`, e.g. "GetCustomModel", are throttled."""
        self._order(kind="error", operation=operation, times=times)

    def refuse(self, operation: str, *, code: str, message: str, times: int = 1) -> None:
        """The next `times` calls of `operation` answer with this error of the service."""
        self._order(kind="error", operation=operation, code=code, message=message, times=times)

    def fail_invocations(self, message: str = "The model failed.", *, times: int = 1) -> None:
        """The next `times` InvokeModel calls fail: a smoke test that does not pass."""
        self.refuse("InvokeModel", code="ModelErrorException", message=message, times=times)

    def never_in_service(self, *, times: int = 1) -> None:
        """The next `times` creations or updates of Provisioned Throughput never end."""
        self._order(kind="throughput-stuck", times=times)

    def fail_throughput(self, message: str, *, times: int = 1) -> None:
        """The next `times` creations or updates of Provisioned Throughput end as Failed."""
        self._order(kind="throughput-fails", message=message, times=times)

    def pending(self) -> list[dict[str, Any]]:
        """The pending orders, oldest first."""
        found: list[dict[str, Any]] = self._send("GET", "/_simulator/faults", None)
        return found

    def clear(self) -> None:
        """Cancel every order."""
        self._send("DELETE", "/_simulator/faults", None)

    def options(self, **changes: bool | int) -> dict[str, Any]:
        """Change the account's options (allow_closed_models, model_units …); returns them all."""
        found: dict[str, Any] = self._send("POST", "/_simulator/options", changes)
        return found

    @contextmanager
    def held(self) -> Iterator[None]:
        """In this block nothing under way ends, so that a test can inspect states in between."""
        self.options(hold=True)
        try:
            yield
        finally:
            self.options(hold=False)

    def _order(self, **fault: str | int) -> None:
        self._send("POST", "/_simulator/faults", fault)

    def _send(self, method: str, path: str, body: Any) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the endpoint is our own loopback server
            f"{self.endpoint}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise FaultError(json.load(error)["message"]) from error
