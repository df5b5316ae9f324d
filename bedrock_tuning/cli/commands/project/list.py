"""`tuning list`: what is deployed against the files, and what remains of deleted stacks."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import (
    configured_options,
    customizations_option,
    read_context,
    settings_option,
    usual_environment,
    without_project,
)
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO
from bedrock_tuning.cli.terminal.output import emit, emit_json, emit_table, json_option, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bedrock_tuning.client.aws import Aws
    from bedrock_tuning.client.inventory import Remains


@command(
    order=3,
    examples=("tuning list -e prod", "tuning list -e prod --json"),
    needs=("list what is deployed", "find the deployment"),
)
@settings_option
@customizations_option
@json_option
@configured_options
@click.pass_context
def list(
    ctx: click.Context,
    /,
    *,
    environment: str | None,
    settings: Path,
    customizations: Path,
    aws_in: "Callable[[str | None], Aws]",
    as_json: bool,
) -> None:
    """Compare what is deployed with the customization files, and list what deleted stacks left.

    Removing a file destroys nothing: its stack stays until `tuning retire`. Buckets, keys, the
    runs table, custom models and pointers stay when stacks are deleted; each is listed with its
    price, where it is known, and the command that deletes it.

    Outside of a project's folder there is nothing to compare with: what is deployed is listed.

    Exit code 1: a customization is not deployed as its file says, or is deployed without a file.
    """
    from bedrock_tuning.client import inventory
    from bedrock_tuning.contracts import project

    if without_project(settings):
        aws, name = aws_in(None), environment or usual_environment()
        listed = inventory.compared(aws, name, None)
    else:
        read = project.read(
            read_context(settings), environment=environment, customizations=customizations
        )
        aws, name = aws_in(read.settings.region), read.settings.name
        listed = inventory.compared(
            aws,
            name,
            read.customizations,
            retired=[Path(file).stem for file in read.retired],
            elsewhere=[path.stem for path in customizations.glob("*.toml")],
        )
    known = [each.name for each in listed if each.status != "no stack"]
    remains = inventory.remaining(aws, name, known=known)
    differing = [each for each in listed if each.differs]
    if as_json:
        emit_json({"environment": name, "customizations": listed, "remaining": remains})
    else:
        emit_table(
            ("CUSTOMIZATION", "STACK", "DIFFERENCE"),
            ((each.name, each.status, each.differs) for each in listed),
        )
        _show(remains)
    if differing:
        say(f"{len(differing)} of {len(listed)} are not as they should be")
        ctx.exit(EXIT_NO)


def _show(remains: "Sequence[Remains]") -> None:
    if not remains:
        return
    emit()
    emit_table(
        ("REMAINS", "NAME", "BILLED", "USD/MONTH", "TO DELETE IT"),
        (
            (
                each.kind,
                each.name,
                each.billed,
                "unknown" if each.usd_per_month is None else f"{each.usd_per_month:,.2f}",
                each.command,
            )
            for each in remains
        ),
    )
    say("what they hold, or encrypt, cannot be brought back: read each command before you run it")
