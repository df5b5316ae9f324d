"""The environments that are deployed in an account and Region."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bedrock_tuning.client.aws import Aws
from bedrock_tuning.config.names import RESERVED, stack_name
from bedrock_tuning.sources.listing import listed

# What a client needs of a deployment, by the stack that exports it; this tells our stacks apart
# from others of a similar name.
REQUIRED_OUTPUTS: Final[Mapping[str, Sequence[str]]] = {
    "data": ("TrainingBucket", "ValidationBucket", "OutputBucket"),
    "pipeline": ("ApprovalUrl", "RunsTable", "Workflow"),
}
# What they have since customizations have stacks of their own.
LATER: Final = ("ApprovalUrl",)
# Every environment has it, and what a run needs lies in it.
_MAIN: Final = "pipeline"
_OF_CUSTOMIZATION: Final = "Serving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment. status: of its main stack; customizations: by name, in order."""

    name: str
    status: str
    customizations: Sequence[str] = field(default=())


def deployed(aws: Aws) -> list[Environment]:
    """Every environment whose stacks are there, by name."""
    stacks_by_name = {stack["StackName"]: stack for stack in stacks(aws)}
    names = {
        name.removeprefix("tuning-").removesuffix(f"-{part}")
        for name, stack in stacks_by_name.items()
        for part, outputs in REQUIRED_OUTPUTS.items()
        if name.startswith("tuning-") and name.endswith(f"-{part}") and _has_output(stack, outputs)
    }
    customizations_by_name: dict[str, list[str]] = {name: [] for name in sorted(names)}
    for name, stack in stacks_by_name.items():
        # No environment is the beginning of another one (bedrock_tuning.config.names).
        owner = next((owner for owner in names if name.startswith(stack_name(owner, ""))), None)
        if owner is not None and _has_output(stack, (_OF_CUSTOMIZATION,)):
            customizations_by_name[owner].append(name.removeprefix(stack_name(owner, "")))
    return [
        Environment(
            name=name,
            status=stacks_by_name.get(stack_name(name, _MAIN), {}).get(
                "StackStatus", f"without the stack {stack_name(name, _MAIN)}"
            ),
            customizations=sorted(set(customizations) - RESERVED.keys()),
        )
        for name, customizations in customizations_by_name.items()
    ]


def stacks(aws: Aws) -> Iterator[Any]:
    """Every stack of the account and Region, as CloudFormation describes it."""
    return listed(aws.cloudformation, "describe_stacks", "Stacks")


def stack_of(aws: Aws, name: str) -> Mapping[str, Any] | None:
    """A stack as CloudFormation describes it, by its name or ARN; None if there is none."""
    from botocore.exceptions import ClientError

    try:
        (stack,) = aws.cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return None
    return dict(stack)


def outputs_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """What a stack exports, by name."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}


def is_older(stack: Mapping[str, Any]) -> bool:
    """Whether a version deployed it that knew no stacks of customizations."""
    return _has_output(stack, REQUIRED_OUTPUTS[_MAIN]) and not _has_output(stack, LATER)


def _has_output(stack: Mapping[str, Any], outputs: Sequence[str]) -> bool:
    """Whether it exports any of these: one of an older version lacks what came since."""
    return not outputs_of(stack).keys().isdisjoint(outputs)
