"""The environments that are deployed in an account and Region."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bedrock_tuning.client.aws import Aws
from bedrock_tuning.config.names import RESERVED, stack_name
from bedrock_tuning.run.job import TAG_PREFIX

_TAG: Final = f"{TAG_PREFIX}:environment"
# Every environment has it, and what a run needs lies in it.
_MAIN: Final = "pipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment. status: of its main stack; customizations: by name, in order."""

    name: str
    status: str
    customizations: Sequence[str] = field(default=())


def deployed(aws: Aws) -> list[Environment]:
    """Every environment whose stacks are there, by name."""
    stacks: dict[str, dict[str, str]] = {}
    for page in aws.cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", ())}
            environment = tags.get(_TAG)
            if environment and stack["StackName"].startswith(stack_name(environment, "")):
                part = stack["StackName"].removeprefix(stack_name(environment, ""))
                stacks.setdefault(environment, {})[part] = stack["StackStatus"]
    return [
        Environment(
            name=name,
            status=parts.get(_MAIN, f"without the stack {stack_name(name, _MAIN)}"),
            customizations=sorted(parts.keys() - RESERVED.keys()),
        )
        for name, parts in sorted(stacks.items())
    ]
