"""Stack outputs, by which people, the CLI and the demo find what was deployed."""

from aws_cdk import CfnOutput, Stack


def export(stack: Stack, name: str, value: str) -> None:
    """An output under exactly this name, without a CloudFormation export."""
    output = CfnOutput(stack, f"Output{name}", value=value)
    output.override_logical_id(name)
