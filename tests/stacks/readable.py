"""Makes a template readable and stable: a diff of two of them shows what changed and no more."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

_ASSET = re.compile(r"[0-9a-f]{64}")
_NOISE = ("BootstrapVersion", "CheckBootstrapVersion", "CDKMetadata")
# ExportsOutputFnGetAttTraining1DBE9C16Arn863F5C88 → Training1DBE9C16.Arn
_EXPORT = re.compile(r"ExportsOutput(?:FnGetAtt(\w+?[0-9A-F]{8})(\w+?)|Ref(\w+?))[0-9A-F]{8}$")
# The tag that app.py puts on everything; tests/stacks/test_intent.py looks after it.
_OUR_TAG = "bedrock-tuning:environment"
# Stands for tuning-<environment>-, the beginning of our own stacks' names; in no name of an export.
_OWN = "="
_TIDY = ("Parameters", "Rules", "Conditions", "Mappings")
_REMOVAL = ("DeletionPolicy", "UpdateReplacePolicy")
# But for a creation that fails, which leaves nothing behind.
_RETAINED = ("RetainExceptOnCreate", "Retain")
# How an alarm says when it rings.
_ALARM = (
    ("Statistic", "Namespace", "MetricName"),
    ("ComparisonOperator", "Threshold"),
    ("Period",),
    ("EvaluationPeriods",),
    ("TreatMissingData",),
)
# What is shorter stands on one line.
SHORT = 160


def resolved(template: dict[str, Any], *, environment: str = "dev") -> dict[str, Any]:
    """Intrinsics as ${…}; an import as ${stack:name} where the stack is of the same environment.

    Left out: metadata, and what is the same everywhere (our tag, the policy language's version).
    """
    foreign = json.dumps({"Fn::ImportValue": f"tuning-{environment}-"})[:-2]
    own = json.dumps({"Fn::ImportValue": _OWN})[:-2]
    template = json.loads(json.dumps(template).replace(foreign, own))
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
    return result


def readable(template: dict[str, Any], *, environment: str = "dev") -> dict[str, Any]:
    """A resolved template, said shorter and nothing lost; the state machine unfolded.

    A statement's effect and actions are one entry, a document with statements is their list; an
    export under its usual name, one removal policy for deletion and replacement, and a Retry of
    several states are said once.
    """
    result: dict[str, Any] = _shorter(resolved(template, environment=environment))
    for name, output in result.get("Outputs", {}).items():
        exported = str(output.get("Export", {}).get("Name", ""))
        if set(output) == {"Export", "Value"} and exported.endswith(f":{name}"):
            result["Outputs"][name] = {"Exported": output["Value"]}
    for resource in result.get("Resources", {}).values():
        _tidy(resource)
    return result


def dump(value: Any) -> str:
    """As YAML; every text stays on its line, so that a changed letter changes one line."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=True, width=100_000, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """What is short stands on one line; a repeated value is written out, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:
        return super().represent_sequence(tag, sequence, flow_style=_is_short(sequence))

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> Any:
        return super().represent_mapping(tag, mapping, flow_style=_is_short(mapping))


def _is_short(value: Any) -> bool:
    return len(json.dumps(value)) <= SHORT


def _tidy(resource: dict[str, Any]) -> None:
    removal = tuple(resource.get(name) for name in _REMOVAL)
    in_words = "Retain" if removal == _RETAINED else removal[0] if len({*removal}) == 1 else None
    if in_words is not None:
        for name in _REMOVAL:
            del resource[name]
        resource["WhenDeletedOrReplaced"] = in_words
    properties = resource.get("Properties", {})
    if "DashboardBody" in properties:
        properties["DashboardBody"] = json.loads(properties["DashboardBody"])
    if "Definition" in properties:
        properties["Definition"] = _machine(properties["Definition"])
    if isinstance(properties.get("Tags"), list):
        properties["Tags"] = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
    if resource["Type"] == "AWS::CloudWatch::Alarm":
        resource["Properties"] = _alarm(properties)
    if resource["Type"] == "AWS::SSM::Parameter" and isinstance(properties["Value"], dict):
        text, roles = properties["Value"]["Fn::Sub"]
        properties["Value"] = {"Json": json.loads(text), "With": roles}
    elif resource["Type"] == "AWS::SSM::Parameter":
        properties["Value"] = properties["Value"].split(", ")
    if "Uses" in properties:
        properties["Uses"] = properties["Uses"].split(", ")
    policies = properties.get("Policies")
    if policies and all(set(p) == {"PolicyDocument", "PolicyName"} for p in policies):
        properties["Policies"] = {p["PolicyName"]: p["PolicyDocument"] for p in policies}


def _alarm(properties: dict[str, Any]) -> dict[str, Any]:
    """An alarm as people say it: when it rings, and what else there is to it."""
    rest = dict(properties)
    of = ", ".join(f"{each['Name']}={each['Value']}" for each in rest.pop("Dimensions"))
    metric, rings, how_long, number, silence = (
        " ".join(str(rest.pop(name)) for name in names) for names in _ALARM
    )
    when = f"{metric} of {of}: {rings}, {number} x {how_long} s, {silence}"
    return {**rest, "RingsWhen": when}


def _machine(machine: dict[str, Any]) -> dict[str, Any]:
    """A state machine's definition; what several states have as their Retry stands in front."""
    owners: dict[str, list[dict[str, Any]]] = {}
    for state in _states(machine):
        if "Retry" in state:
            owners.setdefault(json.dumps(state["Retry"]), []).append(state)
    shared = {}
    for number, (retry, states) in enumerate(owners.items(), start=1):
        if len(states) > 1:
            shared[f"Retry{number}"] = json.loads(retry)
            for state in states:
                state["Retry"] = f"Retry{number}"
    return {**machine, "Shared": shared}


def _states(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for _, state in sorted(machine["States"].items()):
        yield state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"])


def _node(node: Any) -> Any:
    if isinstance(node, list):
        return [_node(item) for item in node]
    if isinstance(node, dict):
        short = _intrinsic(node)
        if short is not None:
            return short
        return {k: _node(v) for k, v in node.items() if not _is_the_same_everywhere(k, v)}
    return _ASSET.sub("<asset>", node) if isinstance(node, str) else node


def _shorter(node: Any) -> Any:
    if isinstance(node, list):
        return [_shorter(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _shorter(value) for key, value in node.items()}
    if set(found) == {"Statement"}:
        return found["Statement"]
    if "Effect" in found and "Action" in found:
        found[found.pop("Effect")] = found.pop("Action")
    return found


def _intrinsic(node: dict[str, Any]) -> str | None:
    if len(node) != 1:
        return None
    ((name, value),) = node.items()
    if name == "Ref":
        return f"${{{value}}}"
    if name == "Fn::GetAtt":
        return "${" + ".".join(value) + "}"
    if name == "Fn::ImportValue":
        name = _EXPORT.sub(_exported, str(_node(value)))
        own = name.startswith(_OWN)
        return f"${{{name.removeprefix(_OWN)}}}" if own else f"${{import {name}}}"
    if name == "Fn::Join":
        separator, parts = value
        if isinstance(parts, list):
            return str(separator).join(str(_node(part)) for part in parts)
    if name == "Fn::FindInMap":
        return f"${{{'.'.join(value)}}}"
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
