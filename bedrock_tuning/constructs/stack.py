"""A stack that is the same in every app, whatever feature flags of the CDK that app has.

Its outputs are how people, the CLI, the demo and other stacks find what was deployed.
"""

from typing import Any, Final

from aws_cdk import CfnOutput, Stack
from constructs import Construct

# Those of cdk.json that our templates depend on.
FLAGS: Final = ("@aws-cdk/aws-iam:minimizePolicies", "@aws-cdk/core:enablePartitionLiterals")


class TuningStack(Stack):
    """A stack with our feature flags for all that is in it."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, stack_name=construct_id, **kwargs)
        for flag in FLAGS:
            self.node.set_context(flag, True)
        self.node.set_context("@aws-cdk/core:defaultCrossStackReferences", "strong")


def export(stack: Stack, name: str, value: str, *, export_name: str | None = None) -> None:
    """An output under exactly this name; a CloudFormation export only if it has a name for it.

    The CDK names exports after constructs, and what is imported can never be renamed.
    """
    output = CfnOutput(stack, f"Output{name}", value=value, export_name=export_name)
    output.override_logical_id(name)
