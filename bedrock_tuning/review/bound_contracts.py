"""The contracts of an environment with their placeholders filled from its synthesized resources."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bedrock_tuning.config.names import stack_name
from bedrock_tuning.contracts import Condition, Contracts, Grant, Place
from bedrock_tuning.contracts.contract import PLACEHOLDER
from bedrock_tuning.contracts.options import DATA
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.iam.access import ExternalPolicy
from bedrock_tuning.review.iam.policy import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Contracts tied to an assembly.

    resources: by the name that placeholders use. missing: places where the assembly has nothing,
    or something of another type.
    """

    contracts: Contracts
    region: str
    resources: Mapping[str, Resource]
    missing: Mapping[str, Place]

    def path(self, place: Place) -> str:
        """The construct path of a place."""
        return construct_path(self.contracts.environment, place)

    def fill(self, text: str) -> str:
        """A text with its placeholders replaced; one without a resource becomes unmatchable."""

        def value(match: re.Match[str]) -> str:
            name, attribute = match[1], match[2]
            constants = {
                "partition": identity.PARTITION,
                "region": self.region,
                "region-plain": self.region.replace("-", ""),
                "account": identity.ACCOUNT,
            }
            if name in constants:
                return constants[name]
            existing = self.contracts.known(name, attribute or "")
            if existing is not None:
                return self.fill(existing)
            resource = self.resources.get(name)
            if resource is None:
                return f"«no {name}»"
            if attribute and attribute != "name":
                return f"{resource.name}.{attribute}"
            return resource.name if attribute else resource.arn

        return PLACEHOLDER.sub(value, text)

    def existing(self) -> dict[str, ExternalPolicy]:
        """What no template makes, by ARN, with the policy that its owner must have given it."""
        owner = self.fill("{data-account}")
        return {
            self.fill(f"{{{resource.name}}}"): ExternalPolicy(
                policy=[
                    as_statement(self.grant(permission), where=resource.name)
                    for permission in (*resource.grants, *resource.refusals)
                ],
                account=owner if resource.name in DATA else identity.ACCOUNT,
            )
            for resource in self.contracts.asked
        }

    def conditions(self, conditions: Iterable[Condition]) -> tuple[Condition, ...]:
        """Conditions with their values filled."""
        return tuple(
            Condition.of(
                condition.operator, condition.key, *(self.fill(value) for value in condition.values)
            )
            for condition in conditions
        )

    def grant(self, grant: Grant) -> Grant:
        """A grant with everything filled."""
        return replace(
            grant,
            services=tuple(self.fill(service) for service in grant.services),
            resources=tuple(self.fill(resource) for resource in grant.resources),
            conditions=self.conditions(grant.conditions),
        )


def construct_path(environment: str, place: Place) -> str:
    """Where a place is in the construct tree of an environment."""
    return f"{stack_name(environment, place.stack)}/{place.path}"


def bind(contracts: Contracts, assembly: Assembly) -> Bound:
    """Finds every place of the contracts in the assembly."""
    resources: dict[str, Resource] = {}
    missing: dict[str, Place] = {}
    by_path = {resource.path: resource for resource in assembly.resources}
    for name, place in contracts.places.items():
        resource = by_path.get(construct_path(contracts.environment, place))
        if resource is not None and resource.type == place.type:
            resources[name] = resource
        else:
            missing[name] = place
    regions = sorted(set(assembly.regions.values())) or ["us-east-1"]
    return Bound(contracts=contracts, region=regions[0], resources=resources, missing=missing)


def as_statement(permission: Grant, *, where: str) -> Statement:
    """A filled permission as the policy statement that would say exactly that."""
    principals: dict[str, tuple[str, ...]] | None = None
    if permission.effect == "Deny":
        principals = {"AWS": ("*",)}
    elif permission.everybody_here:
        principals = {"AWS": (f"arn:{identity.PARTITION}:iam::{identity.ACCOUNT}:root",)}
    elif permission.services:
        principals = {"Service": permission.services}
    return Statement(
        where=where,
        sid=permission.why,
        effect=permission.effect,
        principals=principals,
        actions=permission.actions,
        resources=permission.resources,
        conditions=permission.conditions,
    )
