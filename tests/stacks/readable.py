"""Makes a template readable and stable: a diff of two of them shows what changed and no more."""

import json
import re
from typing import Any

_ASSET = re.compile(r"[0-9a-f]{64}")
_NOISE = ("BootstrapVersion", "CheckBootstrapVersion", "CDKMetadata")
# ExportsOutputFnGetAttTraining1DBE9C16Arn863F5C88 → Training1DBE9C16.Arn
_EXPORT = re.compile(r"ExportsOutput(?:FnGetAtt(\w+?[0-9A-F]{8})(\w+?)|Ref(\w+?))[0-9A-F]{8}$")
# The tag that app.py puts on everything; tests/stacks/test_intent.py looks after it.
_OUR_TAG = "bedrock-tuning:environment"
_TIDY = ("Parameters", "Rules", "Conditions", "Mappings")


def readable(template: dict[str, Any]) -> dict[str, Any]:
    """Intrinsics as ${…}, hashes of assets masked, the state machine unfolded, ids kept.

    Left out: what is the same everywhere (our tag, the policy language's version).
    """
    result: dict[str, Any] = {}
    for section, content in template.items():
        if section in _TIDY:
            content = {k: v for k, v in content.items() if k not in _NOISE}
            if not content:
                continue
        result[section] = _node(content)
    for resource in result.get("Resources", {}).values():
        metadata = resource.get("Metadata", {})
        for key in [k for k in metadata if k.startswith("aws:")]:
            del metadata[key]
        if not metadata:
            resource.pop("Metadata", None)
        properties = resource.get("Properties", {})
        if "DefinitionString" in properties:
            properties["DefinitionString"] = json.loads(properties["DefinitionString"])
    return result


def _node(node: Any) -> Any:
    if isinstance(node, list):
        return [_node(item) for item in node]
    if isinstance(node, dict):
        short = _intrinsic(node)
        if short is not None:
            return short
        return {k: _node(v) for k, v in node.items() if not _is_the_same_everywhere(k, v)}
    return _ASSET.sub("<asset>", node) if isinstance(node, str) else node


def _intrinsic(node: dict[str, Any]) -> str | None:
    if len(node) != 1:
        return None
    ((name, value),) = node.items()
    if name == "Ref":
        return f"${{{value}}}"
    if name == "Fn::GetAtt":
        return "${" + ".".join(value) + "}"
    if name == "Fn::ImportValue":
        return f"${{import {_EXPORT.sub(_exported, str(_node(value)))}}}"
    if name == "Fn::Join":
        separator, parts = value
        if isinstance(parts, list):
            return str(separator).join(str(_node(part)) for part in parts)
    if name == "Fn::Sub" and isinstance(value, str):
        return value
    return None


def _exported(match: re.Match[str]) -> str:
    name, attribute, reference = match.groups()
    return f"{name}.{attribute}" if name else str(reference)


def _is_the_same_everywhere(key: str, value: Any) -> bool:
    if key == "Version":
        return bool(value == "2012-10-17")
    return key == "Tags" and isinstance(value, list) and [t["Key"] for t in value] == [_OUR_TAG]
