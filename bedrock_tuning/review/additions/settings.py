"""Properties of these stacks' own resources that may be more than the contracts ask for."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.contracts import FunctionSpec
from bedrock_tuning.review.additions.addition import Addition, Remove, Templates, at
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.iam.policy import listed
from bedrock_tuning.review.pages.labels import Labels
from bedrock_tuning.review.permitted import PermittedValue

# What is wrong with a value; "" for nothing.
Problem = Callable[[Any, Assembly, Bound], str]
_FUNCTION: Final = "AWS::Lambda::Function"
# Fewer at a time, and the checks of a large dataset are refused: the map runs twenty.
_CONCURRENCY_MIN: Final = 50
_ROTATION_DAYS: Final = (90, 365)


def _is(wanted: Any) -> Problem:
    def problem(value: Any, _assembly: Assembly, _bound: Bound) -> str:
        return "" if value == wanted else f"only {wanted} can be permitted"

    return problem


def _from_to(least: int, most: int) -> Problem:
    def problem(value: Any, _assembly: Assembly, _bound: Bound) -> str:
        good = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return "" if good else f"only {least} to {most} can be permitted"

    return problem


def _inventories(value: Any, assembly: Assembly, _: Bound) -> str:
    for each in listed(value):
        target = str(get(each, "Destination", "BucketArn"))
        bucket = assembly.by_arn(target)
        if bucket is None or bucket.type != "AWS::S3::Bucket":
            return f"an inventory goes to {target}, which is no bucket of these stacks"
    return ""


def _any(_value: Any, _assembly: Assembly, _bound: Bound) -> str:
    return ""


# By type and path. What a function's specification says is the least of its three.
_SETTINGS: Final[Mapping[tuple[str, str], Problem]] = {
    (_FUNCTION, "ReservedConcurrentExecutions"): _from_to(_CONCURRENCY_MIN, 1_000),
    (_FUNCTION, "MemorySize"): _from_to(128, 10_240),
    (_FUNCTION, "Timeout"): _from_to(1, 900),
    (_FUNCTION, "EphemeralStorage.Size"): _from_to(512, 10_240),
    ("AWS::KMS::Key", "RotationPeriodInDays"): _from_to(*_ROTATION_DAYS),
    ("AWS::DynamoDB::Table", "ContributorInsightsSpecification.Enabled"): _is(True),
    ("AWS::S3::Bucket", "MetricsConfigurations"): _any,
    ("AWS::S3::Bucket", "InventoryConfigurations"): _inventories,
}


def settings(assembly: Assembly, bound: Bound) -> Iterator[Addition]:
    """Those that say something else than the contracts."""
    specified, labels = _specified(bound), Labels(assembly)
    stacks = bound.contracts.stacks
    for resource in assembly.resources:
        if resource.stack not in stacks:
            continue
        for (kind, path), problem in _SETTINGS.items():
            steps = path.split(".")
            value = get(resource.properties, *steps)
            wanted = specified.get((resource.path, path))
            if kind != resource.type or value is None or value == wanted:
                continue
            wrong = problem(value, assembly, bound)
            if wanted is not None and isinstance(value, int) and value < wanted:
                wrong = f"the function needs {wanted}"
            yield Addition(
                kind="setting",
                fields={
                    "at": at(resource.path, bound),
                    "setting": path,
                    "value": _shown(value, labels),
                },
                where=resource.path,
                remove=_reset(resource, steps, wanted),
                against=(wrong,) if wrong else (),
            )


def _shown(value: Any, labels: Labels) -> PermittedValue:
    if isinstance(value, str | bool | int):
        return value
    texts = (v if isinstance(v, str) else json.dumps(v, sort_keys=True) for v in listed(value))
    return sorted(labels.text(each) for each in texts)


def _specified(bound: Bound) -> dict[tuple[str, str], int]:
    """What the specifications of functions say, by construct path and property."""
    found = {}
    for contract in bound.contracts.functions:
        resource = bound.resources.get(contract.name)
        if resource is not None:
            for path, value in _wanted(contract.spec):
                found[resource.path, path] = value
    return found


def _wanted(spec: FunctionSpec) -> Iterator[tuple[str, int]]:
    yield "MemorySize", spec.memory_mb
    yield "Timeout", spec.timeout_minutes * 60
    yield "EphemeralStorage.Size", spec.disk_mb


def _reset(resource: Resource, steps: list[str], wanted: int | None) -> Remove:
    def remove(templates: Templates) -> None:
        found = templates[resource.stack]["Resources"].get(resource.logical_id)
        if found is None:
            return
        there = found["Properties"]
        *outer, last = steps
        for step in outer if wanted is not None else ():
            there = there[step]
        if wanted is None:
            del there[steps[0]]
        else:
            there[last] = wanted

    return remove
