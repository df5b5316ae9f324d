"""Writes review/assembly/create_only.json from the schemas in cfn-lint; see test_create_only.py."""

import json
from importlib.util import find_spec
from pathlib import Path

from bedrock_tuning.review.assembly.identity import KINDS

TARGET = Path(__file__).resolve().parents[3] / "bedrock_tuning/review/assembly/create_only.json"


def create_only() -> dict[str, list[str]]:
    """Per resource type: properties of which a change makes CloudFormation replace the resource."""
    # Importing cfn-lint takes seconds, and its data lie beside its code.
    linter = find_spec("cfnlint")
    assert linter is not None
    folder = Path(str(linter.origin)).parent / "data" / "schemas"
    index = json.loads((folder / "providers" / "us-east-1.json").read_text("utf-8"))
    found = {}
    for kind in sorted(KINDS):
        schema = json.loads((folder / "resources" / f"{index[kind]}.json").read_text("utf-8"))
        paths = sorted(
            path.removeprefix("/properties/").replace("/", ".")
            for key in ("createOnlyProperties", "conditionalCreateOnlyProperties")
            for path in schema.get(key, ())
        )
        if paths:
            found[kind] = paths
    return found


def text() -> str:
    """The file."""
    return f"{json.dumps(create_only(), indent=2)}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
