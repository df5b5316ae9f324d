"""Checks of custom resources and settings: each belongs to a contract, and says exactly that."""

import json
from collections.abc import Iterator
from typing import Any

from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG
from bedrock_tuning.contracts.contract import PROVIDER, settings_name
from bedrock_tuning.review.assembly.manifest import once
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.check import Evidence, Violation, check, differing, found, unlike
from bedrock_tuning.review.iam.policy import listed


@check(
    "M803",
    "Every customization is served as its file says, by the function of its contract.",
    fix="Deploy what the file says",
)
def serving(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    provider = evidence.bound.fill(f"{{{PROVIDER}}}")
    for name, values in contracts.serving.items():
        resource = evidence.contracted.get(f"serving.{name}")
        if resource is None:
            continue
        roles = {kind.title().replace("_", ""): arn for kind, arn in _roles(evidence, name).items()}
        expected: dict[str, Any] = {**values, "ServiceToken": provider, **roles}
        actual = {
            key: value
            for key, value in resource.properties.as_whole().items()
            if key != "ServiceTimeout"
        }
        limit = f"customizations/{name}.toml says {{}}"
        yield from unlike(resource, actual, expected, exactly=True, limit=limit)
        settings = evidence.contracted.get(f"settings.{name}")
        first = resource.raw.get("DependsOn", [])
        if settings is not None and settings.logical_id not in listed(first):
            yield found(
                resource,
                "it does not depend on the settings",
                "its function reads them: they are written first, and deleted last",
                "Call node.add_dependency of it with the parameter",
            )
        timeout = resource.properties.get("ServiceTimeout")
        if not str(timeout).isdigit() or not 60 <= int(str(timeout)) <= 900:
            yield found(
                resource,
                f"CloudFormation waits {timeout or 3600} s for its answer",
                "no longer than its function can run: 900 s",
                "Set service_timeout=Duration.minutes(15)",
            )


@check(
    "M804",
    "Every other custom resource has exactly the properties of its contract.",
    fix="Wire it as the contract in bedrock_tuning/contracts says",
)
def custom_resources(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "Custom::ClosedSecurityGroup", "Custom::RunGuard")


@check(
    "M805",
    "Every customization's settings say what its file says, and name its own roles.",
    fix="Deploy what the file says",
)
def settings(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    for name, values in contracts.settings.items():
        resource = evidence.contracted.get(f"settings.{name}")
        if resource is None:
            continue
        properties = resource.properties
        tags = {CUSTOMIZATION_TAG: name, ENVIRONMENT_TAG: contracts.environment}
        expected = {
            "Name": settings_name(contracts.environment, name),
            "Type": "String",
            "Tier": "Standard",
            "Tags": {**values["tags"], **tags},
            **values,
            **_roles(evidence, name),
        }
        actual = {
            "Name": properties.get("Name"),
            "Type": properties.get("Type"),
            "Tier": properties.get("Tier", "Standard"),
            "Tags": as_whole(properties.get("Tags")),
            **_parse_parameter(str(properties.get("Value"))),
        }
        limit = f"customizations/{name}.toml says {{}}"
        yield from unlike(resource, actual, expected, exactly=True, limit=limit)


@check(
    "M806",
    "Every monthly budget is the one in its customization's file.",
    fix="Deploy what the file says",
)
def budgets(evidence: Evidence) -> Iterator[Violation]:
    for name, expected in evidence.bound.contracts.budgets.items():
        resource = evidence.contracted.get(f"budget.{name}")
        if resource is not None:
            actual = resource.properties.as_whole()
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
