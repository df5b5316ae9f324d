"""Requests and answers by botocore's model of the service: routes, types, limits and patterns."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

import msgspec

from local.bedrock.errors import invalid
from local.emulator.requests import ServiceRequest

# The published pattern of job names backtracks without end on names like "a-------_". The safe
# form accepts the same strings (compared exhaustively on short ones; docs/facts/api.md#patterns).
_BACKTRACKING: Final = r"[a-zA-Z0-9](-*[a-zA-Z0-9\+\-\.])*"
_SAFE: Final = r"[a-zA-Z0-9][a-zA-Z0-9+.\-]*"
_SHOWN: Final = 200
"""Characters of a refused value that a message repeats."""


def parse(request: ServiceRequest) -> tuple[str, dict[str, Any]]:
    """The operation and its members, checked against every constraint of the model.

    Raises BedrockError: UnknownOperation as ValidationException.
    """
    operation, labels = _route(request.service, request.method, request.path)
    shape = _model(request.service).operation_model(operation).input_shape
    if shape is None:
        return operation, {}
    members = dict(_located_members(shape, labels, request))
    payload = shape.serialization.get("payload")
    if payload is not None:
        if request.body:
            members[payload] = request.body
    elif request.body:
        members.update(_json_object(request.body))
    _require_valid(members, shape)
    return operation, members


def answer(service: str, operation: str, members: Mapping[str, Any]) -> Any:
    """Only what the operation's answer has, at every level, without the absent."""
    return _trim(members, _model(service).operation_model(operation).output_shape)


def _trim(value: Any, shape: Any) -> Any:
    match getattr(shape, "type_name", "structure"):
        case "structure":
            members = shape.members if shape is not None else {}
            return {
                name: _trim(item, members[name])
                for name, item in value.items()
                if name in members and item is not None
            }
        case "list":
            return [_trim(item, shape.member) for item in value]
        case _:
            return value


def rows(service: str, operation: str) -> str:
    """The member of a List operation's answer that holds the rows."""
    members = _model(service).operation_model(operation).output_shape.members
    (name,) = (name for name, shape in members.items() if shape.type_name == "list")
    return str(name)


def success_status(service: str, operation: str) -> int:
    status: int = _model(service).operation_model(operation).http.get("responseCode", 200)
    return status


@cache
def errors(service: str) -> dict[str, int]:
    """The HTTP status of each class of errors."""
    model = _model(service)
    shapes = {name: model.shape_for(name).metadata for name in model.shape_names}
    return {
        name: limits["error"]["httpStatusCode"]
        for name, limits in shapes.items()
        if limits.get("exception")
    }


def operations(service: str) -> frozenset[str]:
    return frozenset(_model(service).operation_names)


@cache
def _model(service: str) -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model(service)


def _route(service: str, method: str, path: str) -> tuple[str, Mapping[str, str]]:
    """The operation of a path, and the path's parameters."""
    for operation, pattern in _routes(service, method):
        match = pattern.fullmatch(path)
        if match:
            return operation, match.groupdict()
    raise invalid(f"The Bedrock simulator knows no operation {method} {path}")


@cache
def _routes(service: str, method: str) -> list[tuple[str, re.Pattern[str]]]:
    """Operations by path, most specific first, so that `…/{id}/stop` wins over `…/{id}`."""
    model = _model(service)
    paths = {}
    for name in model.operation_names:
        http = model.operation_model(name).http
        if http["method"] == method:
            paths[name] = http["requestUri"].split("?")[0]
    # An ARN in the path has slashes: the server decodes them before it routes.
    return [
        (name, re.compile(re.sub(r"\\\{(\w+)\\?\+?\\\}", r"(?P<\1>.+)", re.escape(path))))
        for name, path in sorted(paths.items(), key=lambda item: -len(_without_labels(item[1])))
    ]


def _without_labels(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "", path)


def _located_members(
    shape: Any, labels: Mapping[str, str], request: ServiceRequest
) -> Iterator[tuple[str, Any]]:
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                yield name, labels[wire]
            case "querystring" if wire in request.query:
                yield name, _from_text(request.query[wire][0], member, name)
            case "header" if wire.lower() in request.headers:
                yield name, request.headers[wire.lower()]


def _from_text(text: str, shape: Any, name: str) -> Any:
    types = {"integer": int, "long": int, "boolean": bool, "timestamp": datetime}
    try:
        return msgspec.convert(text, types.get(shape.type_name, str), strict=False)
    except msgspec.ValidationError:
        raise invalid(f"{name}: {text!r} is not a {shape.type_name}") from None


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise invalid("The request body is not a JSON object")
    return value


def _require_valid(members: Mapping[str, Any], shape: Any) -> None:
    """Types and presence are botocore's to check; values are checked here, since it does not."""
    from botocore.validate import ParamValidator

    report = ParamValidator().validate(members, shape)
    if report.has_errors():
        raise invalid(report.generate_report())
    problems = list(_problems(members, shape, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise invalid(f"{count}: {'; '.join(problems)}")


def _problems(value: Any, shape: Any, place: str) -> Iterator[str]:
    """Every limit that a value of the right type breaks, each worded as the service does."""
    yield from _limit_problems(value, shape, place)
    match shape.type_name:
        case "structure":
            prefix = f"{place}." if place else ""
            for name, item in value.items():
                yield from _problems(item, shape.members[name], f"{prefix}{name}")
        case "list":
            for index, item in enumerate(value, 1):
                yield from _problems(item, shape.member, f"{place}.{index}.member")
        case "map":
            for key, item in value.items():
                yield from _problems(key, shape.key, f"{place}.key")
                yield from _problems(item, shape.value, f"{place}.{key}")


def _limit_problems(value: Any, shape: Any, place: str) -> Iterator[str]:
    limits = shape.metadata
    has_length = shape.type_name in ("string", "list", "map", "blob")
    size, noun = (len(value), "length ") if has_length else (value, "value ")
    rules = []
    if "max" in limits and size > limits["max"]:
        rules.append(f"have {noun}less than or equal to {limits['max']}")
    # A pattern is not tried on more text than the service takes.
    elif "pattern" in limits and not _pattern(limits["pattern"]).fullmatch(value):
        rules.append(f"satisfy regular expression pattern: {limits['pattern']}")
    if "enum" in limits and value not in limits["enum"]:
        rules.append(f"satisfy enum value set: [{', '.join(limits['enum'])}]")
    excerpt = "…" if has_length and not isinstance(value, str) else str(value)[:_SHOWN]
    for rule in rules:
        yield f"Value '{excerpt}' at '{place}' failed to satisfy constraint: Member must {rule}"


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.replace(_BACKTRACKING, _SAFE))
