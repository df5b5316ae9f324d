"""Stack outputs, by which people, the CLI, the demo and other stacks find what was deployed."""

from aws_cdk import CfnOutput, Stack


def export(stack: Stack, name: str, value: str, *, export_name: str | None = None) -> None:
    """An output under exactly this name; a CloudFormation export only if it has a name for it.

    The CDK names exports after constructs, and what is imported can never be renamed.
    """
    output = CfnOutput(stack, f"Output{name}", value=value, export_name=export_name)
    output.override_logical_id(name)
