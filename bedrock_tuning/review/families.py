"""Customizations whose stacks differ in their names and values only: one of them is proved for all.

The others are that one with another name at the same places, in the template and in the contract
alike; and what the checks decide does not depend on how a customization is called. So a proof takes
as long for three hundred of them as for one.
"""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from bedrock_tuning.config import deployed
from bedrock_tuning.config.names import stack_name
from bedrock_tuning.contracts import Contracts, Role
from bedrock_tuning.contracts.contract import PLACEHOLDER
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Assembly


def reduced(assembly: Assembly, contracts: Contracts) -> tuple[Assembly, Contracts]:
    """Both with one customization of each shape."""
    roles: dict[str, list[Role]] = defaultdict(list)
    for role in contracts.principals:
        roles[role.place.stack].append(role)
    # Whether folders and roles are shared can only be seen on all that are named.
    shared_folders = {
        folder.partition("/")[0]
        for values in contracts.settings.values()
        for folder in (*values["folders"], values["job"]["output_folder"])
        if folder
    }
    shapes: set[str] = set()
    duplicates: set[str] = set()
    for name in contracts.settings:
        settings = contracts.settings[name]
        override = settings["job"]["output_folder"] or settings["job"]["service_role"]
        is_single = name in shared_folders or settings["folders"] or override
        shape = "" if is_single else _shape(assembly, contracts, name, roles[name])
        if shape in shapes:
            duplicates.add(name)
        elif shape:
            shapes.add(shape)
    return without(assembly, _stacks(contracts, duplicates)), contracts.without(duplicates)


def _stacks(contracts: Contracts, names: set[str]) -> set[str]:
    return {stack_name(contracts.environment, name) for name in names}


def _shape(assembly: Assembly, contracts: Contracts, name: str, roles: list[Role]) -> str:
    """Template and contract without name and values; "" if a value is not what its contract says.

    Such a stack is judged by itself, which tells what is wrong with it.
    """
    (stack,) = _stacks(contracts, {name})
    template = assembly.templates.get(stack)
    if template is None:
        return ""
    resources = template.get("Resources", {})
    outline: dict[str, Any] = {
        **resources,
        "Settings": _blank_settings(resources.get("Settings", {}), contracts.settings[name]),
        "Throughput": _blank_serving(resources.get("Throughput", {}), contracts, name),
    }
    budget = contracts.places.get(f"budget.{name}")
    if budget is not None:
        outline["Budget"] = _blank_budget(resources.get("Budget", {}), budget.properties)
    if None in outline.values():
        return ""
    # Not in the template: where, and how it is deployed.
    about = (assembly.regions.get(stack), assembly.protected.get(stack), assembly.tags.get(stack))
    text = json.dumps([{**template, "Resources": outline}, repr(about), repr(roles)])
    text = text.replace(f"{stack}/", "«stack»/")
    return re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "«name»", text)


def _blank_settings(raw: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any] | None:
    parts = get(raw, "Properties", "Value", "Fn::Sub")
    if not isinstance(parts, list) or parts[:1] != [deployed.template_text(values)]:
        return None
    properties = {**raw["Properties"], "Value": {"Fn::Sub": ["«settings»", *parts[1:]]}}
    return {**raw, "Properties": properties}


def _blank_serving(
    raw: Mapping[str, Any], contracts: Contracts, name: str
) -> dict[str, Any] | None:
    """What refers to something else stays."""
    properties = raw.get("Properties", {})
    values = {
        key: value
        for key, value in contracts.places[f"serving.{name}"].properties.items()
        if not PLACEHOLDER.fullmatch(value)
    }
    if any(properties.get(key) != value for key, value in values.items()):
        return None
    return {**raw, "Properties": {**properties, **dict.fromkeys(values, "«value»")}}


def _blank_budget(raw: Mapping[str, Any], budget: Mapping[str, Any]) -> dict[str, Any] | None:
    return {**raw, "Properties": "«budget»"} if raw.get("Properties") == budget else None


def without(assembly: Assembly, stacks: Collection[str]) -> Assembly:
    """An assembly without some of its stacks, which nothing else in it refers to."""

    def stays(where: str) -> bool:
        return where.partition("/")[0] not in stacks

    return replace(
        assembly,
        templates={name: raw for name, raw in assembly.templates.items() if name not in stacks},
        resources=[resource for resource in assembly.resources if resource.stack not in stacks],
        unresolved=[problem for problem in assembly.unresolved if stays(problem[0])],
        dangling=[problem for problem in assembly.dangling if stays(problem[0])],
        tags={name: tags for name, tags in assembly.tags.items() if name not in stacks},
        _arns={},
    )
