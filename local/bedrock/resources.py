"""What every kind of resource can do: get, list and tag."""

import base64
import binascii
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from local.bedrock import shapes
from local.bedrock.caller import Caller
from local.bedrock.data.records import BedrockResource
from local.bedrock.errors import invalid
from local.bedrock.simulator import Members, Simulator, require_tag_count

# Bytes are a stream of events.
Operation = Callable[[Simulator, Caller, Members], dict[str, Any] | bytes]
_PAGE: Final = 100
"""Rows of a page when the caller does not say."""


def get(kind: str) -> Operation:
    """The operation that answers with one resource, which its only parameter names."""

    def operation(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
        (identifier,) = request.values()
        resource = simulator.find(kind, identifier)
        caller.authorize(resource.arn, resource_tags=resource.tags)
        with simulator.lock:
            return dict(resource.members)

    return operation


def listed(kind: str) -> Operation:
    """The operation that lists a kind: filtered, in order of creation, in pages.

    A filter's name says what it compares: `statusEquals`, `nameContains`, `creationTimeAfter` …
    """

    def operation(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
        caller.authorize("*")
        with simulator.lock:
            rows = [
                dict(resource.members)
                for resource in simulator.all(kind)
                if _matches(resource, request)
            ]
        descending = request.get("sortOrder") != "Ascending"
        rows.sort(key=lambda row: str(row["creationTime"]), reverse=descending)
        start = _start(request.get("nextToken"))
        end = start + request.get("maxResults", _PAGE)
        page: dict[str, Any] = {shapes.rows("bedrock", caller.operation): rows[start:end]}
        if end < len(rows):
            page["nextToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
        return page

    return operation


def _matches(resource: BedrockResource, request: Members) -> bool:
    return all(_filters(resource, request))


def _filters(resource: BedrockResource, request: Members) -> Iterator[bool]:
    for name, value in request.items():
        if name == "nameContains":
            yield value.lower() in resource.name.lower()
        elif name.endswith("Equals"):
            yield resource.members.get(name.removesuffix("Equals")) == value
        elif name.endswith("After"):
            yield _creation(resource) > value
        elif name.endswith("Before"):
            yield _creation(resource) < value
        elif name == "modelStatus":
            yield resource.members[name] == value
        elif name == "isOwned":
            yield bool(value)  # no other account shares models here


def _creation(resource: BedrockResource) -> datetime:
    return datetime.fromisoformat(resource.members["creationTime"])


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error):
        raise invalid("The provided nextToken is invalid") from None


def tag(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    resource = simulator.tagged(request["resourceARN"])
    new_tags = {entry["key"]: entry["value"] for entry in request["tags"]}
    caller.authorize(resource.arn, request_tags=new_tags, resource_tags=resource.tags)
    with simulator.lock:
        require_tag_count(resource.tags | new_tags, arn=resource.arn)
        resource.tags = resource.tags | new_tags
    return {}


def tags(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    resource = simulator.tagged(request["resourceARN"])
    caller.authorize(resource.arn, resource_tags=resource.tags)
    return {"tags": [{"key": key, "value": value} for key, value in resource.tags.items()]}
