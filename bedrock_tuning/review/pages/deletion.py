"""What deleting an environment takes: in which order its stacks go, what holds one, what stays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.review.assembly.json_path import get, imports
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.pages.labels import Labels, kind_of
from bedrock_tuning.review.pages.money import RESOURCE

_LEASES: Final = "lambdas.keep_leases.handler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """One stack. first: the stacks that import from it, which CloudFormation wants gone before.

    protected: whether it has termination protection. ends: what its deletion ends, besides what it
    holds. keeps: what stays, by name.
    """

    stack: str
    first: tuple[str, ...]
    protected: bool
    ends: str
    keeps: tuple[str, ...]

    @property
    def needs(self) -> str:
        """What has to be done before it can be deleted."""
        wanted = [f"deletion of {', '.join(self.first)}"] if self.first else []
        if self.protected:
            wanted.insert(0, "its termination protection switched off")
        return "; ".join(wanted) or "nothing"


def deletions(assembly: Assembly, labels: Labels) -> Iterator[Deletion]:
    """Every stack, in an order in which they can be deleted."""
    importers = _importers(assembly)
    served = {resource.stack for resource in assembly.of_type(RESOURCE)}
    left = dict.fromkeys(assembly.templates)
    while left:
        # Whatever imports from itself in a circle comes last, in any order.
        free = [each for each in left if not importers[each] & left.keys()] or [*left]
        # What is billed ends first.
        for stack in sorted(free, key=lambda each: (each not in served, each)):
            del left[stack]
            yield _deletion(assembly, labels, stack, sorted(importers[stack]))


def _deletion(assembly: Assembly, labels: Labels, stack: str, first: list[str]) -> Deletion:
    own = [resource for resource in assembly.resources if resource.stack == stack]
    return Deletion(
        stack=labels.stack(stack),
        first=tuple(map(labels.stack, first)),
        protected=assembly.protected.get(stack, False),
        ends="; ".join(filter(None, map(_ended, own))),
        keeps=tuple(_kept(each, labels) for each in own if _is_kept(each)),
    )


def _is_kept(resource: Resource) -> bool:
    return resource.keeps_on_delete and resource.type != "AWS::S3::BucketPolicy"


def _kept(resource: Resource, labels: Labels) -> str:
    locked = get(resource.properties, "DeletionProtectionEnabled") is True
    return f"{kind_of(resource)} {labels.of(resource)}{' (deletion protection)' * locked}"


def _ended(resource: Resource) -> str:
    """What stops with a resource that is deleted."""
    if resource.type == RESOURCE:
        return _serving_ended(resource.properties)
    if get(resource.properties, "Handler") == _LEASES:
        return "the lease keeper: what is still served then is billed until somebody deletes it"
    return ""


def _serving_ended(properties: Mapping[str, Any]) -> str:
    if properties.get("Mode") == "none":
        return "nothing: its model is not served"
    if properties.get("OnDelete") == "retain":
        return "nothing: its endpoint stays, and is billed until its commitment ends or for good"
    return "its endpoint, before the roles go; refused while a run waits or trains"


def _importers(assembly: Assembly) -> dict[str, set[str]]:
    """Which stacks import from which."""
    exports = {
        str(get(output, "Export", "Name")): stack
        for stack, template in assembly.templates.items()
        for output in template.get("Outputs", {}).values()
    }
    found: dict[str, set[str]] = {stack: set() for stack in assembly.templates}
    for stack, template in assembly.templates.items():
        for name in imports(template):
            owner = exports.get(name, stack)
            if owner != stack:
                found[owner].add(stack)
    return found
