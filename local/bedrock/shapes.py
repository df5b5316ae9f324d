"""Requests and answers by botocore's model of the service: routes, types, limits and patterns."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from local.bedrock.errors import BedrockError, invalid

# The published pattern of job names backtracks without end on names like "a-------_". The safe
# form accepts the same strings (compared exhaustively on short ones; docs/facts/api.md#patterns).
_BACKTRACKING: Final = r"[a-zA-Z0-9](-*[a-zA-Z0-9\+\-\.])*"
_SAFE: Final = r"[a-zA-Z0-9][a-zA-Z0-9+.\-]*"
_SHOWN: Final = 200
"""Characters of a refused value that a message repeats."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation's method and path; `labels` are the path's parameters."""

    operation: str
    method: str
    path: re.Pattern[str]
    specificity: int


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A parsed and checked request: members by their API names."""

    operation: str
    members: Mapping[str, Any]


def parse(
    service: str,
    *,
    method: str,
    path: str,
    query: Mapping[str, list[str]],
    headers: Mapping[str, str],
    body: bytes,
) -> ApiRequest:
    """The operation and its members, checked against every constraint of the model.

    `service` is botocore's name. Raises BedrockError: UnknownOperation as ValidationException.
    """
    for route in _routes(service):
        match = route.path.fullmatch(path)
        if route.method == method and match:
            break
    else:
        raise invalid(f"The Bedrock simulator knows no operation {method} {path}")
    shape = _model(service).operation_model(route.operation).input_shape
    if shape is None:
        return ApiRequest(route.operation, {})
    members = dict(_located(shape, match.groupdict(), query, headers))
    payload = shape.serialization.get("payload")
    if payload is not None:
        if body:
            members[payload] = body
    elif body:
        members.update(_json_object(body))
    problems = list(_problems(members, shape, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise invalid(f"{count}: {'; '.join(problems)}")
    return ApiRequest(route.operation, members)


def answer(service: str, operation: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Only those members that the operation's answer has, without the absent ones."""
    shape = _model(service).operation_model(operation).output_shape
    known = shape.members if shape is not None else {}
    return {name: value for name, value in members.items() if name in known and value is not None}


def summary(service: str, shape: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """The same for one row of a list: `shape` is the row's."""
    known = _model(service).shape_for(shape).members
    return {name: value for name, value in members.items() if name in known and value is not None}


def success_status(service: str, operation: str) -> int:
    status: int = _model(service).operation_model(operation).http.get("responseCode", 200)
    return status


def operations(service: str) -> frozenset[str]:
    return frozenset(_model(service).operation_names)


@cache
def _model(service: str) -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model(service)


@cache
def _routes(service: str) -> tuple[Route, ...]:
    """Most specific first, so that `…/{id}/stop` wins over `…/{id}`."""
    routes = []
    model = _model(service)
    for name in model.operation_names:
        http = model.operation_model(name).http
        template = http["requestUri"].split("?")[0]
        fixed = re.sub(r"\{[^}]+\}", "", template)
        # An ARN in the path has slashes: the server decodes them before it routes.
        pattern = re.sub(r"\\\{(\w+)\\?\+?\\\}", r"(?P<\1>.+)", re.escape(template))
        routes.append(Route(name, http["method"], re.compile(pattern), len(fixed)))
    return tuple(sorted(routes, key=lambda route: -route.specificity))


def _located(
    shape: Any,
    labels: Mapping[str, str],
    query: Mapping[str, list[str]],
    headers: Mapping[str, str],
) -> Iterator[tuple[str, Any]]:
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                yield name, labels[wire]
            case "querystring" if wire in query:
                yield name, _from_text(query[wire][0], member, name)
            case "header" if wire.lower() in headers:
                yield name, headers[wire.lower()]


def _from_text(text: str, shape: Any, name: str) -> Any:
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "boolean":
                return {"true": True, "false": False}[text]
            case "timestamp":
                return datetime.fromisoformat(text)
            case _:
                return text
    except (KeyError, ValueError):
        raise invalid(f"{name}: {text!r} is not a {shape.type_name}") from None


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BedrockError("ValidationException", "The request body is not a JSON object")
    return value


def _problems(value: Any, shape: Any, place: str) -> Iterator[str]:
    """Every constraint that `value` breaks, each worded as the service does."""
    if not _is_type(value, shape):
        yield f"Value at '{place}' is not of type {shape.type_name}"
        return
    yield from _constraint_problems(value, shape, place)
    match shape.type_name:
        case "structure":
            yield from _structure_problems(value, shape, place)
        case "list":
            for index, item in enumerate(value, 1):
                yield from _problems(item, shape.member, f"{place}.{index}.member")
        case "map":
            for key, item in value.items():
                yield from _problems(key, shape.key, f"{place}.key")
                yield from _problems(item, shape.value, f"{place}.{key}")


def _structure_problems(value: Mapping[str, Any], shape: Any, place: str) -> Iterator[str]:
    prefix = f"{place}." if place else ""
    for name in shape.required_members:
        if value.get(name) is None:
            yield (
                f"Value null at '{prefix}{name}' failed to satisfy constraint: "
                "Member must not be null"
            )
    for name, item in value.items():
        if name not in shape.members:
            yield f"Unknown member '{prefix}{name}'"
        elif item is not None:
            yield from _problems(item, shape.members[name], f"{prefix}{name}")
    given = [name for name in shape.members if value.get(name) is not None]
    if getattr(shape, "is_tagged_union", False) and len(given) != 1:
        yield f"Value at '{place}' must have exactly one member of {sorted(shape.members)}"


def _constraint_problems(value: Any, shape: Any, place: str) -> Iterator[str]:
    limits = shape.metadata
    measured = shape.type_name in ("string", "list", "map", "blob")
    size = len(value) if measured else value
    what = "length " if measured else "value "
    rules = []
    if "min" in limits and size < limits["min"]:
        rules.append(f"have {what}greater than or equal to {limits['min']}")
    if "max" in limits and size > limits["max"]:
        rules.append(f"have {what}less than or equal to {limits['max']}")
    if "enum" in limits and value not in limits["enum"]:
        rules.append(f"satisfy enum value set: [{', '.join(limits['enum'])}]")
    too_long = "max" in limits and size > limits["max"]
    if "pattern" in limits and not too_long and not _pattern(limits["pattern"]).fullmatch(value):
        rules.append(f"satisfy regular expression pattern: {limits['pattern']}")
    shown = "…" if measured and not isinstance(value, str) else str(value)[:_SHOWN]
    for rule in rules:
        yield f"Value '{shown}' at '{place}' failed to satisfy constraint: Member must {rule}"


@cache
def _pattern(published: str) -> re.Pattern[str]:
    return re.compile(published.replace(_BACKTRACKING, _SAFE))


def _is_type(value: Any, shape: Any) -> bool:
    match shape.type_name:
        case "structure" | "map":
            return isinstance(value, dict)
        case "list":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "integer" | "long":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float" | "double":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "blob":
            return isinstance(value, bytes | str)
        case _:
            return True
