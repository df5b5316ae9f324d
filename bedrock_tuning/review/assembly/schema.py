"""Whether a resource has the form that CloudFormation demands: names, types, values, completeness.

The schemas are AWS's own, cut down to what this needs (tests/review/assembly/make_schemas.py).
Without this a misspelled property would be a setting that silently is not there.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.review.assembly.template import UNRESOLVED, Resource

_FILE: Final = Path(__file__).with_name("schemas.json")
_ATTRIBUTES: Final = frozenset(
    {
        "Type",
        "Properties",
        "DependsOn",
        "Metadata",
        "Condition",
        "DeletionPolicy",
        "UpdateReplacePolicy",
    }
)
_DELETION: Final = ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot")


@cache
def schemas() -> Mapping[str, Any]:
    """The schema of each type that this review knows."""
    found: Mapping[str, Any] = json.loads(_FILE.read_text("utf-8"))
    return found


def problems(resource: Resource) -> Iterator[str]:
    """What CloudFormation would refuse about a resource, or silently ignore."""
    for name in resource.raw:
        if name not in _ATTRIBUTES:
            yield f"unknown attribute {name}"
    for name in ("DeletionPolicy", "UpdateReplacePolicy"):
        value = resource.raw.get(name)
        if value is not None and value not in _DELETION:
            yield f"{name} is {value!r}, not one of {', '.join(_DELETION)}"
    schema = schemas().get(resource.type)
    if schema is not None:
        yield from _problems(resource.properties, schema, "Properties")


def _problems(value: Any, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    if isinstance(value, str) and UNRESOLVED in value:
        return
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield f"{where} is {value!r}, not a {' or '.join(kinds)}"
        return
    if "enum" in schema and value not in schema["enum"] and str(value) not in schema["enum"]:
        yield f"{where} is {value!r}, not one of {', '.join(map(str, schema['enum']))}"
    if isinstance(value, Mapping) and "properties" in schema:
        known = schema["properties"]
        for name, inner in value.items():
            if name in known:
                yield from _problems(inner, known[name], f"{where}.{name}")
            elif schema.get("additionalProperties") is False:
                yield f"{where}.{name} is no property of this type"
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{where}.{name} is missing"
    if isinstance(value, list) and "items" in schema:
        for number, inner in enumerate(value):
            yield from _problems(inner, schema["items"], f"{where}[{number}]")


def _is(value: Any, kind: str) -> bool:
    """Whether a value is of a JSON type; CloudFormation turns texts into numbers and booleans."""
    match kind:
        case "object":
            return isinstance(value, Mapping)
        case "array":
            return isinstance(value, list)
        case "boolean":
            return isinstance(value, bool) or value in ("true", "false")
        case "integer":
            return _number(value) is not None and float(value).is_integer()
        case "number":
            return _number(value) is not None
        case "string":
            return isinstance(value, str | int | float)
    return False


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
