"""Writes review/assembly/schemas.json from the schemas in cfn-lint; see test_schemas.py."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bedrock_tuning.review.assembly.identity import NAMED_TYPES

TARGET = Path(__file__).resolve().parents[3] / "bedrock_tuning/review/assembly/schemas.json"


def schema(kind: str) -> dict[str, Any]:
    """AWS's own schema of a resource type."""
    # Importing cfn-lint takes seconds, and its data lie beside its code.
    linter = find_spec("cfnlint")
    assert linter is not None
    folder = Path(str(linter.origin)).parent / "data" / "schemas"
    index = json.loads((folder / "providers" / "us-east-1.json").read_text("utf-8"))
    text = (folder / "resources" / f"{index[kind]}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def schemas() -> dict[str, dict[str, Any]]:
    """Per resource type: whether it takes tags, and properties of which a change replaces it."""
    result = {}
    for kind in sorted(NAMED_TYPES):
        own = schema(kind)
        result[kind] = {
            "taggable": bool(own.get("tagging", {}).get("taggable")),
            "create_only": sorted(
                path.removeprefix("/properties/").replace("/", ".")
                for key in ("createOnlyProperties", "conditionalCreateOnlyProperties")
                for path in own.get(key, ())
            ),
        }
    return result


def text() -> str:
    """The file."""
    return f"{json.dumps(schemas(), indent=2)}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
