"""`tuning preflight`: checks an existing network before anything is deployed into it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import (
    configured_options,
    customizations_option,
    read_context,
    read_settings,
    settings_option,
)
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO
from bedrock_tuning.cli.terminal.output import emit, emit_json, json_option, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from bedrock_tuning.client.aws import Aws
    from bedrock_tuning.config.settings import Settings


@command(
    order=1,
    examples=("tuning preflight -e prod",),
    needs=("examine networks",),
)
@settings_option
@customizations_option
@json_option
@configured_options
@click.pass_context
def preflight(
    ctx: click.Context,
    /,
    *,
    environment: str | None,
    settings: Path,
    customizations: Path,
    aws_in: "Callable[[str | None], Aws]",
    as_json: bool,
) -> None:
    """Check your own subnets and security groups before you deploy into them.

    Reads the network that `vpc_subnets` and `vpc_security_groups` in cdk.json name, with Describe
    calls only, in the environment's Region, and lists everything it lacks: zones, endpoints,
    routes, private DNS, HTTPS, the rule that lets the parts of a job talk to each other.

    Exit code 1: something is missing; 0: nothing is, or there is nothing to check.
    """
    from bedrock_tuning.client import network
    from bedrock_tuning.contracts import project
    from bedrock_tuning.wording import counted

    chosen = read_settings(settings, environment=environment)
    nothing = _nothing_to_check(chosen)
    found: list[str] = []
    if not nothing:
        aws = aws_in(chosen.region)
        read = project.read(
            read_context(settings), environment=chosen.name, customizations=customizations
        )
        found = network.problems(aws.ec2, chosen, read.customizations)
    if as_json:
        emit_json(
            {
                "environment": chosen.name,
                "region": chosen.region,
                "checked": not nothing,
                "subnets": chosen.vpc_subnets,
                "security_groups": chosen.vpc_security_groups,
                "problems": found,
            }
        )
    else:
        for problem in found:
            emit(problem)
    if found:
        say(f"the network of {chosen.name} in {chosen.region} has {counted(len(found), 'problem')}")
        ctx.exit(EXIT_NO)
    say(
        nothing
        or f"the network of {chosen.name} can carry functions and jobs: "
        f"{', '.join(chosen.vpc_subnets)} with {', '.join(chosen.vpc_security_groups)}"
    )


def _nothing_to_check(chosen: "Settings") -> str:
    if not chosen.vpc:
        return f"nothing to check: {chosen.name} uses no network (vpc is off in cdk.json)"
    if chosen.own_network:
        return f"nothing to check: {chosen.name} creates its own network (no vpc_subnets)"
    return ""
