"""Properties of these stacks' own resources that may be more than the contracts ask for."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.contracts.written.functions import FUNCTION
from bedrock_tuning.review.additions.addition import Addition, Remove, Templates, generic_path
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.iam.policy import as_list
from bedrock_tuning.review.pages.labels import Labels
from bedrock_tuning.review.permitted import PermittedValue

# What is wrong with a value; "" for nothing.
Problem = Callable[[Any, Assembly, Bound], str]
# Fewer at a time, and the checks of a large dataset are refused: the map runs twenty.
_CONCURRENCY_MIN: Final = 50
_ROTATION_DAYS: Final = (90, 365)


def _only(expected: Any) -> Problem:
    def problem(value: Any, _assembly: Assembly, _bound: Bound) -> str:
        return "" if value == expected else f"only {expected} can be permitted"

    return problem


def _between(minimum: int, maximum: int) -> Problem:
    def problem(value: Any, _assembly: Assembly, _bound: Bound) -> str:
        is_allowed = (
            isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum
        )
        return "" if is_allowed else f"only {minimum} to {maximum} can be permitted"

    return problem


def _inventories(value: Any, assembly: Assembly, _: Bound) -> str:
    for inventory in as_list(value):
        target = str(get(inventory, "Destination", "BucketArn"))
        bucket = assembly.by_arn(target)
        if bucket is None or bucket.type != "AWS::S3::Bucket":
            return f"an inventory goes to {target}, which is no bucket of these stacks"
    return ""


def _accept_any(_value: Any, _assembly: Assembly, _bound: Bound) -> str:
    return ""


# By type and path. What a function's specification says is the least of its three.
_SETTINGS: Final[Mapping[tuple[str, str], Problem]] = {
    (FUNCTION, "ReservedConcurrentExecutions"): _between(_CONCURRENCY_MIN, 1_000),
    (FUNCTION, "MemorySize"): _between(128, 10_240),
    (FUNCTION, "Timeout"): _between(1, 900),
    (FUNCTION, "EphemeralStorage.Size"): _between(512, 10_240),
    ("AWS::KMS::Key", "RotationPeriodInDays"): _between(*_ROTATION_DAYS),
    ("AWS::DynamoDB::Table", "ContributorInsightsSpecification.Enabled"): _only(True),
    ("AWS::S3::Bucket", "MetricsConfigurations"): _accept_any,
    ("AWS::S3::Bucket", "InventoryConfigurations"): _inventories,
}


def added_settings(assembly: Assembly, bound: Bound) -> Iterator[Addition]:
    """Those that say something else than the contracts."""
    places = {bound.path(place): place for place in bound.contracts.places.values()}
    labels = Labels(assembly)
    stacks = bound.contracts.stacks
    for resource in assembly.resources:
        if resource.stack not in stacks:
            continue
        for (kind, path), problem in _SETTINGS.items():
            steps = path.split(".")
            value = get(resource.properties, *steps)
            place = places.get(resource.path)
            expected = get(place.properties, *steps) if place else None
            if kind != resource.type or value is None or value == expected:
                continue
            reason = problem(value, assembly, bound)
            if expected is not None and isinstance(value, int) and value < expected:
                reason = f"the function needs {expected}"
            yield Addition(
                kind="setting",
                fields={
                    "at": generic_path(resource.path, bound),
                    "setting": path,
                    "value": _permitted_value(value, labels),
                },
                where=resource.path,
                remove=_reset(resource, steps, expected),
                against=(reason,) if reason else (),
            )


def _permitted_value(value: Any, labels: Labels) -> PermittedValue:
    if isinstance(value, str | bool | int):
        return value
    texts = (
        item if isinstance(item, str) else json.dumps(item, sort_keys=True)
        for item in as_list(value)
    )
    return sorted(labels.text(text) for text in texts)


def _reset(resource: Resource, steps: list[str], value: int | None) -> Remove:
    def remove(templates: Templates) -> None:
        raw = templates[resource.stack]["Resources"].get(resource.logical_id)
        if raw is None:
            return
        node = raw["Properties"]
        *outer, last = steps
        for step in outer if value is not None else ():
            node = node[step]
        if value is None:
            del node[steps[0]]
        else:
            node[last] = value

    return remove
