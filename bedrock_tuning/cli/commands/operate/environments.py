"""`tuning environments`: what is deployed in the account."""

from typing import TYPE_CHECKING

from bedrock_tuning.cli.options import aws_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit_json, emit_table, json_option, say

if TYPE_CHECKING:
    from bedrock_tuning.client.aws import Aws


@command(
    order=10,
    examples=("tuning environments", "tuning environments --region eu-west-1 --json"),
    needs=("list what is deployed",),
)
@json_option
@aws_options
def environments(*, aws: "Aws", as_json: bool) -> None:
    """List the environments in the account and Region, with their customizations.

    Needs none of the project's files: everything is read from the stacks.
    """
    from bedrock_tuning.client.environments import deployed

    rows = deployed(aws)
    if as_json:
        emit_json(rows)
        return
    region = aws.cloudformation.meta.region_name
    if not rows:
        say(f"no environment is deployed in {region}: choose another --region or profile")
        return
    emit_table(
        ("ENVIRONMENT", "STATUS", "CUSTOMIZATIONS"),
        (
            (environment.name, environment.status, ", ".join(environment.customizations))
            for environment in rows
        ),
        texts=("CUSTOMIZATIONS",),
    )
    say(f"choose one with -e, with TUNING_ENVIRONMENT, or in config.toml, in {region}")
