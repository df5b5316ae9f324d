"""Checks of custom resources: each belongs to a contract and has exactly its properties."""

from collections.abc import Iterator
from typing import Any

from bedrock_tuning.review.check import Evidence, Violation, check


@check("M803", "Every customization is served as its file says, by the function of its contract.")
def serving(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    provider = evidence.bound.fill("{function.ProvisionedThroughput}")
    for name, wanted in contracts.serving.items():
        resource = evidence.contracted.get(f"serving.{name}")
        if resource is None:
            continue
        expected: dict[str, Any] = {**wanted, "ServiceToken": provider}
        found = {k: v for k, v in resource.properties.as_whole().items() if k != "ServiceTimeout"}
        for key in sorted({*expected, *found}):
            if found.get(key) != expected.get(key):
                yield Violation(
                    where=resource.path,
                    what=f"{key} is {found.get(key, 'not set')}",
                    limit=f"customizations/{name}.toml says {expected.get(key, 'no such key')}",
                    fix="Deploy what the file says",
                )
        timeout = resource.properties.get("ServiceTimeout")
        if not str(timeout).isdigit() or not 60 <= int(str(timeout)) <= 900:
            yield Violation(
                where=resource.path,
                what=f"CloudFormation waits {timeout or 3600} s for its answer",
                limit="no longer than its function can run: 900 s",
                fix="Set service_timeout=Duration.minutes(15)",
            )
    known = {evidence.bound.path(contracts.places[f"serving.{n}"]) for n in contracts.serving}
    known |= {evidence.bound.path(contracts.places[n]) for n in contracts.custom_resources}
    for resource in evidence.assembly.resources:
        if resource.type.startswith("Custom::") and resource.path not in known:
            yield Violation(
                where=resource.path,
                what=f"{resource.type} belongs to no customization",
                limit="a custom resource can do whatever its function can",
                fix="Remove it, or add the customization's file",
            )


@check("M804", "Every other custom resource has exactly the properties of its contract.")
def custom_resources(evidence: Evidence) -> Iterator[Violation]:
    for name, wanted in evidence.bound.contracts.custom_resources.items():
        resource = evidence.contracted.get(name)
        if resource is None:
            continue
        expected = {key: evidence.bound.fill(value) for key, value in wanted.items()}
        for key in sorted({*expected, *resource.properties}):
            if str(resource.properties.get(key)) != expected.get(key):
                yield Violation(
                    where=resource.path,
                    what=f"{key} is {resource.properties.get(key, 'not set')}",
                    limit=f"the contract says {expected.get(key, 'no such key')}",
                    fix="Wire it as the contract in bedrock_tuning/contracts says",
                )


CHECKS = (serving, custom_resources)
