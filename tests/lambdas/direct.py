"""Clients that go straight to the fakes: a hundred times faster, and without any check of requests.

Most tests send every request of the handlers through boto3; those of thousands need not.
"""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from lambdas import _aws
from tests.lambdas.fakes import Fake, Refused


class Direct:
    """A client of one service. client: the real one, whose names it has."""

    def __init__(self, fake: Callable[[], Fake], client: Any) -> None:
        self._fake, self._operations = fake, client.meta.method_to_api_mapping
        self.meta, self.exceptions = client.meta, client.exceptions

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        if method in ("copy", "upload_fileobj", "download_fileobj"):
            return getattr(self, f"_{method}")  # type: ignore[no-any-return]
        operation = self._operations[method]

        def call(**parameters: Any) -> dict[str, Any]:
            try:
                return self._fake().answer(operation, parameters)
            except Refused as error:
                told: Any = {"Error": {"Code": error.code, "Message": error.message}}
                if _aws.passes(error.status, error.code):
                    raise _aws.PassingError(told, operation) from error
                raise self.exceptions.from_code(error.code)(told, operation) from error

        return call

    def _copy(self, source: dict[str, str], bucket: str, key: str, **_: Any) -> dict[str, Any]:
        """As boto3's transfers copy a small object."""
        self.head_object(**source)
        return self.copy_object(Bucket=bucket, Key=key, CopySource=source)

    def _upload_fileobj(self, file: Any, bucket: str, key: str) -> None:
        self.put_object(Bucket=bucket, Key=key, Body=file.read())

    def _download_fileobj(self, bucket: str, key: str, file: Any) -> None:
        self.head_object(Bucket=bucket, Key=key)
        file.write(self.get_object(Bucket=bucket, Key=key)["Body"].read())

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
