"""`tuning environments`: what is deployed in the account."""

import click

from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit_json, emit_table, json_option, say


@command(
    order=10,
    examples=("tuning environments", "tuning environments --region eu-west-1 --json"),
)
@click.option("--region", help="AWS Region; by default the AWS CLI's.")
@json_option
@click.pass_context
def environments(ctx: click.Context, /, *, region: str | None, as_json: bool) -> None:
    """List the environments in the account and Region, with their customizations.

    Needs no files of the project: everything is read from the stacks.
    """
    from bedrock_tuning.client.aws import Aws
    from bedrock_tuning.client.environments import deployed

    aws = ctx.obj or Aws(region=region)
    found = deployed(aws)
    if as_json:
        emit_json(found)
        return
    where = aws.cloudformation.meta.region_name
    if not found:
        say(f"no environment is deployed in {where}: choose another --region or profile")
        return
    emit_table(
        ("ENVIRONMENT", "STATUS", "CUSTOMIZATIONS"),
        ((each.name, each.status, ", ".join(each.customizations)) for each in found),
        texts=("CUSTOMIZATIONS",),
    )
    say(f"choose one with -e, or with TUNING_ENVIRONMENT, in {where}")
