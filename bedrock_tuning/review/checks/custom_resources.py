"""Checks of custom resources and settings: each belongs to a contract, and says exactly that."""

import json
from collections.abc import Iterator
from typing import Any

from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG
from bedrock_tuning.contracts.written.customization import PARAMETER, SERVING
from bedrock_tuning.review.assembly.manifest import once
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.check import Evidence, Violation, check, differing, found, unlike
from bedrock_tuning.review.checks.resources import FILE_FIX
from bedrock_tuning.review.iam.policy import as_list


@check(
    "M803",
    "Every customization is served as its file says, by the function of its contract.",
    fix=FILE_FIX,
)
def serving(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, SERVING)
    for name in evidence.bound.contracts.settings:
        resource = evidence.contracted.get(f"serving.{name}")
        first = evidence.contracted.get(f"settings.{name}")
        if resource is None or first is None:
            continue
        if first.logical_id not in as_list(resource.raw.get("DependsOn", [])):
            yield found(
                resource,
                "it does not depend on the settings",
                "its function reads them: they are written first, and deleted last",
                "Call node.add_dependency of it with the parameter",
            )


@check(
    "M805",
    "Every customization's settings say what its file says, and name its own roles.",
    fix=FILE_FIX,
)
def settings(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    yield from differing(evidence, PARAMETER)
    for name, values in contracts.settings.items():
        resource = evidence.contracted.get(f"settings.{name}")
        if resource is None:
            continue
        tags = {CUSTOMIZATION_TAG: name, ENVIRONMENT_TAG: contracts.environment}
        expected = {"Tags": {**values["tags"], **tags}, **values, **_roles(evidence, name)}
        actual = {
            "Tags": as_whole(resource.properties.get("Tags")),
            **_parse_parameter(str(resource.properties.get("Value"))),
        }
        limit = f"customizations/{name}.toml says {{}}"
        yield from unlike(resource, actual, expected, exactly=True, limit=limit)


def _roles(evidence: Evidence, name: str) -> dict[str, str]:
    """The roles of a customization, as its settings call them, with their ARNs."""
    kinds = {"service_role": "bedrock"}
    if evidence.bound.contracts.chosen.jobs_started_by == "starter":
        kinds["starter_role"] = "start"
    return {
        setting: evidence.bound.fill(f"{{role.{kind}.{name}}}") for setting, kind in kinds.items()
    }


def _parse_parameter(text: str) -> dict[str, Any]:
    """What a parameter says; its text where it is no JSON object, or says something twice."""
    try:
        return dict(json.loads(text, object_pairs_hook=once))
    except (TypeError, ValueError):
        return {"Value": text}
