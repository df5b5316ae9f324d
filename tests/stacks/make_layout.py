"""Keeps of a cdk.out what a later version must not change: run in a checkout of the old version.

    git worktree add --detach ../old c42bc81; cd ../old; python app.py
    python -m tests.stacks.make_layout ../old/cdk.out > tests/stacks/data/c42bc81.json

The environment dev had vpc and model_key on.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.review.assembly.identity import create_only

# What holds data, or is known by its name outside: a new one would not be the old one.
KEPT: Final = (
    "AWS::DynamoDB::Table",
    "AWS::EC2::VPC",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
)


def layout(folder: Path) -> dict[str, Any]:
    """By stack: what is kept with all that cannot be changed in place, and what others import."""
    templates = {
        file.name.removesuffix(".template.json"): json.loads(file.read_text("utf-8"))
        for file in sorted(folder.glob("*.template.json"))
    }
    imported = {str(name) for each in templates.values() for name in _imports(each)}
    return {
        stack: {"kept": dict(_kept(raw)), "imported": dict(_exports(raw, imported))}
        for stack, raw in templates.items()
    }


def _kept(raw: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for logical_id, resource in raw["Resources"].items():
        if resource["Type"] in KEPT:
            properties = resource.get("Properties", {})
            forced = {
                name: properties[name]
                for name in create_only(resource["Type"])
                if name in properties
            }
            yield logical_id, {"Type": resource["Type"], **forced}


def _exports(raw: dict[str, Any], imported: set[str]) -> Iterator[tuple[str, Any]]:
    for output in raw.get("Outputs", {}).values():
        name = output.get("Export", {}).get("Name")
        if name in imported:
            yield name, output["Value"]


def _imports(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "Fn::ImportValue":
                yield inner
            else:
                yield from _imports(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _imports(inner)


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(layout(Path(sys.argv[1])), indent=1)}\n")
