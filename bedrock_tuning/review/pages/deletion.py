"""What deleting an environment takes: in which order its stacks go, what holds one, what stays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.contracts.written.customization import SERVING
from bedrock_tuning.review.assembly.json_path import get, imports
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.pages.labels import Labels, type_label

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
        steps = [f"deletion of {', '.join(self.first)}"] if self.first else []
        if self.protected:
            steps.insert(0, "its termination protection switched off")
        return "; ".join(steps) or "nothing"


def deletions(assembly: Assembly, labels: Labels) -> Iterator[Deletion]:
    """Every stack, in an order in which they can be deleted."""
    importers = _importers(assembly)
    serving_stacks = {resource.stack for resource in assembly.of_type(SERVING)}
    stacks = dict.fromkeys(assembly.templates)
    while stacks:
        # Whatever imports from itself in a circle comes last, in any order.
        candidates = [stack for stack in stacks if not importers[stack] & stacks.keys()] or [
            *stacks
        ]
        # What is billed ends first.
        for stack in sorted(candidates, key=lambda stack: (stack not in serving_stacks, stack)):
            del stacks[stack]
            yield _deletion(assembly, labels, stack, sorted(importers[stack]))


def _deletion(assembly: Assembly, labels: Labels, stack: str, first: list[str]) -> Deletion:
    resources = [resource for resource in assembly.resources if resource.stack == stack]
    return Deletion(
        stack=labels.stack(stack),
        first=tuple(map(labels.stack, first)),
        protected=assembly.protected.get(stack, False),
        ends="; ".join(filter(None, map(_end_of, resources))),
        keeps=tuple(
            _kept_in_words(resource, labels) for resource in resources if _is_kept(resource)
        ),
    )


def _is_kept(resource: Resource) -> bool:
    return resource.keeps_on_delete and resource.type != "AWS::S3::BucketPolicy"


def _kept_in_words(resource: Resource, labels: Labels) -> str:
    is_locked = get(resource.properties, "DeletionProtectionEnabled") is True
    return f"{type_label(resource)} {labels.of(resource)}{' (deletion protection)' * is_locked}"


def _end_of(resource: Resource) -> str:
    """What stops with a resource that is deleted."""
    if resource.type == SERVING:
        return _end_of_serving(resource.properties)
    if get(resource.properties, "Handler") == _LEASES:
        return "the lease keeper: what is still served then is billed until somebody deletes it"
    return ""


def _end_of_serving(properties: Mapping[str, Any]) -> str:
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
    importers: dict[str, set[str]] = {stack: set() for stack in assembly.templates}
    for stack, template in assembly.templates.items():
        for name in imports(template):
            owner = exports.get(name, stack)
            if owner != stack:
                importers[owner].add(stack)
    return importers
