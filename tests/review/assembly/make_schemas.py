"""Writes review/assembly/schemas.json from the schemas in cfn-lint; see test_schemas.py."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cfnlint.data.schemas as carried

from bedrock_tuning.review.assembly.identity import KINDS

TARGET = Path(__file__).resolve().parents[3] / "bedrock_tuning/review/assembly/schemas.json"
_KEEP = ("type", "enum", "required", "additionalProperties")


def schemas() -> dict[str, Any]:
    """Per resource type: names, types, enumerations and required properties, nothing else."""
    folder = Path(str(carried.__file__)).parent
    index = json.loads((folder / "providers" / "us-east-1.json").read_text("utf-8"))
    found = {}
    for kind in sorted(KINDS):
        schema = json.loads((folder / "resources" / f"{index[kind]}.json").read_text("utf-8"))
        found[kind] = {
            **_trimmed(schema, schema.get("definitions", {}), ()),
            # A change of these makes CloudFormation replace the resource.
            "createOnly": sorted(
                path.removeprefix("/properties/").replace("/", ".")
                for key in ("createOnlyProperties", "conditionalCreateOnlyProperties")
                for path in schema.get(key, ())
            ),
        }
    return found


def _trimmed(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], seen: tuple[str, ...]
) -> dict[str, Any]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        inner = definitions.get(name, {})
        return {} if name in seen else _trimmed(inner, definitions, (*seen, name))
    found = {key: schema[key] for key in _KEEP if key in schema}
    if "properties" in schema:
        found["properties"] = {
            name: _trimmed(inner, definitions, seen) for name, inner in schema["properties"].items()
        }
    if "items" in schema:
        found["items"] = _trimmed(schema["items"], definitions, seen)
    return found


def text() -> str:
    """The file: one line per type, so that a diff shows which types changed."""
    lines = (
        f"{json.dumps(kind)}: {json.dumps(schema, separators=(',', ':'), sort_keys=True)}"
        for kind, schema in schemas().items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
