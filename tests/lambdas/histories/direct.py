"""Clients that go straight to the fakes: a hundred times faster, and without any check of requests.

The other tests send every request of the handlers through boto3; ten thousand histories need not.
"""

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from tests.lambdas.fakes import Fake, Refused


class Direct:
    """A client of one service. operations: by the names of a client's methods."""

    def __init__(self, fake: Callable[[], Fake], operations: Mapping[str, str]) -> None:
        self._fake, self._operations = fake, operations

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = self._operations[method]

        def call(**parameters: Any) -> dict[str, Any]:
            try:
                return self._fake().answer(operation, parameters)
            except Refused as error:
                told: Any = {"Error": {"Code": error.code, "Message": error.message}}
                raise ClientError(told, operation) from error

        return call

    def get_paginator(self, method: str) -> Any:
        """Page after page."""

        def paginate(**parameters: Any) -> Iterator[dict[str, Any]]:
            more: dict[str, Any] = {}
            while True:
                page = getattr(self, method)(**parameters, **more)
                yield page
                more = {key: page[key] for key in ("nextToken", "NextToken") if key in page}
                if not more:
                    return

        return SimpleNamespace(paginate=paginate)
