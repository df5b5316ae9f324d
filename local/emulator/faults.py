"""Asks the Bedrock simulator of a running local AWS for its state, and orders faults in it."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.emulator.door import SIMULATOR_PATH, TOKEN_HEADER


class FaultError(Exception):
    """An order that the simulator refused; the message says why."""


def ask_simulator(
    endpoint: str, order: Any = None, *, token: str = "", timeout: float = 10
) -> dict[str, Any]:
    """What the simulator says about itself, after an order if there is one; that needs its token.

    Raises FaultError, and OSError or ValueError when no simulator answers.
    """
    data = None if order is None else json.dumps(order).encode()
    request = urllib.request.Request(  # noqa: S310 - the endpoint is our own loopback server
        f"{endpoint}{SIMULATOR_PATH}", data=data, headers={TOKEN_HEADER: token}
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310 - the same
            state: dict[str, Any] = json.load(answer)
            return state
    except urllib.error.HTTPError as error:
        if order is None:
            raise
        raise FaultError(json.load(error)["message"]) from error


@dataclass(frozen=True, slots=True)
class Faults:
    """Orders, which wait for the next call or change that they apply to."""

    endpoint: str
    token: str = field(repr=False)

    def order(self, kind: str, **details: str | int) -> None:
        """Order a fault (local.bedrock.faults.FaultOrder says which there are)."""
        self._ask({"order": {"kind": kind, **details}})

    def refuse(self, operation: str, **details: str | int) -> None:
        """Order an error of an operation: throttling, unless `code` is another class."""
        self.order("error", operation=operation, **details)

    def pending(self) -> list[dict[str, Any]]:
        """The pending orders, oldest first."""
        faults: list[dict[str, Any]] = self._ask()["faults"]
        return faults

    def clear(self) -> None:
        """Cancel every order."""
        self._ask({"clear": True})

    def options(self, **changes: bool | int) -> dict[str, Any]:
        """Change the account's options (allow_closed_models, model_units …); returns them all."""
        options: dict[str, Any] = self._ask({"options": changes})["options"]
        return options

    def _ask(self, order: Any = None) -> dict[str, Any]:
        return ask_simulator(self.endpoint, order, token=self.token)

    @contextmanager
    def held(self) -> Iterator[None]:
        """In this block nothing under way ends, so that a test can inspect states in between."""
        self.options(hold=True)
        try:
            yield
        finally:
            self.options(hold=False)
