"""Stacks of customizations in a comparison: one that is like another one is one line.

Whoever may do what for a new customization is what the others' stacks show already, with another
name at the same places. What is different is told in full.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.contracts.written.customization import SERVING
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.run.exposure import MONEY

_PARAMETER: Final = "AWS::SSM::Parameter"
# What the section about money tells, under the names that settings have for it.
_MONEY_SETTINGS: Final = ("serving", "budget")
# Of the custom resource: what it costs is compared by itself, what jobs use as rights of roles.
_ELSEWHERE: Final = (*MONEY, "Uses")
_MODEL: Final = re.compile(r"foundation-model/[\w.:-]+(?=\")", re.ASCII)
_BY_EACH_ID: Final = re.compile(r'("[^"]*foundation-model/«model»")(?:, \1)+')


def names(assembly: Assembly) -> dict[str, str]:
    """The customizations of an assembly by their stacks."""
    return {
        resource.stack: str(resource.properties.get("Customization"))
        for resource in assembly.of_type(SERVING)
    }


def like_others(before: Assembly, after: Assembly) -> set[str]:
    """Stacks of new customizations that allow what an earlier customization's stack allows."""
    known_outlines = {_outline(before, stack, name) for stack, name in names(before).items()}
    return {
        stack
        for stack, name in names(after).items()
        if stack not in before.templates and _outline(after, stack, name) in known_outlines
    }


def _outline(assembly: Assembly, stack: str, name: str) -> str:
    """A template without its customization's name, values, base model and tags."""
    resources = {
        logical_id: {**raw, "Properties": _without_values(raw)}
        for logical_id, raw in assembly.templates[stack].get("Resources", {}).items()
    }
    text = json.dumps({**assembly.templates[stack], "Resources": resources})
    text = _MODEL.sub("foundation-model/«model»", text)
    # A base model has one id or two, and whoever may use it may use it by both.
    text = _BY_EACH_ID.sub(r"\1", text)
    return re.sub(
        rf"(?<![\w-]){re.escape(name)}(?![\w-])", "«name»", text.replace(stack, "«stack»")
    )


def _without_values(raw: Mapping[str, Any]) -> dict[str, Any]:
    properties = {
        name: value for name, value in raw.get("Properties", {}).items() if name != "Tags"
    }
    if raw.get("Type") == SERVING:
        return properties | {name: "«value»" for name in _ELSEWHERE if name in properties}
    settings = get(properties, "Value", "Fn::Sub")
    if raw.get("Type") == _PARAMETER and isinstance(settings, list):
        return properties | {"Value": {"Fn::Sub": ["«settings»", *settings[1:]]}}
    return properties


def compared(resource: Resource) -> dict[str, Any]:
    """A resource's properties as a comparison reads them: settings one by one, money elsewhere."""
    if resource.type == SERVING:
        return {
            name: value for name, value in resource.properties.items() if name not in _ELSEWHERE
        }
    if resource.type == _PARAMETER:
        return dict(_settings(resource))
    return resource.properties


def _settings(resource: Resource) -> Iterator[tuple[str, Any]]:
    for name, value in resource.properties.items():
        try:
            settings = json.loads(str(value)) if name == "Value" else None
        except ValueError:
            settings = None
        if isinstance(settings, dict):
            yield (
                name,
                {key: value for key, value in settings.items() if key not in _MONEY_SETTINGS},
            )
        else:
            yield name, value
