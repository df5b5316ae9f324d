"""What all List operations share: filters, order and pages."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from local.bedrock.errors import invalid

PAGE: Final = 100
"""Rows of a page when the caller does not say."""


def page(
    rows: Iterable[dict[str, Any]], request: Mapping[str, Any], *, answer: str, created: str
) -> dict[str, Any]:
    """One page of `rows`, oldest or youngest first, under the member `answer`.

    `created` is the member with a row's time of creation, in ISO 8601. The request's filters by
    time (creationTimeAfter/Before or createdAfter/Before), sortOrder, maxResults and nextToken
    apply.
    """
    after = request.get("creationTimeAfter") or request.get("createdAfter")
    before = request.get("creationTimeBefore") or request.get("createdBefore")
    chosen = [row for row in rows if _within(datetime.fromisoformat(row[created]), after, before)]
    chosen.sort(key=lambda row: row[created], reverse=request.get("sortOrder") != "Ascending")
    start = _start(request.get("nextToken"))
    end = start + request.get("maxResults", PAGE)
    found: dict[str, Any] = {answer: chosen[start:end]}
    if end < len(chosen):
        found["nextToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return found


def contains(name: str, request: Mapping[str, Any]) -> bool:
    """The filter nameContains, which does not care about case."""
    return str(request.get("nameContains", "")).lower() in name.lower()


def equals(value: str, request: Mapping[str, Any], filter_name: str) -> bool:
    """A filter like statusEquals; absent it lets everything through."""
    return request.get(filter_name) in (None, value)


def _within(moment: datetime, after: datetime | None, before: datetime | None) -> bool:
    return (after is None or moment > after) and (before is None or moment < before)


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error):
        raise invalid("The provided nextToken is invalid") from None
